import t from 'tap';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';
import { bothOf, inStep, startRelay } from './relay-support.js';

const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);

const SCHEMA = `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
  CREATE TABLE stays (id int PRIMARY KEY)`;

t.test('tables that leave the rule stall nothing while their triggers go', async (t) => {
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b', 'public.stays']);
  await pair.install();
  await inStep(pair);
  const { relay, told, until, caughtUp } = await startRelay(pair);
  await until(() => relay.leader !== null, 'the relay leads');
  await caughtUp();
  const writer = await pair.connect('source');
  await writer.query('BEGIN; INSERT INTO b VALUES (1)');
  const leaving = pair.install({ mirror: { tables: ['public.stays'] } });
  const triggers = "SELECT FROM pg_trigger WHERE tgrelid = 'a'::regclass AND NOT tgisinternal";
  await until(async () => (await source.query(triggers, pair.from)).rowCount === 0, 'a is recorded no longer');
  for (let id = 1; id <= 3; id++) {
    await source.query(`INSERT INTO a VALUES (${id}); INSERT INTO stays VALUES (${id})`, pair.from);
    await caughtUp();
    t.equal((await bothOf(pair, 'stays')).target.length, id, 'commits still wait for the others');
  }
  t.equal(relay.leader?.inStep, true);
  await writer.query('COMMIT');
  t.strictSame((await leaving).changed, ['public.a', 'public.b']);
  t.strictSame(told.stalled, []);
  t.strictSame(told.errors, []);
  await pair.install();
  const { rows } = await target.query('SELECT table_name, state FROM pgfig.relay_tables ORDER BY 1', pair.to);
  t.strictSame(rows, [
    { table_name: 'public.a', state: 'new' },
    { table_name: 'public.b', state: 'new' },
    { table_name: 'public.stays', state: 'in-step' },
  ]);
});
