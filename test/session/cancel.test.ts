import net from 'node:net';
import t, { type Test } from 'tap';
import { RawClient } from '../hostile/raw-client.js';
import { connect, failure, startShop, statusOf, until, value } from './two-databases.js';

const WORKERS = 2;
const shop = await startShop({ config: { listen: { workers: WORKERS } } });
const target = { host: shop.pgfig.host, port: shop.pgfig.port, dbname: 'shop' };

/** Sends a CancelRequest, and resolves when its connection has been closed, as libpq's PQcancel does. */
async function cancel(pid: number, secret: number): Promise<void> {
  const packet = Buffer.alloc(16);
  packet.writeInt32BE(16, 0);
  packet.writeInt32BE(80877102, 4);
  packet.writeInt32BE(pid, 8);
  packet.writeInt32BE(secret, 12);
  const socket = net.connect({ host: shop.pgfig.host, port: shop.pgfig.port });
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(packet);
  await new Promise((resolve) => socket.once('close', resolve));
}

interface Key {
  readonly processID: number;
  readonly secretKey: number;
}
const keyOf = (client: object): Key => client as unknown as Key;
const cancelClient = (client: object): Promise<void> => cancel(keyOf(client).processID, keyOf(client).secretKey);

async function active(side: 'inMonolith' | 'inOrders', pattern: string): Promise<boolean> {
  const sql = `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '${pattern}' AND pid <> pg_backend_pid()`;
  return (await shop[side](sql)).length > 0;
}

t.test('pids of the proxy lie above every pid of Linux, and differ', async (t) => {
  const clients = await Promise.all(Array.from({ length: 6 }, () => shop.connect()));
  const pids = clients.map((client) => keyOf(client).processID);
  for (const pid of pids) t.ok(pid > 2 ** 22 && pid < 2 ** 31, String(pid));
  t.equal(new Set(pids).size, pids.length);
  const own = await value(clients[0] as never, 'SELECT pg_backend_pid()');
  t.not(own, pids[0], 'not the pid of the backend: that of another session, elsewhere');
});

t.test('from whichever worker the request reaches', async (t) => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => shop.connect()));
  for (const [at, client] of clients.entries()) {
    const [table, side] = at % 2 === 0 ? (['users', 'inMonolith'] as const) : (['orders', 'inOrders'] as const);
    // Connections are dealt out in turn: so the two requests come to different workers.
    for (const round of [1, 2]) {
      const mark = `cancelled_${at}_${round}`;
      const failing = failure(client.query(`SELECT pg_sleep(20), 1 AS ${mark} FROM ${table}`));
      await until(() => active(side, `%${mark}%`), 'it runs');
      await cancelClient(client);
      t.match(await failing, { code: '57014' });
    }
    t.equal(await value(client, `SELECT count(*)::int FROM ${table}`), 2);
  }
});

t.test('a wrong secret, an unknown pid and a backend’s own pid cancel nothing', async (t) => {
  const client = await shop.connect();
  const backend = (await value(client, 'SELECT pg_backend_pid() FROM users LIMIT 1')) as number;
  const sleeping = client.query('SELECT pg_sleep(0.7), 1 AS undisturbed FROM users LIMIT 1');
  await until(() => active('inMonolith', '%undisturbed%'), 'it runs');
  const { processID, secretKey } = keyOf(client);
  await Promise.all([
    cancel(processID, secretKey ^ 1),
    cancel(processID + 1000, secretKey),
    cancel(backend, secretKey),
    cancel(0, 0),
    cancel(-1, -1),
  ]);
  t.equal((await sleeping).rowCount, 1);
});

t.test('an idle session: its next query is not hit', async (t) => {
  const client = await shop.connect();
  for (let i = 0; i < 20; i++) {
    t.equal(await value(client, `SELECT count(*)::int FROM ${i % 2 === 0 ? 'users' : 'orders'}`), 2);
    await cancelClient(client);
  }
});

t.test('in a transaction over two databases: the one that runs, and the transaction fails', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM users');
  await client.query("INSERT INTO orders VALUES (10, 1, 'x')");
  const failing = failure(client.query('SELECT pg_sleep(20), 1 AS in_two FROM users'));
  await until(() => active('inMonolith', '%in_two%'), 'it runs');
  await cancelClient(client);
  t.match(await failing, { code: '57014' });
  t.match(await failure(client.query('SELECT 1 FROM orders')), { code: '25P02' });
  t.equal((await client.query('COMMIT')).command, 'ROLLBACK');
  t.strictSame(await shop.inOrders('SELECT * FROM orders WHERE id = 10'), []);
});

t.test('pipelined queries: one request cancels one of them', async (t) => {
  const client = await RawClient.login(target as never);
  const { query } = await import('../../src/wire/frontend-messages.js');
  client.send(
    query('SELECT pg_sleep(20), 1 AS first_of FROM users'),
    query('SELECT 2'),
    query('SELECT 3 FROM orders LIMIT 1'),
  );
  await until(() => active('inMonolith', '%first_of%'), 'it runs');
  await cancel(client.key.pid, client.key.secret);
  const answers = [await client.untilReady(), await client.untilReady(), await client.untilReady()];
  t.strictSame(
    answers.map((messages) => messages.map(({ type }) => type).join('')),
    ['TEZ', 'TDCZ', 'TDCZ'],
  );
  client.vanish();
});

t.test('COPY in both directions', async (t) => {
  const { query } = await import('../../src/wire/frontend-messages.js');
  const client = await RawClient.login(target as never);
  client.send(query('COPY orders FROM STDIN'));
  t.equal((await client.message())?.type, 'G');
  await cancel(client.key.pid, client.key.secret);
  // Postgres notices when the next message of the copy comes.
  const { copyDone } = await import('../../src/wire/frontend-messages.js');
  client.send(copyDone);
  const copied = (await client.untilReady()).map(({ type }) => type).join('');
  t.match(copied, /^(EZ|CZ)$/);
  t.equal((await client.rows('SELECT count(*) FROM orders'))[0], '2');
  client.send(query('COPY (SELECT g, pg_sleep(0.001) FROM orders, generate_series(1, 100000) g) TO STDOUT'));
  t.equal((await client.message())?.type, 'H');
  await cancel(client.key.pid, client.key.secret);
  t.equal(
    (await client.untilReady())
      .map(({ type }) => type)
      .filter((type) => type !== 'd')
      .join(''),
    'EZ',
  );
  client.vanish();
});

/**
 * Short queries in many sessions, and cancel requests against some of them at any moment. A session that nobody aims
 * at must never see 57014; one that is aimed at sees it for a query that ran while a request was under way, at most.
 */
t.test('a storm of requests hits those alone that it is aimed at', async (t: Test) => {
  const [aimed, spared] = await Promise.all([
    Promise.all(Array.from({ length: 4 }, () => shop.connect())),
    Promise.all(Array.from({ length: 6 }, () => shop.connect())),
  ]);
  const ends = Date.now() + 2_500;
  let queries = 0;
  let cancelled = 0;
  let requests = 0;
  const strangers: unknown[] = [];
  const run = async (client: (typeof aimed)[number], mayFail: boolean): Promise<void> => {
    for (let i = 0; Date.now() < ends; i++) {
      const table = i % 3 === 0 ? 'orders' : 'users';
      const named = { name: `q_${table}`, text: `SELECT count(*) FROM ${table}`, values: [] };
      try {
        await client.query(i % 2 === 0 ? `SELECT count(*) FROM ${table}` : named);
        queries++;
      } catch (error) {
        if (mayFail && (error as { code?: string }).code === '57014') cancelled++;
        else strangers.push(error);
      }
    }
  };
  const aim = async (client: (typeof aimed)[number]): Promise<void> => {
    while (Date.now() < ends) {
      await cancelClient(client);
      requests++;
    }
  };
  await Promise.all([
    ...aimed.map((client) => run(client, true)),
    ...spared.map((client) => run(client, false)),
    ...aimed.map(aim),
  ]);
  t.strictSame(strangers, []);
  t.comment(`${queries} queries, ${requests} requests, ${cancelled} cancelled`);
  t.ok(queries > 50 && requests > 10, `${queries} queries, ${requests} requests`);
  // When the last request's connection is closed, nothing of the storm is under way any more.
  for (const client of [...aimed, ...spared]) t.equal(await value(client, 'SELECT count(*)::int FROM orders'), 2);
});

t.test('a request that has been answered hits nothing that is sent after it', async (t) => {
  const client = await shop.connect();
  let cancelled = 0;
  for (let i = 0; i < 40; i++) {
    const table = i % 2 === 0 ? 'users' : 'orders';
    const first = client.query(`SELECT count(*) FROM ${table}`).catch(() => cancelled++);
    await Promise.all([first, cancelClient(client)]);
    t.equal(await value(client, `SELECT count(*)::int FROM ${table}`), 2);
  }
  t.comment(`${cancelled} of 40 cancelled`);
});

t.test('COMMIT of a transaction over two databases, while it waits for somebody else', async (t) => {
  await shop.inOrders('ALTER TABLE orders ADD UNIQUE (note) DEFERRABLE INITIALLY DEFERRED');
  const other = await connect(shop.orders.url('orders'));
  await other.query('BEGIN');
  await other.query("INSERT INTO orders VALUES (600, 1, 'taken')");
  for (const commit of ['COMMIT', { name: 'by the extended protocol', text: 'COMMIT' }]) {
    const client = await shop.connect();
    await client.query('BEGIN');
    await client.query("INSERT INTO orders VALUES (601, 1, 'taken')");
    await client.query('SELECT 1 FROM users');
    const failing = failure(client.query(commit));
    await until(() => active('inOrders', 'COMMIT'), 'it waits');
    await cancelClient(client);
    t.match(await failing, { code: '57014' });
    t.equal(await statusOf(client), 'I');
  }
  await other.query('COMMIT');
  t.strictSame(await shop.inOrders('SELECT id FROM orders WHERE id >= 600'), [{ id: 600 }]);
});
