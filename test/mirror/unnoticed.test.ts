import t from 'tap';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { parseSnapshot } from '../../src/mirror/position/snapshot.js';
import { SourceSide } from '../../src/mirror/relay/source-side.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { makePair } from './capture-support.js';
import { bothOf, inStep, startRelay } from './relay-support.js';

/** What would leave the copy different from the source without anybody being told. */
const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);

t.test('a statement of a job that fails within a turn takes no change with it', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY, v int)', ['public.a']);
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  for (let i = 0; i < 5; i++) {
    await source.query(`INSERT INTO a VALUES (${i}, ${i})`, pair.from);
    // The relay before may still be ending.
    await running.until(async () => {
      const failing = running.relay.whole(async (turn) => {
        await turn.target.query('SELECT 1/0').catch(() => {});
      });
      const code = await failing.catch((error: { code?: string }) => error.code);
      return code === 'RELAY_ROLLED_BACK';
    }, 'the turn was refused');
  }
  await running.caughtUp();
  const both = await bothOf(pair, 'a');
  t.strictSame(both.target, both.source);
  t.equal(both.source.length, 5);
});

t.test('a target that has gone back in time is not gone on with', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY, v int)', ['public.a']);
  await pair.install();
  await inStep(pair);
  const first = await startRelay(pair);
  await first.until(() => first.relay.leader !== null, 'the relay leads');
  await source.query('INSERT INTO a VALUES (1, 1)', pair.from);
  await first.caughtUp();
  const before = await target.query('SELECT position::text FROM pgfig.relay', pair.to);
  await source.query('UPDATE a SET v = 2', pair.from);
  await first.caughtUp();
  const waiting = async (): Promise<number> =>
    (await source.query('SELECT 1 FROM pgfig.outbox', pair.from)).rows.length;
  await first.until(async () => (await waiting()) === 0, 'garbage is gone');
  await first.relay.close();
  // As a backup would have it.
  await target.query(`UPDATE pgfig.relay SET position = '${before.rows[0]?.position}'`, pair.to);
  const second = await startRelay(pair);
  await second.until(() => second.told.stalled.length > 0, 'the table is stalled');
  t.match(second.told.stalled[0], /public\.a: the target has lost changes/);
  // It looks before it leads.
  await second.until(() => second.relay.leader !== null, 'the relay leads');
  t.equal(await second.relay.turnAfterNow(), 'stalled');
});

t.test('keys are compared by the collation of their column, not of the database', async (t) => {
  const pair = await makePair(
    source,
    target,
    `CREATE TABLE a (k text COLLATE "en-US-x-icu" PRIMARY KEY, v int);
     INSERT INTO a SELECT w || i, 0 FROM unnest('{apple,Banana,cherry,Zebra,zoo}'::text[]) w, generate_series(1, 300) i`,
    ['public.a'],
  );
  await target.query('TRUNCATE a', pair.to);
  await pair.install();
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  let chunks = 0;
  await running.relay.backfill('public.a', {
    mode: 'fresh',
    pace: async () => {
      chunks += 1;
      await source.query(`UPDATE a SET v = ${chunks}`, pair.from);
      return 250;
    },
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  await running.caughtUp();
  const both = await bothOf(pair, 'a');
  t.strictSame(both.target, both.source);
  t.ok(chunks > 4, `${chunks} chunks`);
  t.same(running.told.errors, []);
});

t.test('a capture trigger that was off for a while, and columns that changed places, stall their table', async (t) => {
  const columns = 'id int PRIMARY KEY, v text, w text';
  const pair = await makePair(source, target, `CREATE TABLE a (${columns}); CREATE TABLE b (${columns})`, [
    'public.a',
    'public.b',
  ]);
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  await source.query("INSERT INTO a VALUES (1, 'v', 'w'); INSERT INTO b VALUES (1, 'v', 'w')", pair.from);
  await running.caughtUp();
  await source.query('ALTER TABLE a ALTER v SET STATISTICS 50', pair.from);
  await running.caughtUp();
  t.same(running.told.stalled, [], 'statistics are nothing to it');
  await source.query(
    `BEGIN; ALTER TABLE a DISABLE TRIGGER pgfig_capture; UPDATE a SET v = 'x';
     ALTER TABLE a ENABLE ALWAYS TRIGGER pgfig_capture; COMMIT;
     BEGIN; ALTER TABLE b RENAME v TO x; ALTER TABLE b RENAME w TO v; ALTER TABLE b RENAME x TO w; COMMIT`,
    pair.from,
  );
  await running.until(() => running.told.stalled.length === 2, 'both are stalled');
  t.match(running.told.stalled.toSorted(), [/public\.a: its capture triggers/, /public\.b: column . is another one/]);
});

t.test('a copy that was made unlogged is not taken for what it was after a crash', async (t) => {
  const copy = await startPostgres();
  const schema = `CREATE TABLE a (id int PRIMARY KEY, v int);
    CREATE TABLE b (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (9);
    CREATE TABLE c (id int PRIMARY KEY);`;
  const pair = await makePair(source, copy, schema, ['public.a', 'public.b', 'public.c']);
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  await copy.query('ALTER TABLE a SET UNLOGGED; ALTER TABLE b1 SET UNLOGGED', pair.to);
  await source.query('INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1); INSERT INTO c VALUES (1)', pair.from);
  await running.caughtUp();
  await copy.kill();
  await copy.restart();
  t.same((await bothOf(pair, 'a')).target, [], 'it is empty');
  await running.until(() => running.told.stalled.length === 2, 'both are stalled');
  t.match(running.told.stalled.toSorted(), [/public\.a: it is unlogged in the target/, /public\.b: it is unlogged/]);
});

t.test('rows of a table that inherits are not recorded: it stalls the one that it inherits from', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY, v int)', ['public.a']);
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  await running.caughtUp();
  await source.query('CREATE TABLE heir () INHERITS (a); INSERT INTO heir VALUES (1, 1)', pair.from);
  await running.until(() => running.told.stalled.length > 0, 'it is stalled');
  t.same(running.told.stalled, ['public.a: tables have come or gone that inherit from it: public.heir is new']);
  const again = running.relay.backfill('public.a', {
    mode: 'replace',
    pace: async () => 100,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  await t.rejects(again, { code: 'BACKFILL_REFUSED', message: /public\.heir inherit/ });
});

t.test('a backlog is cut by numbers, not by texts', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY)', ['public.a']);
  const { mirror } = await pair.install();
  const side = new SourceSide(await openMirrorClient(pair.config, 'monolith', 'test'));
  await onTeardown(() => side.client.end());
  const [row] = await side.rows("SELECT 'public.a'::regclass::oid::text");
  const oid = Number(row?.[0]);
  const xids = [98, 99, 100, 101, 998, 999, 1000, 1001, 9999, 10000];
  await source.query(
    `INSERT INTO pgfig.outbox (xid, mirror, tbl, op, key)
     SELECT x::text::xid8, ${mirror}, ${oid}, 'I', x FROM unnest('{${xids.join(',')}}'::int[]) x`,
    pair.from,
  );
  const position = parseSnapshot('98:102:98,99');
  // Of the ids below 102 only those that were under way are not applied.
  const waiting = [98, 99, 998, 999, 1000, 1001, 9999, 10000];
  for (let most = 1; most < waiting.length; most++) {
    t.equal(await side.cut([{ oid, position }], most), BigInt(waiting[most] ?? 0), `${most} at most`);
  }
  t.equal(await side.cut([{ oid, position }], waiting.length), null);
});
