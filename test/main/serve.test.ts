import pg from 'pg';
import t, { type Test } from 'tap';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { until } from './served.js';

/** The whole family of processes with real sessions and a real server: what an operator sees. */
let server: TestPostgres;
t.before(async () => {
  server = await startPostgres();
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE DATABASE orders');
  await server.query('CREATE TABLE users (id int); INSERT INTO users VALUES (1)', 'shop');
  await server.query('CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)', 'orders');
});

const start = (config: Record<string, unknown> = {}, args: string[] = []): Promise<TestPgfig> =>
  startPgfig({
    databases: { monolith: server.url('shop'), orders_db: server.url('orders') },
    rules: { orders: { database: 'orders_db', tables: ['public.orders'], phase: 'write-new' } },
    config: { listen: { workers: 2 }, ...config },
    args,
  });

async function connect(t: Test, pgfig: TestPgfig): Promise<pg.Client> {
  const client = new pg.Client(pgfig.url());
  client.on('error', () => {});
  await client.connect();
  t.teardown(() => client.end().catch(() => {}));
  return client;
}

const get = async (pgfig: TestPgfig, path: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${pgfig.adminPort}${path}`)).text();

async function metric(pgfig: TestPgfig, series: string): Promise<number | null> {
  const line = (await get(pgfig, '/metrics')).split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

const logged = (pgfig: TestPgfig, message: string): Record<string, unknown>[] =>
  pgfig
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(`"msg":"${message}"`))
    .map((line) => JSON.parse(line));

t.test('metrics, status and log tell of sessions, statements and refusals', async (t) => {
  const pgfig = await start();
  const a = await connect(t, pgfig);
  const b = await connect(t, pgfig);
  for (const client of [a, b]) {
    t.strictSame((await client.query('SELECT id FROM users')).rows, [{ id: 1 }]);
    t.strictSame((await client.query('SELECT id FROM orders WHERE id = $1', [7])).rows, [{ id: 7 }]);
  }
  await t.rejects(a.query('SELECT 1 FROM users, orders'), { code: '0A000' });
  t.equal(await metric(pgfig, 'pgfig_sessions'), 2);
  t.equal(await metric(pgfig, 'pgfig_statements_total{database="orders_db",kind="select",domain="orders"}'), 2);
  t.equal(await metric(pgfig, 'pgfig_refusals_total{reason="NO_COMMON_HOME"}'), 1);
  t.equal(await metric(pgfig, 'pgfig_database_up{database="orders_db"}'), 1);
  t.ok(Number(await metric(pgfig, 'pgfig_network_bytes_total{peer="client",direction="received"}')) > 100);
  t.ok(Number(await metric(pgfig, 'pgfig_network_bytes_total{peer="backend",direction="received"}')) > 100);
  await until('the counts of the workers', async () =>
    JSON.parse(await get(pgfig, '/api/status')).sessions === 2 ? true : null,
  );
  t.match(JSON.parse(await get(pgfig, '/api/status')), {
    sessionsByUser: { postgres: 2 },
    domains: [{ domain: 'orders', phase: 'write-new' }],
    databases: [{ reachable: true, catalog: { error: null } }, { reachable: true }],
  });
  t.match(logged(pgfig, 'session opened'), [{ user: 'postgres', database: 'shop' }, { user: 'postgres' }]);
  t.match(logged(pgfig, 'refused'), [{ code: 'NO_COMMON_HOME', sqlstate: '0A000' }]);
  await a.end();
  await until('the end of a session', () => logged(pgfig, 'session closed')[0] ?? null);
  t.equal(await pgfig.stop(), 0);
});

t.test('a rule that changes moves the reads of sessions that are open', async (t) => {
  const pgfig = await start();
  const client = await connect(t, pgfig);
  await server.query('CREATE TABLE IF NOT EXISTS bills AS SELECT 1 AS id', 'shop');
  await server.query('CREATE TABLE IF NOT EXISTS bills AS SELECT 2 AS id', 'orders');
  t.strictSame((await client.query('SELECT id FROM bills')).rows, [{ id: 1 }]);
  await pgfig.writeRule('bills', {
    database: 'orders_db',
    tables: ['public.bills'],
    phase: 'read-new',
    mirror: { capture: 'none' },
  });
  await until('the new rule', async () =>
    (await client.query('SELECT id FROM bills')).rows[0].id === 2 ? true : null,
  );
});

t.test('a worker that is killed ends only its own sessions', async (t) => {
  const pgfig = await start();
  const clients = [await connect(t, pgfig), await connect(t, pgfig)];
  for (const client of clients) await client.query('SELECT id FROM users');
  const series = 'pgfig_statements_total{database="monolith",kind="select",domain=""}';
  t.equal(await metric(pgfig, series), 2);
  const { workers } = JSON.parse(await get(pgfig, '/api/status'));
  process.kill(workers[0].pid, 'SIGKILL');
  const outcomes = await Promise.allSettled(clients.map((client) => client.query('SELECT id FROM users')));
  t.strictSame(outcomes.map((outcome) => outcome.status).toSorted(), ['fulfilled', 'rejected']);
  await until('a new worker', async () => {
    const [first] = JSON.parse(await get(pgfig, '/api/status')).workers;
    return first.listening && first.pid !== workers[0].pid ? true : null;
  });
  t.equal(await metric(pgfig, series), 3, 'no counter goes back');
  t.strictSame((await (await connect(t, pgfig)).query('SELECT id FROM users')).rows, [{ id: 1 }]);
});

t.test('cancel requests find their session, on whichever worker they arrive', async (t) => {
  const pgfig = await start();
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(t, pgfig)));
  const outcomes = clients.map((client) =>
    client.query('SELECT pg_sleep(30)').then(
      () => 'done',
      (error) => error.code,
    ),
  );
  await until('all of them sleep', async () => {
    const { rows } = await server.query("SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%'");
    return rows.length === 4 ? true : null;
  });
  const requests = clients.map((client) => {
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    return cancel(pgfig.port, processID, secretKey);
  });
  await Promise.all(requests);
  t.strictSame(await Promise.all(outcomes), ['57014', '57014', '57014', '57014']);
  for (const client of clients) t.strictSame((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
});

t.test('limits count over all workers', async (t) => {
  const pgfig = await start({ limits: { clients: 3 } });
  for (let open = 1; open <= 3; open++) {
    await connect(t, pgfig);
    await until('the count', async () => (JSON.parse(await get(pgfig, '/api/status')).sessions === open ? true : null));
  }
  await until('53300', async () => {
    const client = new pg.Client(pgfig.url());
    client.on('error', () => {});
    const code = await client.connect().then(
      () => null,
      (error: { code: string }) => error.code,
    );
    await client.end().catch(() => {});
    return code === '53300' ? true : null;
  });
});

t.test('SIGTERM lets transactions end, refuses new clients, and exits with 0', async (t) => {
  const pgfig = await start();
  const busy = await connect(t, pgfig);
  const idle = await connect(t, pgfig);
  await busy.query('BEGIN');
  await busy.query('INSERT INTO users VALUES (2)');
  const before = Date.now();
  const gone = new Promise<void>((resolve) => idle.once('end', () => resolve()));
  const stopped = pgfig.stop();
  await gone;
  await t.rejects(connect(t, pgfig));
  await busy.query('COMMIT');
  t.equal(await stopped, 0);
  t.ok(Date.now() - before < 15_000, 'as soon as the transaction has ended, not at limits.drainTimeout (30 s)');
  t.strictSame((await server.query('DELETE FROM users WHERE id = 2 RETURNING id', 'shop')).rows, [{ id: 2 }]);
});

t.test('--trace prints the messages, without the secrets', async (t) => {
  const pgfig = await start({}, ['--trace']);
  const client = await connect(t, pgfig);
  await client.query('SELECT id FROM users');
  await until('the query', () => (/\tF\t\d+\tQuery\t "SELECT id FROM users"/.test(pgfig.logs()) ? true : null));
  await until('the row', () => (/\tB\t\d+\tDataRow\t 1 1 '1'/.test(pgfig.logs()) ? true : null));
});

/** CancelRequest: Int32 16, Int32 80877102, pid, secret (protocol chapter, Message Formats). */
async function cancel(port: number, pid: number, secret: number): Promise<void> {
  const net = await import('node:net');
  const packet = Buffer.alloc(16);
  for (const [at, value] of [16, 80877102, pid, secret].entries()) packet.writeInt32BE(value | 0, at * 4);
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(packet));
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.resume();
  });
}
