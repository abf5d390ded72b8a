import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import t from 'tap';
import { relaySession } from '../../src/mirror/capture/relay-role.js';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';

const SCHEMA = `
CREATE TABLE orders (id int PRIMARY KEY, note text, parent int REFERENCES orders ON DELETE CASCADE);
CREATE TABLE parts (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
CREATE TABLE parts_2a PARTITION OF parts_2 FOR VALUES FROM (10) TO (15);
`;
const TABLES = ['public.orders', 'public.parts'];

const setUps = [];
for (const version of [15, 18] as const) {
  const server = await startPostgres({ version });
  const pair = await makePair(server, server, SCHEMA, TABLES);
  await server.query(
    `INSERT INTO orders VALUES (1, 'x', NULL), (2, 'x', 1); INSERT INTO parts VALUES (1), (11)`,
    pair.to,
  );
  await pair.install();
  setUps.push({ version, pair });
}

for (const { version, pair } of setUps) {
  t.test(`PostgreSQL ${version}: every form of write is refused, but the relay's`, async (t) => {
    const client = await pair.connect('target');
    const WRITES = [
      'INSERT INTO orders VALUES (3)',
      'INSERT INTO orders VALUES (1) ON CONFLICT DO NOTHING',
      `UPDATE orders SET note = 'y'`,
      'DELETE FROM orders WHERE id = 1',
      'MERGE INTO orders o USING (VALUES (1)) n (id) ON o.id = n.id WHEN MATCHED THEN DELETE',
      'WITH gone AS (DELETE FROM orders RETURNING 1) SELECT * FROM gone',
      'INSERT INTO parts VALUES (2)',
      'INSERT INTO parts_1 VALUES (2)',
      'INSERT INTO parts_2a VALUES (12)',
      'UPDATE parts_2 SET id = 13',
      'DELETE FROM parts_1',
      'TRUNCATE orders',
      'TRUNCATE parts',
      'TRUNCATE parts_1',
      'TRUNCATE parts_2a',
      'SET LOCAL session_replication_role = replica; DELETE FROM orders',
      'SET LOCAL session_replication_role = replica; INSERT INTO parts_2a VALUES (12)',
      'SET LOCAL session_replication_role = replica; TRUNCATE parts_2a',
      `DO 'BEGIN DELETE FROM parts_1; END'`,
    ];
    const refused = {
      code: 'PF002',
      message:
        /^table public\.\w+ is a copy here, kept by pgfig: domain orders is in phase dual-write, and is written in database monolith$/,
    };
    for (const sql of WRITES) {
      await client.query('BEGIN');
      await t.rejects(client.query(sql), { ...refused, hint: /guard: off/ }, sql);
      await client.query('ROLLBACK');
    }
    const copy = () => pipeline(Readable.from(['5\n']), client.query(copyFrom('COPY orders (id) FROM STDIN')));
    await t.rejects(copy(), refused, 'COPY');
    await client.query('SELECT * FROM orders, parts FOR UPDATE');
    await client.query('DELETE FROM orders WHERE id = 99');
    const relay = await openMirrorClient(pair.config, 'orders_db', 'relay');
    t.teardown(() => relay.end());
    t.same(await relaySession(relay), { replica: true });
    t.same(
      (await relay.query(`SELECT current_user::text AS u, current_setting('session_replication_role') AS r`)).rows,
      [{ u: 'pgfig_relay', r: 'replica' }],
    );
    await relay.query(
      `INSERT INTO public.orders VALUES (7); UPDATE public.parts SET note = 'z'; TRUNCATE public.parts_2a; TRUNCATE public.parts; CREATE TEMP TABLE keys (key text)`,
    );
    await relay.query('DELETE FROM public.orders WHERE id = 1');
    t.same(
      (await client.query('SELECT id FROM orders ORDER BY 1')).rows,
      [{ id: 2 }, { id: 7 }],
      'no cascade fires for the relay',
    );
  });

  t.test(`PostgreSQL ${version}: the phase changes without a moment without a guard`, async (t) => {
    const stop = { done: false };
    let tries = 0;
    const client = await pair.connect('target');
    const writer = (async () => {
      while (!stop.done) {
        await t.rejects(client.query('INSERT INTO parts_1 VALUES (3)'), { code: 'PF002' });
        tries += 1;
      }
    })();
    for (const phase of ['shadow-read', 'read-new', 'dual-write', 'shadow-read'] as const) {
      t.match(await pair.install({ mirror: { phase } }), { changed: TABLES });
    }
    stop.done = true;
    await writer;
    t.ok(tries > 0);
    await t.rejects(client.query('TRUNCATE parts_1'), { message: /in phase shadow-read/ });
  });

  t.test(
    `PostgreSQL ${version}: a guard that was disabled or dropped comes back; guard: off takes it away`,
    async (t) => {
      const client = await pair.connect('target');
      await client.query(
        'ALTER TABLE parts_1 DISABLE TRIGGER pgfig_guard; DROP TRIGGER pgfig_guard_truncate ON orders',
      );
      t.match(await pair.install({ mirror: { phase: 'shadow-read' } }), { changed: ['public.orders', 'public.parts'] });
      await t.rejects(client.query('INSERT INTO parts_1 VALUES (3)'), { code: 'PF002' });
      await t.rejects(client.query('TRUNCATE orders'), { code: 'PF002' });
      await pair.install({ mirror: { rule: { ...pair.mirror.rule, guard: 'off' } } });
      await client.query('INSERT INTO parts_1 VALUES (3); TRUNCATE orders');
    },
  );

  t.test(`PostgreSQL ${version}: a turn is taken by its owner, from where it believes to be`, async (t) => {
    const [owner, other] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
    const client = await openMirrorClient(pair.config, 'orders_db', 'relay');
    t.teardown(() => client.end());
    await relaySession(client);
    const { rows } = await client.query(
      'UPDATE pgfig.relay SET owner = $1 RETURNING position::text AS before, turns::int',
      [owner],
    );
    const take = (who: string, before: string) =>
      client.query(`SELECT pgfig.take_turn('orders', $1, $2, '900:900:', '0/1', now(), false)`, [who, before]);
    await t.rejects(take(other, rows[0].before), { code: 'PF001', message: /domain orders/ });
    await t.rejects(take(owner, '1:1:'), { code: 'PF001' });
    await take(owner, rows[0].before);
    const after = await client.query('SELECT position::text, turns::int, whole FROM pgfig.relay');
    t.same(after.rows, [{ position: '900:900:', turns: rows[0].turns + 1, whole: false }]);
    await t.rejects(client.query('DELETE FROM pgfig.relay'), { code: '42501' });
  });
}
