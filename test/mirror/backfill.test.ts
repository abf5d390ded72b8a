import t from 'tap';
import type { BackfillOptions } from '../../src/mirror/relay/backfill-lane.js';
import { startPostgres } from '../support/postgres.js';
import { makePair, type Pair } from './capture-support.js';
import { bothOf, startRelay, type TestRelay } from './relay-support.js';

const SCHEMA = `
  CREATE TABLE a (id int PRIMARY KEY, v text, u int UNIQUE);
  CREATE TABLE b (x int, y text, v text, PRIMARY KEY (x, y));`;
const FILL = `
  INSERT INTO a SELECT i, 'v' || i, -i FROM generate_series(1, 20000) i;
  INSERT INTO b SELECT i % 7, 'ä' || i, 'v' FROM generate_series(1, 5000) i;`;

const options = (mode: BackfillOptions['mode'], rows = 1_000): BackfillOptions => ({
  mode,
  pace: async () => rows,
  onProgress: () => {},
  signal: new AbortController().signal,
});

async function settled(pair: Pair, { caughtUp }: TestRelay): Promise<Record<string, boolean>> {
  await caughtUp();
  const equal: Record<string, boolean> = {};
  for (const table of ['a', 'b']) {
    const { source, target } = await bothOf(pair, table);
    equal[table] = source.length > 0 && JSON.stringify(source) === JSON.stringify(target);
  }
  return equal;
}

t.test('tables are copied while they are written', async (t) => {
  const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b']);
  await source.query(FILL, pair.from);
  await pair.install();
  const running = await startRelay(pair);
  const { relay, until, told } = running;
  await until(() => relay.leader !== null, 'the relay leads');
  let writing = true;
  let at = 0;
  const writer = (async () => {
    while (writing) {
      at += 1;
      await source.query(
        `UPDATE a SET v = v || '${at}' WHERE id % 997 = ${at % 997};
         UPDATE a SET u = u - 100000 * (1 + ${at}) WHERE id = ${(at * 131) % 20000};
         DELETE FROM a WHERE id = ${at * 2}; INSERT INTO a VALUES (${20_000 + at}, 'new', ${at});
         UPDATE b SET y = y || 'x' WHERE x = ${at % 7} AND y LIKE '%${at % 100}7'`,
        pair.from,
      );
    }
  })();
  await Promise.all(['public.a', 'public.b'].map((table) => relay.backfill(table, options('fresh'))));
  writing = false;
  await writer;
  t.ok(at > 5, `${at} rounds of writing`);
  t.same(await settled(pair, running), { a: true, b: true });
  t.same(told.errors, []);
  t.same(told.stalled, []);

  await t.test('and again, with rows that differ, while the copy stays readable', async (t) => {
    await source.query(
      'ALTER TABLE a DISABLE TRIGGER USER; UPDATE a SET u = u + 50000000 WHERE id < 5000; UPDATE a SET u = -4001 WHERE id = 19001; DELETE FROM a WHERE id % 3 = 0; ALTER TABLE a ENABLE ALWAYS TRIGGER pgfig_capture',
      pair.from,
    );
    await until(() => told.stalled.length > 0, 'the table is stalled');
    t.match(told.stalled[0], /capture triggers were changed/);
    const { source: was, target: is } = await bothOf(pair, 'a');
    t.not(was.length, is.length);
    await pair.install();
    await relay.backfill('public.a', options('replace', 700));
    t.same(await settled(pair, running), { a: true, b: true });
  });
  t.comment(JSON.stringify(told));
});

t.test('what stands in the way by a NULL that no other row may have goes as well', async (t) => {
  const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  const schema = `CREATE TABLE a (id int PRIMARY KEY, v text, UNIQUE NULLS NOT DISTINCT (v));
    CREATE TABLE b (id int PRIMARY KEY, x int, y text, z int, UNIQUE NULLS NOT DISTINCT (x, y, z))`;
  const pair = await makePair(source, target, schema, ['public.a', 'public.b']);
  const swapped = (a: number, b: number): string =>
    `INSERT INTO a VALUES (${a}, NULL), (${b}, 'v');
     INSERT INTO b VALUES (${a}, NULL, NULL, NULL), (${b}, 1, NULL, 2), (30, 1, 'y', NULL), (${40 + a}, NULL, 'y', 2)`;
  await source.query(swapped(1, 20), pair.from);
  await target.query(swapped(20, 1), pair.to);
  await pair.install();
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  for (const table of ['public.a', 'public.b']) await running.relay.backfill(table, options('replace'));
  t.same(await settled(pair, running), { a: true, b: true });
  t.same(running.told.stalled, []);
});
