import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { CAPTURE_VERSION } from '../../src/mirror/capture/capture-functions.js';
import { removeLeft, removeMirror } from '../../src/mirror/capture/remove.js';
import { mirrorStatus } from '../../src/mirror/capture/status.js';
import { ensureMatrixSchema } from '../../src/operator/matrix/matrix-schema.js';
import { pgfig } from '../operator/cli-run.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { makePair, type Pair, texts } from './capture-support.js';

const source = await startPostgres({ version: 15 });
const target = await startPostgres({ version: 18 });

const SCHEMA = `
CREATE TABLE orders (id int PRIMARY KEY, note text);
CREATE TABLE parts (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
`;
const TABLES = ['public.orders', 'public.parts'];

const sides = ({ config, mirror }: Pair) => [config, mirror] as const;

/** All that a catalog says of schemas, relations, functions, triggers, roles and privileges; for what was left. */
async function catalogOf(server: TestPostgres, dbname: string): Promise<unknown> {
  const { rows } = await server.query(
    `SELECT 'class' AS what, c.oid::regclass::text || ' ' || c.relkind::text || ' ' || coalesce(c.reloptions::text, '') AS text,
            (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) a) AS acl
       FROM pg_class c WHERE c.relnamespace <> 'pg_toast'::regnamespace AND c.relkind IN ('r', 'p', 'i', 'S', 'v')
     UNION ALL SELECT 'trigger', t.tgrelid::regclass::text || ' ' || t.tgname, t.tgenabled::text FROM pg_trigger t
     UNION ALL SELECT 'function', p.oid::regprocedure::text, p.proacl::text FROM pg_proc p WHERE p.oid > 16383
     UNION ALL SELECT 'schema', nspname, nspacl::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_t%'
     UNION ALL SELECT 'role', rolname, rolbypassrls::text FROM pg_roles
     UNION ALL SELECT 'database', datname, datacl::text FROM pg_database WHERE datname = current_database()
     ORDER BY 1, 2, 3`,
    dbname,
  );
  return rows;
}

t.test('a second run finds nothing to do, and keeps the position', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  t.match(await pair.install(), { mirror: 1, changed: TABLES, replica: true });
  const relay = () => target.query('SELECT * FROM pgfig.relay', pair.to);
  const before = (await relay()).rows;
  t.match(before, [
    { domain: 'orders', mirror: 1, source_database: pair.from, source_timeline: 1, owner: null, whole: true },
  ]);
  await source.query(`INSERT INTO orders VALUES (1, 'a')`, pair.from);
  const held = await pair.connect('source');
  await held.query('BEGIN; LOCK TABLE orders, parts IN SHARE ROW EXCLUSIVE MODE');
  t.match(await pair.install({ budget: 0 }), { changed: [] }, 'it takes no lock that writers hold');
  await held.query('ROLLBACK');
  t.same((await relay()).rows, before);
  const { rows } = await target.query('SELECT table_name, state FROM pgfig.relay_tables ORDER BY 1', pair.to);
  t.same(rows, [
    { table_name: 'public.orders', state: 'new' },
    { table_name: 'public.parts', state: 'new' },
  ]);
  t.match(await mirrorStatus(...sides(pair)), { installed: true, mirror: 1, waiting: 1, problems: [] });
});

t.test('what is recorded before the position is seen by it, what comes after is not', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  const open = await pair.connect('source');
  await open.query(`BEGIN; SELECT pg_current_xact_id()`);
  await pair.install();
  const late = await open.query(`INSERT INTO orders VALUES (1, 'a'); COMMIT`).then(() => true);
  t.ok(late, 'a transaction that began before the install');
  const { rows } = await target.query<{ position: string }>('SELECT position::text FROM pgfig.relay', pair.to);
  const seen = await source.query(
    'SELECT key, pg_visible_in_snapshot(xid, $1::pg_snapshot) AS seen FROM pgfig.outbox',
    pair.from,
    [rows[0]?.position],
  );
  t.same(seen.rows, [{ key: '1', seen: false }]);
});

t.test('an older snapshot still records', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  const old = await pair.connect('source');
  await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
  await pair.install();
  await old.query('INSERT INTO orders VALUES (1); COMMIT');
  const { rows } = await source.query('SELECT op::text, key FROM pgfig.outbox', pair.from);
  t.same(rows, [{ op: 'I', key: '1' }]);
});

t.test('mends what is missing, and says that changes may have passed', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  await pair.install();
  await target.query(`UPDATE pgfig.relay_tables SET state = 'in-step'`, pair.to);
  const state = async (table: string) =>
    (await target.query('SELECT state, reason FROM pgfig.relay_tables WHERE table_name = $1', pair.to, [table]))
      .rows[0];
  await source.query('ALTER TABLE parts_1 DISABLE TRIGGER pgfig_capture', pair.from);
  t.match(await mirrorStatus(...sides(pair)), { installed: false, tables: [{ capture: 'yes' }, { capture: 'mend' }] });
  t.match(await pair.install(), { changed: ['public.parts'] });
  t.match(await state('public.parts'), { state: 'stalled', reason: /missing or disabled.*pgfig backfill orders/ });
  t.match(await state('public.orders'), { state: 'in-step', reason: null });
  t.same(texts(await pair.recorded(`INSERT INTO parts VALUES (1, '2026-01-01')`)), ['I parts {1,2026-01-01}']);

  await target.query(
    `UPDATE pgfig.relay_tables SET state = 'backfill', backfill = '{}', position = '3:3:' WHERE table_name = 'public.parts'`,
    pair.to,
  );
  await source.query('DROP TRIGGER pgfig_capture_truncate ON parts_2', pair.from);
  t.match(await pair.install(), { changed: ['public.parts'] });
  t.same(
    (
      await target.query(
        `SELECT state, backfill, position FROM pgfig.relay_tables WHERE table_name = 'public.parts'`,
        pair.to,
      )
    ).rows,
    [{ state: 'stalled', backfill: null, position: null }],
    'nothing goes on over the gap',
  );
  t.match(texts(await pair.recorded('TRUNCATE parts_2')), [/^T parts \d+$/]);

  await source.query(
    `UPDATE pgfig.captured SET version = 0;
    CREATE OR REPLACE FUNCTION pgfig.capture_${await oid(pair, 'orders')}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    pair.from,
  );
  const held = await pair.connect('source');
  await held.query(`BEGIN; INSERT INTO orders VALUES (5)`);
  t.match(await pair.install({ budget: 0 }), { changed: TABLES }, 'an upgrade replaces functions, and locks no table');
  await held.query('COMMIT');
  t.same(texts(await pair.recorded('INSERT INTO orders VALUES (6)')), ['I orders 6']);
  t.same((await source.query('SELECT DISTINCT version FROM pgfig.captured', pair.from)).rows, [
    { version: CAPTURE_VERSION },
  ]);
  t.match(await state('public.orders'), { state: 'in-step' });
});

t.test('a key that has changed', async (t) => {
  const pair = await makePair(source, target, `${SCHEMA} ALTER TABLE orders ADD code text`, TABLES);
  await pair.install();
  await target.query(`UPDATE pgfig.relay_tables SET state = 'in-step'`, pair.to);
  const other = 'ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (code)';
  await source.query(other, pair.from);
  await target.query(other, pair.to);
  t.match(await pair.install(), { changed: ['public.orders'] });
  t.same(texts(await pair.recorded(`INSERT INTO orders VALUES (1, 'a', 'x')`)), ['I orders x']);
  const { rows } = await target.query(
    `SELECT state, reason FROM pgfig.relay_tables WHERE table_name = 'public.orders'`,
    pair.to,
  );
  t.match(rows, [{ state: 'stalled', reason: /its key has changed from \(id\) to \(code\)/ }]);
});

t.test('a table leaves the domain, and another comes', async (t) => {
  const pair = await makePair(source, target, `${SCHEMA} CREATE TABLE more (id int PRIMARY KEY)`, TABLES);
  await pair.install();
  const waiting = async () => (await source.query('SELECT count(*)::int AS n FROM pgfig.outbox', pair.from)).rows[0]?.n;
  await source.query(
    `INSERT INTO parts VALUES (2, '2026-01-01'); INSERT INTO orders VALUES (1); INSERT INTO orders VALUES (2)`,
    pair.from,
  );
  const tables = ['public.orders', 'public.more'];
  t.match(await pair.install({ mirror: { tables } }), { changed: ['public.more', 'public.parts'] });
  t.equal(await waiting(), 2, 'its events went with it');
  t.same(texts(await pair.recorded(`INSERT INTO more VALUES (1); INSERT INTO parts VALUES (1, '2026-01-01')`)), [
    'I more 1',
  ]);
  await target.query(`INSERT INTO parts VALUES (1, '2026-01-01')`, pair.to);
  await t.rejects(target.query('INSERT INTO more VALUES (1)', pair.to), { code: 'PF002' });
  const { rows } = await target.query('SELECT table_name FROM pgfig.relay_tables ORDER BY 1', pair.to);
  t.same(rows, [{ table_name: 'public.more' }, { table_name: 'public.orders' }]);
});

t.test('a table that is dropped and made anew leaves no events behind', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  await pair.install();
  await source.query(
    'INSERT INTO orders VALUES (1); DROP TABLE orders; CREATE TABLE orders (id int PRIMARY KEY, note text)',
    pair.from,
  );
  await pair.install();
  t.equal((await source.query('SELECT FROM pgfig.outbox', pair.from)).rowCount, 0);
});

t.test('two installs at once, and a removal between', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  const all = await Promise.all([pair.install(), pair.install(), pair.install()]);
  t.same(
    all.map(({ mirror }) => mirror),
    [1, 1, 1],
  );
  t.equal(all.flatMap(({ changed }) => changed).length, 2, 'one of them does it');
  const [, again] = await Promise.all([removeMirror(...sides(pair)), pair.install()]);
  const state = await mirrorStatus(...sides(pair));
  if (!state.installed) await pair.install();
  t.ok(again.mirror > 0);
  t.match(await mirrorStatus(...sides(pair)), { installed: true });
});

t.test('removed without a trace', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  const foreign = await makePair(source, target, SCHEMA, TABLES);
  await foreign.install();
  const [here, there] = [await catalogOf(source, pair.from), await catalogOf(target, pair.to)];
  const second = { domain: 'billing', tables: ['public.parts'] };
  await pair.install({ mirror: { tables: ['public.orders'] } });
  await pair.install({ mirror: second });
  await source.query(
    `INSERT INTO orders SELECT generate_series(1, 30000); INSERT INTO parts VALUES (1, now())`,
    pair.from,
  );
  t.match(await removeMirror(...sides(pair)), { released: ['public.orders'], left: '' });
  t.same(
    (await source.query('SELECT DISTINCT mirror FROM pgfig.outbox', pair.from)).rows,
    [{ mirror: 2 }],
    'the other domain goes on',
  );
  await t.rejects(target.query(`INSERT INTO parts VALUES (1, now())`, pair.to), { code: 'PF002' });
  await target.query('INSERT INTO orders VALUES (1)', pair.to);
  t.match(await removeMirror(pair.config, { ...pair.mirror, ...second }), { released: ['public.parts'], left: '' });
  t.same(await catalogOf(source, pair.from), here);
  t.same(await catalogOf(target, pair.to), there, 'the role stays for the other database');
  t.match(await removeMirror(...sides(pair)), { released: [], left: '' }, 'a second time');
});

t.test('the role goes with the last copy on the server', async (t) => {
  const own = await startPostgres();
  const pair = await makePair(source, own, SCHEMA, TABLES);
  const before = await catalogOf(own, pair.to);
  await pair.install();
  t.equal(
    (await own.query(`SELECT FROM pg_roles WHERE rolname = 'pgfig_relay' AND NOT rolcanlogin AND rolbypassrls`))
      .rowCount,
    1,
  );
  await removeMirror(...sides(pair));
  t.same(await catalogOf(own, pair.to), before);
});

t.test('the matrix keeps its part of the schema', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  const client = await pair.connect('source');
  await ensureMatrixSchema(client);
  const before = await catalogOf(source, pair.from);
  await pair.install();
  await removeMirror(...sides(pair));
  t.same(await catalogOf(source, pair.from), before);
  t.same((await source.query('SELECT part FROM pgfig.schema_version', pair.from)).rows, [{ part: 'matrix' }]);
});

t.test('a copy that stayed behind when the source was released is not taken for one in step', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  await pair.install();
  await target.query(`UPDATE pgfig.relay_tables SET state = 'in-step'`, pair.to);
  await target.query(`ALTER DATABASE ${pair.to} ALLOW_CONNECTIONS false`);
  t.match(await removeMirror(...sides(pair)), { released: TABLES, left: /not wholly removed from orders_db/ });
  await target.query(`ALTER DATABASE ${pair.to} ALLOW_CONNECTIONS true`);
  await source.query('INSERT INTO orders VALUES (1)', pair.from);
  t.match(await pair.install(), { mirror: 1 }, 'the same number again');
  const { rows } = await target.query('SELECT DISTINCT state, reason FROM pgfig.relay_tables', pair.to);
  t.match(rows, [{ state: 'stalled', reason: /not captured until now.*pgfig backfill orders/ }]);
});

t.test('what is captured again is left by a removal that comes late, and that is said', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  await pair.install();
  const { domain, source: from, target: to } = pair.mirror;
  const left = await removeLeft(pair.config, { domain, source: from, target: to });
  t.equal(left, 'domain orders is captured again, and the copy in orders_db is in use');
  t.match(await pair.install(), { changed: [] }, 'all of it is there');
});

t.test('a target that is gone does not keep the source recording', async (t) => {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  const before = await catalogOf(source, pair.from);
  await pair.install();
  await target.query(`DROP DATABASE ${pair.to} WITH (FORCE)`);
  t.match(await removeMirror(...sides(pair)), { released: TABLES, left: /does not exist[\s\S]*pgfig mirror remove/ });
  t.same(await catalogOf(source, pair.from), before);
});

t.test('what a removal has left in a target that did not answer is told, and a later one finishes it', async (t) => {
  const own = await startPostgres();
  const pair = await makePair(source, own, SCHEMA, TABLES);
  const before = await catalogOf(own, pair.to);
  await pair.install();
  await writeFile(
    path.join(path.dirname(pair.config.file), 'routing-rules', 'orders.yaml'),
    stringify({ domain: 'orders', database: 'orders_db', tables: TABLES, phase: 'monolith' }),
  );
  const args = ['mirror', 'remove', 'orders', '--config', pair.config.file];
  await own.stop();
  const first = await pgfig(args);
  t.equal(first.code, 1);
  t.match(first.stdout, /domain orders: 2 tables released\nnot wholly removed from orders_db: .*ECONNREFUSED/);
  t.match(first.stdout, /In orders_db there may still be guards[\s\S]*pgfig mirror remove orders/);
  await own.restart();
  await t.rejects(own.query('INSERT INTO orders VALUES (1)', pair.to), { code: 'PF002' }, 'guarded still');

  const holder = await pair.connect('target');
  await holder.query('BEGIN; LOCK TABLE orders');
  const second = await pgfig([...args, '--patience', '1ms']);
  t.equal(second.code, 1);
  t.match(second.stdout, /0 tables released\nnot wholly removed from orders_db: .*public\.orders/);
  await holder.query('ROLLBACK');

  t.match(await pgfig(args), { code: 0, stdout: 'domain orders: 0 tables released\n' });
  t.same(await catalogOf(own, pair.to), before);
  await own.query('INSERT INTO orders VALUES (1)', pair.to);
});

async function oid(pair: Pair, table: string): Promise<string> {
  const { rows } = await pair.source.query<{ oid: string }>(`SELECT '${table}'::regclass::oid::text AS oid`, pair.from);
  return rows[0]?.oid ?? '';
}
