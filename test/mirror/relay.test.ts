import t from 'tap';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';
import { bothOf, inStep, startRelay } from './relay-support.js';

const SCHEMA = `
  CREATE TABLE a (id int PRIMARY KEY, v text, n numeric);
  CREATE TABLE b (x int, y text, v text, PRIMARY KEY (x, y));`;

t.test('what is written arrives', async (t) => {
  const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b']);
  await pair.install();
  await inStep(pair);
  const { caughtUp, told } = await startRelay(pair);
  await source.query(
    `INSERT INTO a SELECT i, 'v' || i, i / 3.0 FROM generate_series(1, 50) i;
     INSERT INTO b VALUES (1, 'a,"b\\', 'x'), (1, 'b', NULL), (2, 'c', '')`,
    pair.from,
  );
  await caughtUp();
  await source.query(
    `UPDATE a SET id = id + 100, v = 'it''s \\ \n' WHERE id < 10; DELETE FROM b WHERE y = 'b'`,
    pair.from,
  );
  await caughtUp();
  for (const table of ['a', 'b']) {
    const { source: s, target: g } = await bothOf(pair, table);
    t.same(g, s, table);
    t.ok(s.length > 0);
  }
  // More than the short path takes.
  await source.query(
    `INSERT INTO a SELECT i, repeat('x', 100), i FROM generate_series(1000, 60000) i; TRUNCATE b; INSERT INTO b VALUES (7, '7', '7')`,
    pair.from,
  );
  await caughtUp();
  await source.query(`DELETE FROM a WHERE id % 2 = 0; UPDATE b SET v = '8'`, pair.from);
  await caughtUp();
  for (const table of ['a', 'b']) {
    const { source: s, target: g } = await bothOf(pair, table);
    t.same(g, s, table);
  }
  t.same(told.errors, []);
  t.comment(JSON.stringify(told));
});
