import t, { type Test } from 'tap';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { parseSnapshot } from '../../src/mirror/position/snapshot.js';
import { eventsSince } from '../../src/mirror/relay/events-sql.js';
import { SourceSide } from '../../src/mirror/relay/source-side.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { makePair, type Pair } from './capture-support.js';
import { bothOf, inStep, startRelay, type TestRelay } from './relay-support.js';

const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
const SCHEMA = 'CREATE TABLE a (id int PRIMARY KEY, v text, u int UNIQUE); CREATE TABLE b (id int PRIMARY KEY, v text)';

async function prepared(): Promise<Pair> {
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b']);
  await pair.install();
  await inStep(pair);
  return pair;
}

async function equal(t: Test, pair: Pair, table: string, rows: number): Promise<void> {
  const sums = `SELECT count(*)::int4 AS n, sum(hashtextextended(t::text, 0))::text AS h FROM ${table} t`;
  const [here, there] = [await source.query(sums, pair.from), await target.query(sums, pair.to)];
  t.equal(here.rows[0]?.n, rows, `${table} has ${rows} rows`);
  t.strictSame(there.rows, here.rows, `${table}: both copies`);
}

const waiting = async (pair: Pair): Promise<number> =>
  Number((await source.query('SELECT count(*) FROM pgfig.outbox', pair.from)).rows[0]?.count);

async function leading(running: TestRelay): Promise<void> {
  await running.until(() => running.relay.leader !== null, 'the relay leads');
}

t.test('what gathers while the target is down is taken in bounded turns', async (t) => {
  const pair = await prepared();
  const cuts: { changes: number; whole: boolean }[] = [];
  const running = await startRelay(pair, { onTurn: (_, { changes, whole }) => cuts.push({ changes, whole }) });
  await leading(running);
  await target.stop();
  for (let i = 0; i < 50; i++)
    await source.query(
      `INSERT INTO a SELECT i, 'v', i FROM generate_series(${i * 1000 + 1}, ${i * 1000 + 1000}) i`,
      pair.from,
    );
  await source.query("INSERT INTO b SELECT i, 'one' FROM generate_series(1, 100000) i", pair.from);
  for (let i = 0; i < 50; i++)
    await source.query(
      `UPDATE a SET v = v || ${i}, u = -u WHERE id BETWEEN ${i * 1000 + 1} AND ${i * 1000 + 1000}`,
      pair.from,
    );
  t.equal(await waiting(pair), 200_000);
  t.equal(running.relay.leader, null);
  t.equal(running.relay.turnAfterNow(), null, 'nobody waits');
  await target.restart();
  await running.until(async () => (await running.relay.turnAfterNow()) === 'applied', 'drained');
  await equal(t, pair, 'a', 50_000);
  await equal(t, pair, 'b', 100_000);
  t.equal(
    cuts.reduce((sum, { changes }) => sum + changes, 0),
    200_000,
    'each change once',
  );
  t.ok(cuts.length >= 3, `${cuts.length} turns`);
  // A transaction is not cut in two, and every table may bring as many.
  t.ok(
    cuts.every(({ changes }) => changes <= 100_000 + 2 * 30_000),
    JSON.stringify(cuts),
  );
  t.same([cuts[0]?.whole, cuts.at(-1)?.whole], [false, true]);
  await running.until(async () => (await waiting(pair)) === 0, 'garbage goes');
});

t.test('rows of a part that conflict with rows that the rest changes: all is taken at once', async (t) => {
  const pair = await prepared();
  await source.query("INSERT INTO a VALUES (1, 'a', 1), (2, 'a', 2)", pair.from);
  const first = await startRelay(pair);
  await first.caughtUp();
  await first.relay.close();
  await source.query("UPDATE a SET v = 'first' WHERE id = 1", pair.from);
  await source.query("INSERT INTO b SELECT i, 'many' FROM generate_series(1, 30001) i", pair.from);
  // Beyond the cut, and row 1 is read as it is now: with the value that the copy still has in row 2.
  await source.query('UPDATE a SET u = 10 WHERE id = 2; UPDATE a SET u = 2 WHERE id = 1', pair.from);
  await source.query("INSERT INTO b SELECT i, 'many' FROM generate_series(50001, 80001) i", pair.from);
  const wholes: boolean[] = [];
  const running = await startRelay(pair, { onTurn: (_, { whole }) => wholes.push(whole) });
  await running.until(async () => (await running.relay.turnAfterNow()) === 'applied', 'drained');
  await equal(t, pair, 'a', 2);
  await equal(t, pair, 'b', 60_002);
  t.same(wholes, [true], 'one turn');
  t.same(running.told.stalled, []);
  t.match(running.told.errors, [/duplicate key value violates unique constraint "a_u_key"/], 'a part was tried');
});

interface Plan {
  readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

/** Pages that a query touches. */
async function pages(side: SourceSide, sql: string): Promise<number> {
  const [row] = await side.rows(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`);
  const [{ Plan: plan }] = JSON.parse(row?.[0] ?? '') as [Plan];
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
}

t.test(
  'a snapshot that is held on the source neither stops the relay nor makes its turns walk what is dead',
  async (t) => {
    const pair = await prepared();
    const holder = await pair.connect('source');
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM a');
    const running = await startRelay(pair);
    await leading(running);
    for (let i = 0; i < 4; i++) {
      await source.query(
        `INSERT INTO b SELECT i, 'v' FROM generate_series(${i * 20_000 + 1}, ${i * 20_000 + 20_000}) i`,
        pair.from,
      );
      await running.caughtUp();
    }
    await running.until(async () => (await waiting(pair)) === 0, 'garbage is deleted for those who look now');
    await equal(t, pair, 'b', 80_000);
    await source.query('VACUUM pgfig.outbox', pair.from);
    const size = async (): Promise<number> =>
      Number((await source.query("SELECT pg_table_size('pgfig.outbox') AS size", pair.from)).rows[0]?.size);
    t.ok((await size()) > 3_000_000, 'and still there for the one who looked before');

    await running.caughtUp();
    const side = new SourceSide(await openMirrorClient(pair.config, 'monolith', 'test'));
    await onTeardown(() => side.client.end());
    await side.prepare();
    await source.query("INSERT INTO b VALUES (-1, 'last')", pair.from);
    const { rows } = await target.query('SELECT position::text FROM pgfig.relay', pair.to);
    const position = parseSnapshot(String(rows[0]?.position));
    const tables = running.relay.leader?.tables ?? [];
    const since = tables.flatMap(({ shape }) => (shape === null ? [] : [{ oid: shape.oid, position }]));
    t.equal(since.length, 2);
    const turn = await pages(side, `SELECT tbl, op, key FROM (${eventsSince(since, null)}) e LIMIT 201`);
    const naive = await pages(side, 'SELECT tbl, op, key FROM pgfig.outbox ORDER BY id LIMIT 201');
    t.ok(turn < 40, `a turn's look touches ${turn} pages`);
    t.ok(naive > 10 * turn, `one in the order of ids ${naive}`);

    await holder.query('COMMIT');
    await running.caughtUp();
    await running.until(async () => (await waiting(pair)) === 0, 'garbage is deleted');
    // The outbox's own setting keeps pages. A sweep that comes at the same moment keeps them, too.
    const vacuumed = async (): Promise<number> => {
      await source.query('VACUUM (TRUNCATE) pgfig.outbox', pair.from);
      return size();
    };
    await running.until(async () => (await vacuumed()) < 100_000, 'the space is free');
  },
);

t.test('garbage keeps what somebody has not seen yet', async (t) => {
  const pair = await prepared();
  const { mirror } = await pair.install();
  const running = await startRelay(pair);
  await leading(running);
  const consumer = (sql: string): Promise<unknown> => source.query(sql, pair.from);
  await consumer(`INSERT INTO pgfig.consumers VALUES (${mirror}, 'kafka', pg_current_snapshot(), now())`);
  await source.query("INSERT INTO a VALUES (1, 'a', 1); INSERT INTO b VALUES (1, 'b')", pair.from);
  await running.caughtUp();
  const { turns } = running.told;
  // Garbage is looked for once a second; what comes after three more turns of the position has outlived it.
  await positionMoves(running, pair);
  t.equal(await waiting(pair), 2, `after ${turns} turns the consumer's are there`);
  await consumer('UPDATE pgfig.consumers SET position = pg_current_snapshot()');
  await running.until(async () => (await waiting(pair)) === 0, 'it has seen them');

  await t.test('and not what a table that was never copied has brought', async (t) => {
    await target.query(
      "UPDATE pgfig.relay_tables SET state = 'new', stamp = NULL, shape = NULL WHERE table_name = 'public.b'",
      pair.to,
    );
    await running.until(() => running.relay.leader?.inStep === false, 'seen');
    await source.query("INSERT INTO b VALUES (2, 'b'); INSERT INTO a VALUES (2, 'a', 2)", pair.from);
    await positionMoves(running, pair);
    await consumer('UPDATE pgfig.consumers SET position = pg_current_snapshot()');
    await running.until(async () => (await waiting(pair)) === 0, 'no use to anybody');
    await running.relay.backfill('public.b', {
      mode: 'replace',
      pace: async () => 100,
      onProgress: () => {},
      signal: new AbortController().signal,
    });
    await running.caughtUp();
    t.strictSame((await bothOf(pair, 'b')).target, ['(1,b)', '(2,b)']);
  });
});

/** The domain's position in the target is later than now, and garbage has been looked for since. */
async function positionMoves(running: TestRelay, pair: Pair): Promise<void> {
  const at = async (): Promise<number> =>
    Number((await target.query('SELECT extract(epoch FROM moment) AS at FROM pgfig.relay', pair.to)).rows[0]?.at);
  for (let i = 0; i < 2; i++) {
    const before = await at();
    await running.until(async () => (await at()) > before, 'the position moves');
  }
}
