import t from 'tap';
import type { CrashPoint } from '../../src/mirror/crash-points.js';
import { CrashFiles } from '../faults/crash-files.js';
import { startKafka } from '../support/kafka.js';
import { startPostgres } from '../support/postgres.js';
import { compacted, feeding, type Read, readTopics, startWorld, type World } from './events-support.js';

const { kafka, missing } = await startKafka({ own: true });
const needsKafka = { skip: missing ?? false };
const source = await startPostgres({ version: 15 });
const target = await startPostgres();

const schema = 'CREATE TABLE orders (id int PRIMARY KEY, n int NOT NULL, pad text)';
const tables = ['public.orders'];
const topics = { orders: 1 };
const waiting = 'pgfig_events_waiting{domain="orders",kind="changes"}';
const leading = 'pgfig_events_leading{domain="orders",kind="changes"}';

const nOf = (messages: readonly Read[], id: number): number[] =>
  messages
    .filter(({ key, value }) => key?.includes(`"id":${id}}`) && value !== null)
    .map(({ value }) => (JSON.parse(String(value)) as { n: number }).n);

t.test('killed at every point: nothing is lost, and what comes twice has one id', needsKafka, async (t) => {
  if (kafka === null) return;
  const files = await CrashFiles.create();
  const world = await startWorld(t, kafka, source, target, {
    schema,
    tables,
    topics,
    rule: { events: {} },
    env: files.env,
  });
  await feeding(world);
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`], true);
  await world.sql('INSERT INTO orders VALUES (1, 0)');
  await reader.until((all) => nOf(all, 1).includes(0), 'the first');
  await world.pgfig.until(async () => (await world.metric(waiting)) === 0, 'its position has moved');
  const points: CrashPoint[] = ['kafka-before-send', 'kafka-after-send', 'kafka-before-position'];
  for (const [at, point] of points.entries()) {
    await files.arm(point);
    await world.sql('UPDATE orders SET n = $1', [at + 1]);
    await world.pgfig.until(() => !files.waiting(point), `it has come to ${point}`);
    await reader.until((all) => nOf(all, 1).includes(at + 1), `what was under way at ${point} arrives`);
    await world.pgfig.until(async () => (await world.metric(waiting)) === 0, 'its position has moved');
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
    schema,
    tables,
    topics,
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

t.test('what is not to be sent stalls its table, and no other', needsKafka, async (t) => {
  if (kafka === null) return;
  const both = `${schema}; CREATE TABLE big (id int PRIMARY KEY, pad text)`;
  const rule = { events: { per: 'table' } };
  const names = { 'orders.public.orders': 1, 'orders.public.big': 1 };
  const options = { schema: both, tables: [...tables, 'public.big'], topics: names, rule };
  const world = await startWorld(t, kafka, source, target, options);
  await feeding(world);
  const reader = await readTopics(
    t,
    kafka.client(),
    Object.keys(names).map((name) => world.prefix + name),
  );
  await world.sql("INSERT INTO big VALUES (1, repeat('x', 2000000)); INSERT INTO orders VALUES (1, 1)");
  await reader.until((all) => nOf(all, 1).length === 1, 'the other table goes on');
  const stalled = 'pgfig_events_stalled{domain="orders",kind="changes",table="public.big"}';
  await world.pgfig.until(async () => (await world.metric(stalled)) === 1, 'it is told as a metric');
  t.match(world.pgfig.logs(), /"table":"public.big".*larger than the max.*key .{1,9}id.{1,9}1.*, 20000\d\d bytes/);
  await world.sql("INSERT INTO big VALUES (2, 'small'); INSERT INTO orders VALUES (2, 1)");
  await reader.until((all) => nOf(all, 2).length === 1, 'the other table still goes on');
  const answer = await fetch(`http://127.0.0.1:${world.pgfig.adminPort}/api/status`);
  t.match(await answer.json(), { events: [{ domain: 'orders', stalled: [{ table: 'public.big' }] }] });
  t.notOk(
    reader.messages.some(({ headers }) => headers.table === 'public.big'),
    'nothing is skipped',
  );
  await world.sql("UPDATE big SET pad = 'short' WHERE id = 1");
  await world.pgfig.stop();
  await world.another();
  await reader.until(
    (all) => all.filter(({ headers }) => headers.table === 'public.big').length === 2,
    'once it is mended',
  );
  await world.pgfig.until(
    async () => (await world.sql("SELECT FROM pgfig.consumers WHERE consumer LIKE 'kafka:%'")).length === 0,
    'it goes with the others again',
  );
});

t.test('the broker is away: nothing is lost, and a backlog goes in bounded turns', needsKafka, async (t) => {
  if (kafka === null) return;
  const world = await startWorld(t, kafka, source, target, { schema, tables, topics, rule: { events: {} } });
  await feeding(world);
  await world.sql('INSERT INTO orders VALUES (1, 0)');
  const before = await readTopics(t, kafka.client(), [`${world.prefix}orders`]);
  await before.until((all) => all.length === 1, 'the first');
  await kafka.kill();
  for (let turn = 0; turn < 5; turn++) {
    await world.sql(
      'INSERT INTO orders SELECT g, $1 FROM generate_series(2, 3001) g ON CONFLICT (id) DO UPDATE SET n = $1',
      [turn],
    );
  }
  await world.pgfig.until(async () => (await world.metric(waiting)) === 15_000, 'it waits');
  t.ok(Number(await world.metric('pgfig_events_lag_seconds{domain="orders",kind="changes"}')) > 0);
  t.ok(Number(await world.metric('pgfig_events_failures_total{domain="orders",kind="changes"}')) > 0);
  await kafka.restart();
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`]);
  await reader.until((all) => compacted(all).size === 3_001 && nOf(all, 3_001).includes(4), 'all of it');
  await world.pgfig.until(async () => (await world.metric(waiting)) === 0, 'nothing waits any more');
  const view = compacted(reader.messages);
  const rows = await world.sql('SELECT id, row_to_json(o)::text AS row FROM orders o');
  t.strictSame(
    rows.filter(({ id, row }) => view.get(`{"table":"public.orders","key":{"id":${id}}}`) !== row),
    [],
  );
  t.match(world.pgfig.logs(), /events go on/);
});

t.test('without events: in the rule, nothing is kept for them', needsKafka, async (t) => {
  if (kafka === null) return;
  const world = await startWorld(t, kafka, source, target, { schema, tables, topics, rule: { events: {} } });
  await feeding(world);
  await world.pgfig.writeRule('orders', { database: 'orders_db', tables, phase: 'dual-write' });
  await world.pgfig.until(
    async () => (await world.sql('SELECT FROM pgfig.consumers')).length === 0,
    'the position is gone',
  );
});
