import t from 'tap';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';
import { bothOf, inStep, startRelay } from './relay-support.js';

/** Less than the relay's lock timeout. */
const HELD_MS = 1_000;

t.test('a turn that began before a table is copied again does not put an older row over a newer one', async (t) => {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY, v text)', ['public.a']);
  await pair.install();
  await inStep(pair);
  const { caughtUp, relay, until, told } = await startRelay(pair);
  await source.query("INSERT INTO a VALUES (1, 'v0')", pair.from);
  await caughtUp();

  // The turn has a snapshot of v1, and waits for the relay's row.
  const holder = await pair.connect('target');
  await holder.query('BEGIN; SELECT FROM pgfig.relay FOR UPDATE');
  await source.query("UPDATE a SET v = 'v1'", pair.from);
  relay.poke();
  const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%take_turn%'";
  await until(async () => (await target.query(waiting, pair.to)).rowCount === 1, 'the turn waits');
  await source.query("UPDATE a SET v = 'v2'", pair.from);
  const copying = relay.backfill('public.a', {
    mode: 'replace',
    pace: async () => 1_000,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  await Promise.race([copying.catch(() => {}), new Promise((resolve) => setTimeout(resolve, HELD_MS))]);
  await holder.query('COMMIT');
  await copying.catch(() => {});

  await until(async () => relay.leader?.inStep === true, 'in step again');
  await caughtUp();
  t.same((await bothOf(pair, 'a')).target, ['(1,v2)']);
  t.comment(JSON.stringify(told));
});
