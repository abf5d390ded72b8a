import t from 'tap';
import type { CrashPoint } from '../../src/mirror/crash-points.js';
import { CrashFiles } from '../faults/crash-files.js';
import { startKafka } from '../support/kafka.js';
import { startPostgres } from '../support/postgres.js';
import { feeding, NUMBERED, nOf, readTopics, startWorld, WAITING, type World } from './events-support.js';

const { kafka, missing } = await startKafka({ own: true });
const needsKafka = { skip: missing ?? false };
const source = await startPostgres({ version: 15 });
const target = await startPostgres();

const leading = 'pgfig_events_leading{domain="orders",kind="changes"}';

t.test('killed at every point: nothing is lost, and what comes twice has one id', needsKafka, async (t) => {
  if (kafka === null) return;
  const files = await CrashFiles.create();
  const world = await startWorld(t, kafka, source, target, {
    ...NUMBERED,
    rule: { events: {} },
    env: files.env,
  });
  await feeding(world);
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`], true);
  await world.sql('INSERT INTO orders VALUES (1, 0)');
  await reader.until((all) => nOf(all, 1).includes(0), 'the first');
  await world.pgfig.until(async () => (await world.metric(WAITING)) === 0, 'its position has moved');
  const points: CrashPoint[] = ['kafka-before-send', 'kafka-after-send', 'kafka-before-position'];
  for (const [at, point] of points.entries()) {
    await files.arm(point);
    await world.sql('UPDATE orders SET n = $1', [at + 1]);
    await world.pgfig.until(() => !files.waiting(point), `it has come to ${point}`);
    await reader.until((all) => nOf(all, 1).includes(at + 1), `what was under way at ${point} arrives`);
    await world.pgfig.until(async () => (await world.metric(WAITING)) === 0, 'its position has moved');
  }
  const all = nOf(reader.messages, 1);
  t.strictSame(all.toSorted(), all, 'never an old state after a new one');
  const byId = new Map<string, Set<string | null>>();
  for (const { headers, value } of reader.messages) {
    byId.set(String(headers.id), (byId.get(String(headers.id)) ?? new Set()).add(value));
  }
  t.strictSame(
    [...byId.values()].map((values) => values.size),
    [1, 1, 1, 1],
  );
  t.ok(reader.messages.length > 4, 'something did come twice');
});

t.test('a holder that wakes up late can send nothing', needsKafka, async (t) => {
  if (kafka === null) return;
  const files = await CrashFiles.create();
  const world = await startWorld(t, kafka, source, target, {
    ...NUMBERED,
    rule: { events: {} },
    env: files.env,
  });
  await feeding(world);
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`], true);
  const other = await world.another();
  await files.arm('kafka-before-send', { action: 'stop' });
  await world.sql('INSERT INTO orders VALUES (1, 1)');
  await world.pgfig.until(() => !files.waiting('kafka-before-send'), 'it sleeps, with the state in its hands');
  await world.sql('UPDATE orders SET n = 2');
  await world.sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgfig events orders' AND datname = current_database()",
  );
  await reader.until((all) => nOf(all, 1).includes(2), 'the other one has taken over');
  process.kill(controlPid(world), 'SIGCONT');
  await world.pgfig.until(() => /events cannot be sent/.test(world.pgfig.logs()), 'it is told');
  await world.sql('UPDATE orders SET n = 3');
  await reader.until((all) => nOf(all, 1).includes(3), 'it goes on');
  t.notOk(nOf(reader.messages, 1).includes(1), 'the old state was not sent');
  const leaders = [await world.metric(leading), await world.metric(leading, other)];
  t.strictSame(leaders, [0, 1], 'one leads');
  await other.kill();
  await world.sql('UPDATE orders SET n = 4');
  await reader.until((all) => nOf(all, 1).includes(4), 'the first one takes over again');
});

function controlPid({ pgfig }: World): number {
  const line = pgfig
    .logs()
    .split('\n')
    .find((one) => one.includes('"process":"control"'));
  return (JSON.parse(line ?? '{}') as { pid: number }).pid;
}
