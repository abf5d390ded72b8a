import t from 'tap';
import { connect, failure, startShop, statusOf, until, value } from './two-databases.js';

const shop = await startShop({ config: { homes: { 'order-service': 'orders_db' } } });
const USERS = 'SELECT count(*)::int FROM users';
const ORDERS = 'SELECT count(*)::int FROM orders';

/** 08006 with the database's name, and soon. */
const UNREACHABLE = (database: string): object => ({ code: '08006', message: new RegExp(database), severity: 'ERROR' });
const SOON = 5_000;

t.test('the monolith is stopped: a service of orders_db connects and works', async (t) => {
  const before = await shop.connect();
  t.equal(await value(before, ORDERS), 2);
  await shop.monolith.stop();

  const client = await shop.connect({ application_name: 'order-service' });
  t.equal(await value(client, ORDERS), 2);
  await client.query('BEGIN');
  await client.query("INSERT INTO orders VALUES (100, 1, 'x')");
  await client.query('COMMIT');
  t.equal(await value(client, 'SELECT 1'), 1);
  t.equal((await value(client, "SELECT current_setting('server_version')")) !== null, true);
  await client.query("SET application_name = 'other'");
  await client.query('DISCARD ALL');
  t.strictSame(await shop.inOrders('SELECT note FROM orders WHERE id = 100'), [{ note: 'x' }]);
  await shop.inOrders('DELETE FROM orders WHERE id = 100');

  await t.test('what needs the stopped one is told so, soon, and the session goes on', async (t) => {
    const began = Date.now();
    t.match(await failure(client.query(USERS)), UNREACHABLE('monolith'));
    t.ok(Date.now() - began < SOON, `${Date.now() - began} ms`);
    t.equal(await statusOf(client), 'I');
    t.equal(await value(client, ORDERS), 2);
    t.match(await failure(client.query({ text: USERS, name: 'named' })), UNREACHABLE('monolith'));
    t.equal(await statusOf(client), 'I');
    t.equal(await value(client, ORDERS), 2);
  });

  await t.test('inside a transaction it fails the transaction, as any error does', async (t) => {
    await client.query('BEGIN');
    await client.query("INSERT INTO orders VALUES (101, 1, 'x')");
    t.match(await failure(client.query(USERS)), UNREACHABLE('monolith'));
    t.equal(await statusOf(client), 'E');
    t.match(await failure(client.query(ORDERS)), { code: '25P02' });
    t.equal((await client.query('COMMIT')).command, 'ROLLBACK');
    t.equal(await statusOf(client), 'I');
    t.equal(await value(client, ORDERS), 2);
  });

  await t.test('a service without a home of its own takes what there is', async (t) => {
    const began = Date.now();
    const other = await shop.connect({ application_name: 'nobody-knows' });
    t.ok(Date.now() - began < SOON, `${Date.now() - began} ms`);
    t.equal(await value(other, ORDERS), 2);
    t.match(await failure(other.query(USERS)), UNREACHABLE('monolith'));
  });

  await t.test('a session that was open before goes on with what is left', async (t) => {
    t.equal(await value(before, ORDERS), 2);
    t.match(await failure(before.query(USERS)), { code: '08006', message: /monolith/ });
    t.equal(await value(before, ORDERS), 2);
  });

  await shop.monolith.restart();
  await t.test('it works again when it is back, in the same session', async (t) => {
    await until(async () => (await value(client, USERS).catch(() => null)) === 2, 'users');
    t.equal(await value(client, ORDERS), 2);
    await until(async () => (await value(before, USERS).catch(() => null)) === 2, 'users, in the older session');
  });
});

t.test('orders_db is stopped: a service of the monolith connects and works', async (t) => {
  const before = await shop.connect();
  t.equal(await value(before, ORDERS), 2);
  await shop.orders.kill();
  const client = await shop.connect();
  t.equal(await value(client, USERS), 2);
  await client.query('BEGIN');
  await client.query("INSERT INTO users VALUES (100, 'x')");
  const began = Date.now();
  t.match(await failure(client.query(ORDERS)), UNREACHABLE('orders_db'));
  t.ok(Date.now() - began < SOON, `${Date.now() - began} ms`);
  t.equal((await client.query('COMMIT')).command, 'ROLLBACK');
  t.equal(await value(client, USERS), 2);
  t.equal(await value(before, USERS), 2, 'a session that was open before goes on');
  t.match(await failure(before.query(ORDERS)), { code: '08006', message: /orders_db/ });
  await t.test('a service whose home it is connects all the same', async (t) => {
    const service = await shop.connect({ application_name: 'order-service' });
    t.equal(await value(service, USERS), 2);
    t.match(await failure(service.query(ORDERS)), UNREACHABLE('orders_db'));
  });
  await shop.orders.restart();
  await until(async () => (await value(client, ORDERS).catch(() => null)) === 2, 'orders');
  await until(async () => (await value(before, ORDERS).catch(() => null)) === 2, 'orders, in the older session');
});

t.test('both are stopped: a client is told at login', async (t) => {
  await Promise.all([shop.monolith.stop(), shop.orders.stop()]);
  const began = Date.now();
  t.match(await failure(connect(shop.pgfig.url())), { code: '08006', severity: 'FATAL' });
  t.ok(Date.now() - began < SOON, `${Date.now() - began} ms`);
  await Promise.all([shop.monolith.restart(), shop.orders.restart()]);
  await until(async () => {
    const client = await connect(shop.pgfig.url()).catch(() => null);
    return client !== null && (await value(client, USERS)) === 2 && (await value(client, ORDERS)) === 2;
  }, 'both again');
});
