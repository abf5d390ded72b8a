import t from 'tap';
import { ORDERS, onBothWorkers, served, yaml } from './lines.js';
import { LineClient, until } from './served.js';

/** What the processes tell each other, with sessions that speak lines (fake-worker.ts). */
t.test('rules reach every worker, again when they change, and never when they are broken', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  t.match(await a.who(), { rules: 1, tables: ['public.orders'] });
  t.equal((await a.who()).authKey, (await b.who()).authKey, 'one key for made-up salts');

  pgfig.writeRules('orders.yaml', ORDERS.replace('[public.orders]', '[public.orders, public.payments]'));
  for (const client of [a, b]) {
    await until('the new rules', async () => ((await client.who()).tables.length === 2 ? true : null));
    t.equal((await client.who()).rules, 2);
  }
  pgfig.writeRules('orders.yaml', 'domain: [');
  await until('the error', () => pgfig.logged('rules are broken; the last good set stays')[0] ?? null);
  t.equal((await a.who()).rules, 2, 'the last good set stays');
  const rules = JSON.parse((await pgfig.get('/api/rules')).text);
  t.match(rules, {
    version: 2,
    domains: [{ name: 'orders' }],
    error: { message: /orders\.yaml/, file: 'orders.yaml', line: 1 },
    workers: [
      { worker: 1, rulesVersion: 2 },
      { worker: 2, rulesVersion: 2 },
    ],
  });
  t.equal(await pgfig.metric('pgfig_rules_broken'), 1);
  t.equal(await pgfig.metric('pgfig_rules_last_error{file="orders.yaml",line="1"}'), 1);
  const { workers } = JSON.parse((await pgfig.get('/api/status')).text);
  t.strictSame(
    workers.map((w: { rulesVersion: number }) => w.rulesVersion),
    [2, 2],
    'each worker said so',
  );
});

t.test('a worker that crashes is replaced, ends only its own sessions, and no counter goes back', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  const series = 'pgfig_statements_total{database="monolith",kind="select",domain=""}';
  for (const client of [a, a, b]) await client.ask('count');
  t.equal(await pgfig.metric(series), 3);
  const { worker, pid } = await a.who();
  await a.ask('crash');
  await a.closed;
  t.equal(await b.ask('count'), 'counted', 'the other session goes on');
  await until('a new worker', async () => {
    const { workers } = JSON.parse((await pgfig.get('/api/status')).text);
    const found = workers.find((w: { worker: number }) => w.worker === worker);
    return found.listening && found.pid !== pid ? found : null;
  });
  t.equal(await pgfig.metric(series), 4);
  t.equal(await pgfig.metric(`pgfig_worker_restarts_total{worker="${worker}"}`), 1);
  t.match(pgfig.logged('worker died; a new one takes its place'), [{ worker, sessions_ended: 1 }]);
  t.match(pgfig.logged('worker crashed'), [{ error: 'crash was asked for', stack: /fake-worker/ }]);
  const again = await LineClient.open(pgfig.listenPort);
  t.teardown(() => again.close());
  t.ok((await again.who()).rules, 'new clients are served');
});

t.test('a scrape does not wait for a worker that hangs, and shows it as it last was', async (t) => {
  const pgfig = await served(t);
  const [a] = await onBothWorkers(t, pgfig.listenPort);
  const series = 'pgfig_statements_total{database="monolith",kind="select",domain=""}';
  await a.ask('count');
  t.equal(await pgfig.metric(series), 1);
  const hung = a.ask('hang 5000');
  const before = Date.now();
  t.equal(await pgfig.metric(series), 1);
  t.ok(Date.now() - before < 4_500, 'in time');
  t.equal(await hung, 'done');
});

t.test('session counts of the other workers arrive', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  const more = [await LineClient.open(pgfig.listenPort), await LineClient.open(pgfig.listenPort)];
  t.teardown(() => {
    for (const client of more) client.close();
  });
  const others = async (client: LineClient) => JSON.parse((await client.ask('limits')) ?? '{}');
  for (const client of [a, b]) {
    await until('two sessions elsewhere', async () => ((await others(client)).total === 2 ? true : null));
    t.strictSame(await others(client), { total: 2, byUser: { ann: 2 } });
  }
  await b.ask('crash');
  await until('none elsewhere', async () => ((await others(a)).total === 0 ? true : null));
});

t.test('a cancel request reaches the worker that owns the session', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  t.equal(await a.ask(`cancel ${b.pid} sesame`), 'done');
  t.equal(await b.next(), 'cancelled sesame');

  b.close();
  await until('b has left', async () => (JSON.parse((await a.ask('limits')) ?? '{}').total === 0 ? true : null));
  const c = await LineClient.open(pgfig.listenPort);
  const d = (await c.who()).worker === (await a.who()).worker ? await LineClient.open(pgfig.listenPort) : c;
  t.teardown(() => {
    for (const client of [c, d]) client.close();
  });
  const before = (await d.who()).cancels;
  await a.ask(`cancel ${b.pid} sesame`);
  await a.ask(`cancel ${b.pid} sesame`);
  await until('both requests', async () => ((await d.who()).cancels >= before + 2 ? true : null));
  t.equal((await d.who()).cancels, before + 2, 'one for a session that is gone does not go round and round');
});

t.test('commits ask the control process for turns, and hear of a new one', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  for (const client of [a, b]) {
    t.equal(await client.ask('sync 7 orders nobody'), 'asked');
    t.equal(await client.next(), 'turn 7 failed', 'the worker that asked is answered');
  }
  const control = await until('its pid', () => pgfig.lines.find((line) => line.process === 'control')?.pid ?? null);
  process.kill(Number(control), 'SIGKILL');
  t.equal(await a.next(), 'control started');
  t.equal(await b.next(), 'control started');
  t.equal(await b.ask('sync 8 orders'), 'asked');
  t.equal(await b.next(), 'turn 8 failed');
});

t.test('SIGHUP reads secrets and rules again', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  pgfig.signal('SIGHUP');
  for (const client of [a, b]) {
    await until('secrets read again', async () => ((await client.who()).reloads === 1 ? true : null));
  }
});

t.test('the token guards the admin API, and does not show anywhere', async (t) => {
  const pgfig = await served(t, yaml('', ', token: sesame-42'));
  for (const path of ['/metrics', '/api/status', '/api/rules', '/nothing']) {
    t.equal((await pgfig.get(path)).status, 401, path);
    t.equal((await pgfig.get(path, { Authorization: 'Bearer sesame-43' })).status, 401, path);
  }
  t.equal((await pgfig.get('/metrics', { Authorization: 'Bearer sesame-42' })).status, 200);
  t.equal((await pgfig.get('/nothing', { Authorization: 'Bearer sesame-42' })).status, 404);
  t.equal((await pgfig.get('/healthz')).status, 200);
  t.match(await pgfig.get('/readyz'), { status: 503, text: /no database answers \(monolith, orders_db\)/ });
  const status = await pgfig.get('/api/status', { Authorization: 'Bearer sesame-42' });
  t.notMatch(`${status.text}${pgfig.errors}`, /sesame|nobody/);
});
