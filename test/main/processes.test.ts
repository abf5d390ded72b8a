import net from 'node:net';
import t, { type Test } from 'tap';
import { LineClient, Served, until } from './served.js';

/** The processes around the session layer, with sessions that speak lines (fake-worker.ts). */
const yaml = (more = '', admin = ''): string => `
listen: { host: 127.0.0.1, port: 0, workers: 2 }
admin: { host: 127.0.0.1, port: 0${admin} }
databases:
  monolith: { url: "postgres://nobody@127.0.0.1:1/shop" }
  orders_db: { url: "postgres://nobody@127.0.0.1:1/orders" }
${more}`;
const ORDERS = 'domain: orders\ndatabase: orders_db\ntables: [public.orders]\nphase: write-new\n';

async function served(
  t: Test,
  config = yaml(),
  rules: Record<string, string> = { 'orders.yaml': ORDERS },
): Promise<Served> {
  const pgfig = new Served(config, rules);
  t.teardown(() => pgfig.remove());
  t.equal(await pgfig.start(), null, `it starts: ${pgfig.errors}`);
  return pgfig;
}

/** Round robin gives two connections in a row to two workers. */
async function onBothWorkers(t: Test, port: number): Promise<[LineClient, LineClient]> {
  const [a, b] = [await LineClient.open(port), await LineClient.open(port)];
  t.teardown(() => {
    for (const client of [a, b]) client.close();
  });
  t.not((await a.who()).worker, (await b.who()).worker, 'two workers');
  return [a, b];
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

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
  t.match(rules, { version: 2, domains: [{ name: 'orders' }], error: { message: /orders\.yaml/ } });
  t.equal(await pgfig.metric('pgfig_rules_broken'), 1);
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
  const hung = a.ask('hang 2500');
  const before = Date.now();
  t.equal(await pgfig.metric(series), 1);
  t.ok(Date.now() - before < 2_000, 'in time');
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

t.test('SIGTERM drains: no new clients, transactions end, exit code 0', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  await a.ask('begin');
  pgfig.signal('SIGTERM');
  await b.closed;
  t.match(JSON.parse((await pgfig.get('/readyz')).text), { ready: false, reasons: ['draining'] });
  await until('no new clients', () => refused(pgfig.listenPort));
  t.equal(await a.ask('end'), 'done', 'a transaction goes on');
  await a.closed;
  t.equal(await pgfig.exited(), 0);
});

t.test('the deadline of a drain ends transactions', async (t) => {
  const pgfig = await served(t, yaml('limits: { drainTimeout: 300ms }'));
  const [a] = await onBothWorkers(t, pgfig.listenPort);
  await a.ask('begin');
  pgfig.signal('SIGTERM');
  await a.closed;
  t.equal(await pgfig.exited(), 0);
});

t.test('a second SIGTERM ends now', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  await a.ask('begin');
  pgfig.signal('SIGTERM');
  await b.closed;
  const before = Date.now();
  pgfig.signal('SIGTERM');
  await a.closed;
  t.equal(await pgfig.exited(), 0);
  t.ok(Date.now() - before < 5_000, 'without waiting for the drain');
});

t.test('SIGTERM while it starts ends it too', async (t) => {
  const pgfig = new Served(yaml());
  t.teardown(() => pgfig.remove());
  const started = pgfig.start();
  const control = await until('the control process', () => pgfig.lines.find((l) => l.process === 'control') ?? null);
  pgfig.signal('SIGTERM');
  t.equal((await started) ?? (await pgfig.exited()), 0);
  await until('nothing is left', () => (alive(Number(control.pid)) ? null : true));
});

t.test('a worker that cannot even start ends the start, with its reason', async (t) => {
  const pgfig = new Served(yaml());
  t.teardown(() => pgfig.remove());
  t.equal(await pgfig.start('/nowhere/worker.js'), 1);
  t.match(pgfig.errors, /worker \d dies again and again before it listens/);
});

t.test('SIGHUP reads secrets and rules again', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  pgfig.signal('SIGHUP');
  for (const client of [a, b]) {
    await until('secrets read again', async () => ((await client.who()).reloads === 1 ? true : null));
  }
});

t.test('when the primary is killed nothing stays behind', async (t) => {
  const pgfig = await served(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  const control = Number(pgfig.lines.find((line) => line.process === 'control')?.pid);
  const pids = [(await a.who()).pid, (await b.who()).pid, control];
  pgfig.signal('SIGKILL');
  await until('the others are gone', () => (pids.some(alive) ? null : true));
});

t.test('the control process is replaced; traffic goes on, and the admin API comes back to its port', async (t) => {
  const pgfig = await served(t);
  const [a] = await onBothWorkers(t, pgfig.listenPort);
  const control = await until('its pid', () => pgfig.lines.find((line) => line.process === 'control')?.pid ?? null);
  process.kill(Number(control), 'SIGKILL');
  await until('the replacement', () => pgfig.logged('control process died; a new one takes its place')[0] ?? null);
  t.ok((await a.who()).rules);
  await until('metrics', async () =>
    (await pgfig.metric('pgfig_control_restarts_total').catch(() => null)) === 1 ? true : null,
  );
  pgfig.writeRules('orders.yaml', ORDERS.replace('[public.orders]', '[public.bills]'));
  await until('rules from the new one', async () => ((await a.who()).rules === 2 ? true : null));
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

t.test('a port in use is said in one line, with exit code 1', async (t) => {
  const holder = net.createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.teardown(() => holder.close());
  const { port } = holder.address() as net.AddressInfo;
  for (const config of [
    yaml().replace('port: 0, workers', `port: ${port}, workers`),
    yaml().replace('127.0.0.1, port: 0 }', `127.0.0.1, port: ${port} }`),
  ]) {
    const pgfig = new Served(config);
    t.teardown(() => pgfig.remove());
    t.equal(await pgfig.start(), 1);
    const said = pgfig.errors.split('\n').filter((line) => line.includes(`${port}`));
    t.equal(said.length, 1, pgfig.errors);
    t.match(said[0], `127.0.0.1:${port} is in use by another program`);
  }
});

t.test('configuration or rules that cannot be read: exit code 2', async (t) => {
  for (const pgfig of [new Served('nonsense: 1\n'), new Served(yaml(), { 'a.yaml': 'domain: 7' })]) {
    t.teardown(() => pgfig.remove());
    t.equal(await pgfig.start(), 2);
  }
});

function refused(port: number): Promise<true | null> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => resolve(true));
    socket.on('connect', () => {
      socket.destroy();
      resolve(null);
    });
  });
}
