import t from 'tap';
import { openSource } from '../../src/mirror/relay/connections.js';
import { firstXids } from '../../src/mirror/relay/events-sql.js';
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
  const { rows } = await target.query<{ position: string }>('SELECT position::text FROM pgfig.relay', pair.to);
  await source.query("INSERT INTO a VALUES (1, 'waits')", pair.from);
  t.equal(await relay.turnAfterNow(), 'stalled');
  // As a backfill leaves them: the domain's own position may have passed the row meanwhile.
  await target.query(`UPDATE pgfig.relay_tables SET state = 'in-step', position = '${rows[0]?.position}'`, pair.to);
  await until(async () => (await relay.turnAfterNow()) === 'applied', 'in step');
  t.same(told.errors, []);
  t.same((await bothOf(pair, 'a')).target, ['(1,waits)']);
});

t.test('a backlog is cut at the order of numbers, by the index', async (t) => {
  const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b']);
  await pair.install();
  const { rows } = await source.query<{ oid: number }>("SELECT 'a'::regclass::oid AS oid", pair.from);
  const oid = rows[0]?.oid ?? 0;
  await source.query(
    `INSERT INTO pgfig.outbox (xid, mirror, tbl, op, key)
     SELECT xid::text::xid8, 1, ${oid}, 'I', i FROM (VALUES (9), (99), (100), (1000)) x (xid), generate_series(1, 10) i`,
    pair.from,
  );
  const side = await openSource(pair.config, pair.mirror);
  const since = { oid, position: { xmin: 20n, xmax: 20n, xip: [] } };
  const list = { oid, position: { xmin: 9n, xmax: 20n, xip: [9n] } };
  t.equal(await side.cut([since], 5), 100n, 'one transaction is taken whole');
  t.equal(await side.cut([since], 10), 100n);
  t.equal(await side.cut([since], 25), 1000n);
  t.equal(await side.cut([since], 30), null);
  t.equal(await side.cut([list], 10), 99n);
  await source.query(
    `INSERT INTO pgfig.outbox (xid, mirror, tbl, op, key)
     SELECT (2000 + i / 10)::text::xid8, 1, ${oid}, 'I', i FROM generate_series(1, 50000) i; ANALYZE pgfig.outbox`,
    pair.from,
  );
  const plan = (await side.rows(`EXPLAIN ${firstXids(list, 1_000)}`)).flat().join('\n');
  t.match(plan, /Index (Only )?Scan using outbox_waiting/);
  t.notMatch(plan, /Bitmap/, 'no look at all that waits');
  await side.client.end();
});
