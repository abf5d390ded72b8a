import t from 'tap';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';
import { bothOf, inStep, startRelay } from './relay-support.js';

const SCHEMA = `
  CREATE TABLE a (id int PRIMARY KEY, v text);
  CREATE TABLE b (id int PRIMARY KEY, v text);`;

t.test('a backlog that is cut, and a table that was truncated in it', async (t) => {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b']);
  await pair.install();
  await inStep(pair);
  // The older transaction writes into `a` after the younger one has emptied it: what is below a cut by transaction id is
  // not what came first.
  const older = await pair.connect('source');
  await older.query('BEGIN');
  await older.query("INSERT INTO b SELECT i, 'many' FROM generate_series(1, 30001) i");
  await source.query(
    "BEGIN; INSERT INTO a VALUES (1, 'gone'); TRUNCATE a; INSERT INTO a VALUES (2, 'new'); COMMIT",
    pair.from,
  );
  await older.query("INSERT INTO a VALUES (3, 'after')");
  await older.query('COMMIT');
  const cuts: boolean[] = [];
  const { caughtUp } = await startRelay(pair, { onTurn: (_, { whole }) => cuts.push(whole) });
  await caughtUp();
  t.equal(cuts[0], false, 'the backlog was cut');
  const { source: s, target: g } = await bothOf(pair, 'a');
  t.same(s, ['(2,new)', '(3,after)']);
  t.same(g, s);
});

t.test('a relay of which no table is in step yet is well', async (t) => {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b']);
  await pair.install();
  const { told, until, relay } = await startRelay(pair);
  await until(() => relay.status.role === 'leading', 'leads');
  await source.query("INSERT INTO a VALUES (1, 'waits')", pair.from);
  t.equal(await relay.turnAfterNow(), 'stalled');
  await inStep(pair);
  await until(async () => (await relay.turnAfterNow()) === 'applied', 'in step');
  t.same(told.errors, []);
  t.same((await bothOf(pair, 'a')).target, ['(1,waits)']);
});
