import net from 'node:net';
import t from 'tap';
import { alive, ORDERS, onBothWorkers, refused, served, yaml } from './lines.js';
import { Served, until } from './served.js';

/** How the processes begin and end, with sessions that speak lines (fake-worker.ts). */
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
  t.ok(Date.now() - before < 15_000, 'without waiting for the drain');
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
