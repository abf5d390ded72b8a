import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { onBothWorkers, served, yaml } from './lines.js';
import { until } from './served.js';

/** The access log of the worker processes, with sessions that speak lines (fake-worker.ts). */
const written = 'pgfig_access_log_records_total{sink="file"}';

const sessionsIn = (text: string): number[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).session);

t.test('each worker writes its own file, sampled by service, and what waits when it ends', async (t) => {
  const pgfig = await served(
    t,
    yaml('accessLog: { file: { path: logs/access.jsonl }, sample: 0%, services: { orders: 100% } }'),
  );
  t.equal(await pgfig.metric(written), 0);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  const of = async (client: typeof a) =>
    readFileSync(join(pgfig.folder, `logs/access.${(await client.who()).worker}.jsonl`), 'utf8');
  await a.ask('records orders 10');
  await a.ask('records others 10');
  await b.ask('records orders 20');
  await until('all are written', async () => ((await pgfig.metric(written)) === 30 ? true : null));
  t.same(
    sessionsIn(await of(a)),
    Array.from({ length: 10 }, (_, n) => n),
  );
  t.match(JSON.parse((await of(b)).split('\n')[0] ?? ''), { worker: (await b.who()).worker, service: 'orders' });
  t.equal((await of(b)).match(/\n/g)?.length, 20);

  const file = join(pgfig.folder, `logs/access.${(await a.who()).worker}.jsonl`);
  await a.ask('records orders 1000');
  pgfig.signal('SIGTERM');
  t.equal(await pgfig.exited(), 0);
  t.equal(sessionsIn(readFileSync(file, 'utf8')).length, 1_010);
});

t.test('its counters stay when a worker is replaced, which goes on with the file', async (t) => {
  const pgfig = await served(t, yaml('accessLog: { file: { path: access.jsonl } }'));
  const [a] = await onBothWorkers(t, pgfig.listenPort);
  const { worker } = await a.who();
  await a.ask('records orders 5');
  await until('they are written', async () => ((await pgfig.metric(written)) === 5 ? true : null));
  await a.ask('crash');
  await a.closed;
  await until('a new one listens', () => (pgfig.logged('worker crashed').length === 1 ? true : null));
  await until('both listen', async () => ((await pgfig.metric('pgfig_workers_listening')) === 2 ? true : null));
  const [c, d] = await onBothWorkers(t, pgfig.listenPort);
  await ((await c.who()).worker === worker ? c : d).ask('records orders 5');
  await until('no count is lost', async () => ((await pgfig.metric(written)) === 10 ? true : null));
  t.equal(sessionsIn(readFileSync(join(pgfig.folder, `access.${worker}.jsonl`), 'utf8')).length, 10);
});

t.test('a log that cannot be written holds up neither traffic nor the end', async (t) => {
  const pgfig = await served(t, yaml('accessLog: { file: { path: pgfig.yaml/access.jsonl }, queue: 10 }'));
  const [a] = await onBothWorkers(t, pgfig.listenPort);
  await a.ask('records orders 100');
  t.equal(await a.ask('count'), 'counted');
  const dropped = await until(
    'drops are counted',
    async () => (await pgfig.metric(written.replace('records', 'dropped'))) || null,
  );
  t.equal(dropped, 90);
  await until('it is told', () =>
    pgfig.lines.some(({ msg }) => /^the access log cannot be written/.test(`${msg}`)) ? true : null,
  );
  pgfig.signal('SIGTERM');
  t.equal(await pgfig.exited(), 0);
});

t.test('brokers that are not there hold up nothing either', async (t) => {
  const pgfig = await served(t, yaml('accessLog: { kafka: { topic: a } }\nkafka: { brokers: ["127.0.0.1:1"] }'));
  const [a] = await onBothWorkers(t, pgfig.listenPort);
  await a.ask('records orders 3');
  await until('it is told', () =>
    pgfig.logged('Kafka takes no messages; they wait as far as they may')[0] ? true : null,
  );
  t.equal(await pgfig.metric('pgfig_access_log_waiting{sink="kafka"}'), 3);
  pgfig.signal('SIGTERM');
  t.equal(await pgfig.exited(), 0, 'the end does not wait for the brokers');
});
