import type pg from 'pg';
import t, { type Test } from 'tap';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { flushed } from '../../src/mirror/position/wal-flush.js';
import { Candidate } from '../../src/mirror/relay/lease.js';
import { SourceSide } from '../../src/mirror/relay/source-side.js';
import { readTables } from '../../src/mirror/relay/target-store.js';
import { takeTurn } from '../../src/mirror/relay/turn.js';
import { readShapes } from '../../src/mirror/shape/read-shapes.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { makePair, type Pair } from './capture-support.js';
import { bothOf, inStep, rowsOf, startRelay, type TestRelay } from './relay-support.js';

/** Commits are asynchronous where a session says so, and then stay in memory for long. */
const SETTINGS = { wal_writer_delay: '10s', max_prepared_transactions: '10' };
const [source, target] = await Promise.all([startPostgres({ version: 15, settings: SETTINGS }), startPostgres()]);

/** A mirrored pair whose tables are empty, and its relay. */
async function mirrored(schema: string, ...tables: string[]): Promise<{ pair: Pair; running: TestRelay }> {
  const pair = await makePair(
    source,
    target,
    schema,
    tables.map((table) => `public.${table}`),
  );
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  return { pair, running };
}

async function equal(t: Test, pair: Pair, table: string, rows?: number): Promise<void> {
  const both = await bothOf(pair, table);
  t.strictSame(both.target, both.source, `${table}: both copies`);
  if (rows !== undefined) t.equal(both.source.length, rows, `${table} has ${rows} rows`);
}

t.test(
  'low transaction ids that commit late, subtransactions and prepared transactions are each seen once',
  async (t) => {
    const { pair, running } = await mirrored('CREATE TABLE a (id int PRIMARY KEY, v int)', 'a');
    const early = await pair.connect('source');
    const later = await pair.connect('source');
    await early.query('BEGIN; INSERT INTO a VALUES (1, 1); SAVEPOINT s; INSERT INTO a VALUES (2, 2)');
    await later.query(
      "BEGIN; INSERT INTO a VALUES (3, 3); SAVEPOINT s; UPDATE a SET v = 4; ROLLBACK TO s; PREPARE TRANSACTION 'p'",
    );
    for (let i = 10; i < 13; i++) {
      await source.query(`INSERT INTO a VALUES (${i}, ${i})`, pair.from);
      await running.caughtUp();
    }
    await equal(t, pair, 'a', 3);
    await early.query('COMMIT');
    await running.caughtUp();
    await equal(t, pair, 'a', 5);
    await later.query("COMMIT PREPARED 'p'");
    await running.caughtUp();
    await equal(t, pair, 'a', 6);
    t.equal(running.told.changes, 6, 'each change once');
  },
);

t.test('the last version of a row wins, whatever order its events have', async (t) => {
  const { pair, running } = await mirrored(
    `CREATE TABLE a (id int PRIMARY KEY, v text);
     CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN IF NEW.v NOT LIKE '%!' THEN UPDATE a SET v = NEW.v || '!' WHERE id = NEW.id; END IF; RETURN NULL; END $$;
     CREATE TRIGGER a_first AFTER INSERT OR UPDATE ON a FOR EACH ROW EXECUTE FUNCTION again();
     CREATE TRIGGER z_last AFTER INSERT OR UPDATE ON a FOR EACH ROW EXECUTE FUNCTION again();`,
    'a',
  );
  await source.query("INSERT INTO a VALUES (1, 'x'); UPDATE a SET v = 'y'", pair.from);
  await running.caughtUp();
  t.strictSame((await bothOf(pair, 'a')).target, ['(1,y!)'], 'and the triggers of the target have not fired');
});

t.test('a commit that is seen and not yet durable is made durable before it is applied', async (t) => {
  const [crashing, other] = await Promise.all([
    startPostgres({ version: 15, settings: { ...SETTINGS, fsync: 'on' } }),
    startPostgres(),
  ]);
  const pair = await makePair(crashing, other, 'CREATE TABLE a (id int PRIMARY KEY)', ['public.a']);
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  const writer = await pair.connect('source');
  await writer.query('SET synchronous_commit = off; INSERT INTO a VALUES (1)');
  await running.until(async () => (await rowsOf(other, pair.to, 'a')).length === 1, 'the row is in the copy');
  await crashing.kill();
  await crashing.restart();
  t.strictSame(await rowsOf(crashing, pair.from, 'a'), ['(1)'], 'the source has it too');
  await crashing.query('INSERT INTO a VALUES (2)', pair.from);
  await running.until(async () => (await rowsOf(other, pair.to, 'a')).length === 2, 'the relay goes on');
});

t.test('what is not on the disk is brought there, not waited for', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY)', ['public.a']);
  const client = await pair.connect('source');
  const writer = await pair.connect('source');
  await writer.query('SET synchronous_commit = off');
  let asked = 0;
  const query = client.query.bind(client) as (sql: string) => Promise<pg.QueryResult>;
  const counting = {
    query: (sql: string) => {
      asked++;
      return query(sql);
    },
  } as unknown as pg.Client;
  for (let i = 1; i <= 20; i++) {
    await writer.query(`INSERT INTO a VALUES (${i})`);
    const { rows } = await writer.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    await flushed(counting, rows[0]?.lsn ?? '');
  }
  t.equal(asked, 40, 'each time it is asked once, then written and asked again');
});

t.test('unique values that change hands do not conflict, in whatever order they come', async (t) => {
  const { pair, running } = await mirrored('CREATE TABLE a (id int PRIMARY KEY, u int UNIQUE)', 'a');
  await source.query('INSERT INTO a SELECT i, i FROM generate_series(1, 10) i', pair.from);
  await running.caughtUp();
  await source.query(
    `UPDATE a SET u = NULL WHERE id = 1; UPDATE a SET u = 1 WHERE id = 2; UPDATE a SET u = 2 WHERE id = 1;
     UPDATE a SET id = 100 WHERE id = 3; UPDATE a SET id = 3 WHERE id = 4; INSERT INTO a VALUES (4, 99)`,
    pair.from,
  );
  await running.caughtUp();
  await equal(t, pair, 'a', 11);
  t.same(running.told.errors, []);
});

t.test('keys are one key where their type says so', async (t) => {
  const { pair, running } = await mirrored(
    `CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
     CREATE TABLE n (k numeric PRIMARY KEY, v int); CREATE TABLE c (k public.citext PRIMARY KEY, v int);
     CREATE TABLE f (k float8, d date, PRIMARY KEY (k, d));
     CREATE TABLE b (k char(5) PRIMARY KEY, v int);`,
    ...['n', 'c', 'f', 'b'],
  );
  await source.query(
    `INSERT INTO n VALUES (1.0, 1), ('NaN', 2); INSERT INTO c VALUES ('Ab', 1); INSERT INTO b VALUES ('x', 1);
     INSERT INTO f VALUES ('NaN', 'infinity'), ('-0', '0044-03-15 BC'), (0.1 + 0.2::float8, '2024-02-29')`,
    pair.from,
  );
  await running.caughtUp();
  const writer = await pair.connect('source');
  await writer.query(
    `SET DateStyle = 'SQL, DMY'; SET extra_float_digits = -10;
     UPDATE n SET k = 1.00, v = 3 WHERE k = 1; UPDATE c SET k = 'aB' WHERE k = 'ab'; UPDATE b SET k = 'x ' WHERE k = 'x';
     UPDATE f SET d = '31-12-2023' WHERE k = 0.1 + 0.2::float8; DELETE FROM f WHERE d = 'infinity'`,
  );
  await running.caughtUp();
  for (const [table, rows] of [
    ['n', 2],
    ['c', 1],
    ['f', 2],
    ['b', 1],
  ] as const)
    await equal(t, pair, table, rows);
});

t.test('TRUNCATE of a table, of a partitioned one and of one of its leaves', async (t) => {
  const { pair, running } = await mirrored(
    `CREATE TABLE a (id int PRIMARY KEY);
     CREATE TABLE p (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
     CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
     CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
     CREATE TABLE p3 PARTITION OF p DEFAULT;
     CREATE TABLE h (id int PRIMARY KEY, v int) PARTITION BY HASH (id);
     CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
     CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);`,
    ...['a', 'p', 'h'],
  );
  const fill = `INSERT INTO a SELECT generate_series(1, 5); INSERT INTO h SELECT i, i FROM generate_series(1, 20) i;
    INSERT INTO p SELECT i, date '2024-01-01' + i * 100 FROM generate_series(1, 12) i;`;
  await source.query(fill, pair.from);
  await running.caughtUp();
  await source.query(
    "TRUNCATE a, p2, h1; INSERT INTO a VALUES (7); INSERT INTO p VALUES (99, '2025-05-05')",
    pair.from,
  );
  await running.caughtUp();
  for (const table of ['a', 'p', 'h']) await equal(t, pair, table);
  t.strictSame((await bothOf(pair, 'a')).target, ['(7)']);
  await source.query(
    "UPDATE p SET at = '2025-06-06' WHERE id = 1; TRUNCATE p1; TRUNCATE h; INSERT INTO h VALUES (1, 1)",
    pair.from,
  );
  await running.caughtUp();
  for (const table of ['p', 'h']) await equal(t, pair, table);
  await source.query('TRUNCATE p CASCADE', pair.from);
  await running.caughtUp();
  await equal(t, pair, 'p', 0);
  t.same([running.told.errors, running.told.stalled], [[], []]);
});

t.test('rows of 10 MB, and many small ones, in one transaction', async (t) => {
  const { pair, running } = await mirrored('CREATE TABLE a (id int PRIMARY KEY, v text, b bytea)', 'a');
  await source.query(
    `INSERT INTO a SELECT i, string_agg(md5(j::text || i), ''), decode(md5(i::text), 'hex')
       FROM generate_series(1, 3) i, generate_series(1, 330000) j GROUP BY i;
     INSERT INTO a SELECT i, 'v', NULL FROM generate_series(100, 150) i`,
    pair.from,
  );
  await running.caughtUp();
  await source.query('UPDATE a SET v = v || id', pair.from);
  await running.caughtUp();
  const sums =
    "SELECT count(*)::int AS n, sum(length(v))::int8::text AS l, md5(string_agg(md5(v), ',' ORDER BY id)) AS h FROM a";
  t.strictSame((await target.query(sums, pair.to)).rows, (await source.query(sums, pair.from)).rows);
});

t.test('the lock is taken before the snapshot: a rewrite in between does not show an empty table', async (t) => {
  const pair = await makePair(
    source,
    target,
    'CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 1)',
    ['public.a'],
  );
  await pair.install();
  const side = new SourceSide(await openMirrorClient(pair.config, 'monolith', 'test', { lock: 0 }));
  await onTeardown(() => side.client.end());
  const shape = (await readShapes(side.client, ['public.a'])).get('public.a');
  if (shape === undefined) throw new Error('no shape');
  const ddl = await pair.connect('source');
  await ddl.query('BEGIN; ALTER TABLE a ALTER v TYPE bigint');
  const begun = side.begin([shape], [], 1);
  await until(async () => {
    const { rows } = await source.query(
      "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'",
      pair.from,
    );
    return rows.length > 0;
  });
  await ddl.query('COMMIT');
  await begun;
  t.strictSame(await side.rows('SELECT v FROM public.a'), [['1']]);
});

t.test('a relay that was asleep while another took over applies nothing any more', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY, v int)', ['public.a']);
  await pair.install();
  await inStep(pair);
  const sleeper = await new Candidate(pair.config, pair.mirror).elect();
  if (sleeper.type !== 'leads') throw new Error(sleeper.type);
  t.equal((await new Candidate(pair.config, pair.mirror).elect()).type, 'follows', 'one at a time');
  const shapes = await readShapes(sleeper.lead.source.client, ['public.a']);
  const tables = (await readTables(sleeper.lead.target, 'orders')).map((table) => ({
    ...table,
    shape: shapes.get(table.name) ?? null,
  }));
  await source.query('INSERT INTO a VALUES (1, 1)', pair.from);
  // It has lost its source, and its lock with it, and does not know it yet.
  sleeper.lead.source.client.on('error', () => {});
  await source.query(
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted",
    pair.from,
  );
  const awake = await startRelay(pair);
  await awake.until(() => awake.relay.leader !== null, 'another leads');
  await awake.caughtUp();
  await source.query('UPDATE a SET v = 2', pair.from);
  const late = new SourceSide(await openMirrorClient(pair.config, 'monolith', 'late'));
  await onTeardown(() => Promise.all([late.client.end(), sleeper.lead.target.end()]).then(() => {}));
  const wish = { domain: 'orders', owner: sleeper.lead.owner, most: null, advance: true, work: null };
  for (const streaming of [false, true]) {
    const turn = takeTurn({ source: late, target: sleeper.lead.target }, sleeper.lead.row, tables, {
      ...wish,
      streaming,
    });
    await t.rejects(turn, { code: 'PF001' });
    await sleeper.lead.target.query('ROLLBACK');
    await late.client.query('ROLLBACK');
  }
  await awake.caughtUp();
  await equal(t, pair, 'a', 1);
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('not in 20 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
