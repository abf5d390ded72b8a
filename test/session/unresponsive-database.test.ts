import net from 'node:net';
import pg from 'pg';
import t from 'tap';
import { startPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { connect, failure, statusOf, until, value } from './two-databases.js';

/** Takes connections and never says a word, as a hung server or a firewall that drops packets does. */
const silent = { connections: 0, open: new Set<net.Socket>() };
const server = net.createServer((socket) => {
  silent.connections++;
  silent.open.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => silent.open.delete(socket));
  socket.resume();
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
t.teardown(() => {
  for (const socket of silent.open) socket.destroy();
  server.close();
});
const { port } = server.address() as net.AddressInfo;

const monolith = await startPostgres();
await monolith.query('CREATE TABLE users (id int); INSERT INTO users VALUES (1), (2)');
const pgfig = await startPgfig({
  databases: { monolith: monolith.url(), orders_db: `postgres://postgres@127.0.0.1:${port}/orders?connect_timeout=3` },
  rules: { orders: { database: 'orders_db', tables: ['public.orders'], phase: 'write-new' } },
  config: { homes: { 'order-service': 'orders_db' } },
});
const USERS = 'SELECT count(*)::int FROM users';

async function cancel(client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const packet = Buffer.alloc(16);
  for (const [at, word] of [16, 80877102, processID, secretKey].entries()) packet.writeInt32BE(word, at * 4);
  const socket = net.connect({ host: pgfig.host, port: pgfig.port });
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(packet);
  await new Promise((resolve) => socket.once('close', resolve));
}

t.test('a cancel while the database is dialled: 57014, at once', async (t) => {
  const client = await connect(pgfig.url());
  for (const text of ['SELECT 1 FROM orders', { name: 'named', text: 'SELECT 1 FROM orders', values: [] }]) {
    const before = silent.connections;
    const failing = failure(client.query(text));
    await until(() => silent.connections > before, 'it is dialled');
    const began = Date.now();
    await cancel(client);
    t.match(await failing, { code: '57014', severity: 'ERROR' });
    t.ok(Date.now() - began < 2_000, `${Date.now() - began} ms`);
    t.equal(await statusOf(client), 'I');
    t.equal(await value(client, USERS), 2);
  }
  await until(() => silent.open.size === 0, 'the dialled connection is given up');
});

t.test('it is given up after connect_timeout, and nobody else waits', async (t) => {
  const [client, other] = await Promise.all([connect(pgfig.url()), connect(pgfig.url())]);
  await client.query('BEGIN');
  await client.query('INSERT INTO users VALUES (3)');
  const began = Date.now();
  const failing = failure(client.query('SELECT 1 FROM orders'));
  let answered = 0;
  const ended = failing.then(() => true);
  while (!(await Promise.race([ended, Promise.resolve(false)]))) {
    if ((await value(other, USERS)) !== 2) t.fail('another session');
    answered++;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.match(await failing, { code: '08006', message: /orders_db/ });
  t.ok(Date.now() - began < 6_000, `${Date.now() - began} ms`);
  t.ok(answered > 10, `${answered} answers meanwhile`);
  t.equal(await statusOf(client), 'E');
  t.equal((await client.query('COMMIT')).command, 'ROLLBACK');
});

t.test('a service whose home it is logs in elsewhere, in bounded time', async (t) => {
  const began = Date.now();
  const client = await connect(pgfig.url(), { application_name: 'order-service' });
  t.ok(Date.now() - began < 6_000, `${Date.now() - began} ms`);
  t.equal(await value(client, USERS), 2);
});

t.test('a client that leaves while the database is dialled takes the dialling along', async () => {
  const client = new pg.Client({ connectionString: pgfig.url() });
  client.on('error', () => undefined);
  await client.connect();
  const before = silent.connections;
  client.query('SELECT 1 FROM orders').catch(() => undefined);
  await until(() => silent.connections > before, 'it is dialled');
  (client as unknown as { connection: { stream: net.Socket } }).connection.stream.destroy();
  await until(() => silent.open.size === 0, 'the dialled connection is given up');
});
