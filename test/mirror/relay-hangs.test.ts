import t from 'tap';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { DomainRelay } from '../../src/mirror/relay/domain-relay.js';
import { Watchdog } from '../../src/mirror/relay/watchdog.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { makePair, type Pair } from './capture-support.js';
import { inStep, startRelay } from './relay-support.js';

/** Servers that neither answer nor break. */
const LIMITS = { look: 50, silent: 500, answer: 3_000, stuck: 4_000, longest: 60_000 };
const [source, target] = await Promise.all([startPostgres(), startPostgres()]);

async function installed(): Promise<Pair> {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY, v text)', ['public.a']);
  await pair.install();
  await inStep(pair);
  return pair;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in 40 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Stops the relay's backend in the target, as a disk that hangs would. @returns how to let it go on */
async function stopTarget({ to }: Pair): Promise<() => void> {
  const { rows } = await target.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'pgfig relay of orders'",
    to,
    [to],
  );
  t.equal(rows.length, 1);
  const pid = rows[0]?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  let stopped = true;
  const goOn = (): void => {
    if (stopped) process.kill(pid, 'SIGCONT');
    stopped = false;
  };
  await onTeardown(async () => goOn());
  return goOn;
}

t.test('a backend of the target that is stopped does not hold the source', async (t) => {
  const pair = await installed();
  const errors: string[] = [];
  const relay = new DomainRelay(
    pair.config,
    pair.mirror,
    {
      ...{ onRole: () => {}, onTurn: () => {}, onStalled: () => {}, onGoesOn: () => {} },
      onError: (_, error) => errors.push(error.message),
    },
    LIMITS,
  );
  await onTeardown(() => relay.close());
  await until(async () => (await relay.turnAfterNow()) === 'applied', 'a turn');
  const goOn = await stopTarget(pair);
  await source.query("INSERT INTO a VALUES (1, 'x')", pair.from);
  await until(() => errors.length > 0, 'an error');
  t.match(errors[0], /domain orders: the target stood still/);
  const { rows } = await source.query(
    "SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'pgfig relay%' AND xact_start < now() - interval '5 s'",
    pair.from,
    [pair.from],
  );
  t.equal(rows.length, 0);
  goOn();
  await until(async () => (await relay.turnAfterNow()) === 'applied', 'elected anew');
  t.equal((await target.query('SELECT FROM a', pair.to)).rows.length, 1);
});

t.test('close ends although the target hangs', async (t) => {
  const pair = await installed();
  const { relay, caughtUp } = await startRelay(pair);
  await caughtUp();
  const goOn = await stopTarget(pair);
  relay.whole(async () => {}).catch(() => {});
  await until(async () => {
    const held = "SELECT FROM pg_stat_activity WHERE datname = $1 AND state = 'idle in transaction'";
    return (await source.query(held, pair.from, [pair.from])).rows.length > 0;
  }, 'a turn that waits for the target');
  let closed = false;
  void relay.close().then(() => {
    closed = true;
  });
  await until(() => closed, 'closed');
  t.pass();
  goOn();
});

t.test('what works is let be, what only says so is not', async (t) => {
  const pair = await installed();
  const [here, there] = await Promise.all([
    openMirrorClient(pair.config, 'monolith', 'test'),
    openMirrorClient(pair.config, 'orders_db', 'test'),
  ]);
  const watchdog = new Watchdog(pair.config, pair.mirror, here, there, {
    ...LIMITS,
    silent: 400,
    answer: 400,
    stuck: 800,
  });
  // Shorter than the target's statement: a target that works keeps it awake.
  await here.query("SET idle_in_transaction_session_timeout = '2s'; BEGIN; SELECT 1");
  await watchdog.guard(() =>
    there.query(`DO $$ BEGIN FOR i IN 1 .. 60 LOOP
      PERFORM pg_logical_emit_message(false, 'test', repeat('x', 1000000)), pg_sleep(0.08); END LOOP; END $$`),
  );
  t.equal((await here.query('SELECT 1')).rows.length, 1, 'the source is still there');
  await t.rejects(
    watchdog.guard(() => there.query('SELECT pg_sleep(100)')),
    /the target stood still: it says that it works/,
  );
  await t.rejects(here.query('SELECT 1'));
});

t.test('one who follows costs no new connections', async (t) => {
  const pair = await installed();
  const first = await startRelay(pair);
  await first.until(() => first.relay.status.role === 'leading', 'leads');
  const second = await startRelay(pair);
  await second.until(() => second.relay.status.role === 'following', 'follows');
  const candidates = async (): Promise<{ pid: number; tried: string }[]> =>
    (
      await source.query<{ pid: number; tried: string }>(
        `SELECT pid, query_start::text AS tried FROM pg_stat_activity
          WHERE datname = $1 AND application_name = 'pgfig relay of orders, candidate'`,
        pair.from,
        [pair.from],
      )
    ).rows;
  const [one, ...more] = await candidates();
  t.ok(one);
  t.equal(more.length, 0);
  for (let tries = 0, tried = one?.tried; tries < 2; tries++) {
    await second.until(async () => (await candidates())[0]?.tried !== tried, 'it tries again');
    const [now] = await candidates();
    t.equal(now?.pid, one?.pid, 'on the same connection');
    tried = now?.tried;
  }
  const { rows } = await target.query(
    "SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'pgfig relay%'",
    pair.to,
    [pair.to],
  );
  t.equal(rows.length, 1, 'the target has the leader only');
  await first.relay.close();
  await second.until(() => second.relay.status.role === 'leading', 'takes over');
  await second.caughtUp();
});
