import { readFileSync } from 'node:fs';
import t from 'tap';
import { query, type RawClient } from '../hostile/raw-client.js';
import { answer, ask, backendOf, endBackend, extended, goOn, login, send, stop, unread } from './raw-session.js';
import { startShop, until } from './two-databases.js';

/**
 * What pgfig puts in front of a request (BEGIN, savepoints, SET LOCAL) may be refused, and the backend then skips what
 * lies behind it. Each request is answered once all the same, an error before its ReadyForQuery, and no backend is left
 * in a transaction that the client knows to be over.
 */
const shop = await startShop({ inMonolith: 'CREATE ROLE only_users; GRANT ALL ON users, audit TO only_users;' });

const NO_ROLE = 'E ERROR 22023 role "only_users" does not exist';
const ABORTED = 'E ERROR 25P02 current transaction is aborted, commands ignored until end of transaction block';

async function play(client: RawClient, ...statements: readonly string[]): Promise<void> {
  for (const sql of statements) t.match(await ask(client, sql), /^C \| ZT$/, sql);
}

/** Another database that joins this transaction is given a role that it does not have. */
async function begin(): Promise<RawClient> {
  const client = await login(shop.pgfig);
  await play(client, 'BEGIN', 'SELECT 1 FROM users', 'SET LOCAL ROLE only_users');
  return client;
}

/** Requests and answers are in step, and no link is still in a transaction. */
async function inStep(client: RawClient): Promise<void> {
  for (const table of ['orders', 'users']) t.equal(await ask(client, `SELECT 1 FROM ${table}`), 'C | ZI', table);
  t.strictSame(await client.rows('SELECT 41 + 1'), ['42']);
  client.vanish();
}

t.test('several Queries behind it, sent at once', async (t) => {
  const client = await begin();
  client.send(query('SELECT 1 FROM orders'), query('SELECT 2 FROM orders'), query('SELECT 3 FROM orders'));
  t.equal(await answer(client), `${NO_ROLE} | ZE`);
  t.equal(await answer(client), `${ABORTED} | ZE`);
  t.equal(await answer(client), `${ABORTED} | ZE`);
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  await inStep(client);
});

t.test('a Query and a pipeline behind it, sent at once', async (t) => {
  const client = await begin();
  client.send(query('SELECT 1 FROM orders'));
  send(client, ...extended('SELECT 2 FROM orders'), 'Sync');
  t.equal(await answer(client), `${NO_ROLE} | ZE`);
  t.equal(await answer(client), `${ABORTED} | ZE`);
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  await inStep(client);
});

t.test('a pipeline behind it, whose end arrives together with the error', async (t) => {
  const client = await login(shop.pgfig);
  const backend = await backendOf(client, 'orders');
  await play(client, 'BEGIN', 'SELECT 1 FROM users', 'SET LOCAL ROLE only_users');
  const children = `/proc/${shop.pgfig.pid}/task/${shop.pgfig.pid}/children`;
  const processes = readFileSync(children, 'utf8').trim().split(' ').map(Number);
  stop(backend);
  send(client, ...extended('SELECT 1 FROM orders'), 'Sync');
  let seen = 0;
  let before = -1;
  await until(() => {
    const now = unread(shop.orders.port);
    seen = now > 0 && now === before ? seen + 1 : 0;
    before = now;
    return seen === 10;
  }, 'all of it has reached the backend');
  for (const pid of processes) stop(pid);
  goOn(backend);
  const state = `SELECT FROM pg_stat_activity WHERE pid = ${backend} AND state = 'idle in transaction (aborted)'`;
  await until(async () => (await shop.inOrders(state)).length === 1, 'the answer');
  for (const pid of processes) goOn(pid);
  t.equal(await answer(client), `${NO_ROLE} | ZE`);
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  await inStep(client);
});

t.test('a statement that is prepared again behind it', async (t) => {
  const client = await login(shop.pgfig);
  const backend = await backendOf(client, 'orders');
  send(client, 'Parse "named" "SELECT 1 FROM orders" []', 'Sync');
  t.equal(await answer(client), '1 | ZI');
  await endBackend(shop.pgfig, backend, shop.inOrders);
  await play(client, 'BEGIN', 'SELECT 1 FROM users', 'SET LOCAL ROLE only_users');
  send(client, 'Bind "" "named" []', 'Execute "" 0', 'Sync');
  t.equal(await answer(client), `${NO_ROLE} | ZE`);
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  await inStep(client);
});

t.test('COMMIT of a transaction that only read', async (t) => {
  const client = await login(shop.pgfig);
  await play(client, 'BEGIN', 'SELECT 1 FROM orders', 'SELECT 1 FROM users', 'SET LOCAL ROLE only_users');
  t.equal(await ask(client, 'COMMIT'), `${NO_ROLE} | ZI`);
  await inStep(client);
});

t.test('COMMIT of one that has written, there', async (t) => {
  const client = await login(shop.pgfig);
  await play(client, 'BEGIN', "INSERT INTO orders VALUES (400, 1, 'x')", 'SELECT 1 FROM users');
  await play(client, 'SET LOCAL ROLE only_users');
  t.equal(await ask(client, 'COMMIT'), `${NO_ROLE} | ZI`);
  await inStep(client);
  t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 400'), []);
});

t.test('ROLLBACK of one that was to join, and could not', async (t) => {
  const client = await login(shop.pgfig);
  await play(client, 'BEGIN', 'SELECT writes_unseen(1) FROM users', 'SET LOCAL ROLE only_users');
  t.match(await ask(client, "INSERT INTO orders VALUES (401, 1, 'x')"), /^E ERROR 0A000 [^|]+ \| ZE$/);
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  await inStep(client);
});

t.test('a link dies while it is asked, at COMMIT, whether it has written', async (t) => {
  const client = await login(shop.pgfig);
  const backend = await backendOf(client, 'users');
  await play(client, 'BEGIN', 'SELECT 1 FROM orders', 'SELECT 1 FROM users');
  stop(backend);
  client.send(query('COMMIT'));
  await until(() => unread(shop.monolith.port) > 0, 'the question');
  await endBackend(shop.pgfig, backend, shop.inMonolith);
  t.match(await answer(client), /^E ERROR 08006 [^|]+ \| ZI$/);
  await inStep(client);
});
