import pg from 'pg';
import t from 'tap';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';

/** Processes that neither end nor answer: stopped, as by a loop without an end. */
const TABLE = 'CREATE TABLE orders (id int PRIMARY KEY, note text)';

const logged = (pgfig: TestPgfig, message: string): Record<string, unknown>[] =>
  pgfig
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(message))
    .map((line) => JSON.parse(line));

const get = async (pgfig: TestPgfig, path: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${pgfig.adminPort}${path}`)).text();

async function stopped(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await onTeardown(async () => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It was killed, as it should be.
    }
  });
}

async function connect(pgfig: TestPgfig): Promise<pg.Client> {
  const client = new pg.Client(pgfig.url());
  client.on('error', () => {});
  await client.connect();
  await onTeardown(() => client.end().catch(() => {}));
  return client;
}

t.test('processes that hang are replaced, and a domain is led again', async (t) => {
  const [monolith, orders] = await Promise.all([startPostgres(), startPostgres()]);
  for (const [server, name] of [
    [monolith, 'shop'],
    [orders, 'orders'],
  ] as const) {
    await server.query(`CREATE DATABASE ${name}`);
    await server.query(TABLE, name);
  }
  const pgfig = await startPgfig({
    databases: { monolith: monolith.url('shop'), orders_db: orders.url('orders') },
    rules: {
      orders: { database: 'orders_db', tables: ['public.orders'], phase: 'dual-write', mirror: { syncTimeout: '60s' } },
    },
    config: { listen: { workers: 2 } },
  });
  const report = async (): Promise<{ role?: string; tables?: { state: string }[] }> =>
    JSON.parse(await get(pgfig, '/api/mirrors').catch(() => '{"mirrors":[]}')).mirrors[0] ?? {};
  const leads = async (): Promise<boolean> => (await report()).role === 'leading';
  const workers = async (): Promise<{ worker: number; pid: number; listening: boolean; sessions: number }[]> =>
    JSON.parse(await get(pgfig, '/api/status').catch(() => '{"workers":[]}')).workers;
  await pgfig.until(leads, 'the relay leads');
  await orders.query("UPDATE pgfig.relay_tables SET state = 'in-step'", 'orders');
  await pgfig.until(async () => (await report()).tables?.[0]?.state === 'in-step', 'the table is in step');
  const client = await connect(pgfig);
  await pgfig.until(async () => (await workers()).some(({ sessions }) => sessions === 1), 'its session is counted');
  await client.query("INSERT INTO orders VALUES (1, 'before')");
  t.equal((await orders.query('SELECT FROM orders', 'orders')).rows.length, 1);

  // The one that does not serve this client.
  const idle = (await workers()).find(({ sessions }) => sessions === 0);
  t.ok(idle);
  await stopped(idle?.pid ?? 0);
  const control = Number(logged(pgfig, '"process":"control"')[0]?.pid);
  await stopped(control);
  // It holds the lease. Its successor answers the commit, which may be before that one leads.
  await client.query("INSERT INTO orders VALUES (2, 'while it hung')");
  await pgfig.until(leads, 'the next one leads');
  await pgfig.until(
    async () => (await orders.query('SELECT FROM orders', 'orders')).rows.length === 2,
    'applied by the next one',
  );
  await client.query("INSERT INTO orders VALUES (3, 'after')");
  t.equal((await orders.query('SELECT FROM orders', 'orders')).rows.length, 3, 'commits wait for their turns again');
  t.match(logged(pgfig, 'control process hangs; it is killed'), [{ level: 50, pid: control, unanswered_pings: 15 }]);
  t.match(logged(pgfig, 'control process died'), [{ signal: 'SIGKILL' }]);
  await pgfig.until(
    async () => (await workers()).some((one) => one.worker === idle?.worker && one.pid !== idle.pid && one.listening),
    'another worker in its place',
  );
  t.match(logged(pgfig, 'worker hangs; it is killed'), [{ level: 50, worker: idle?.worker, unanswered_pings: 30 }]);
  const metrics = await get(pgfig, '/metrics');
  t.match(metrics, /^pgfig_control_hangs_total 1$/m);
  for (const worker of [1, 2]) {
    const hangs = worker === idle?.worker ? 1 : 0;
    t.match(metrics, new RegExp(`^pgfig_worker_hangs_total\\{worker="${worker}"\\} ${hangs}$`, 'm'));
  }
  t.equal((await client.query('SELECT FROM orders')).rows.length, 3, 'the other session goes on');
});
