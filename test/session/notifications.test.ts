import type pg from 'pg';
import t from 'tap';
import { RawClient } from '../hostile/raw-client.js';
import { startShop, until, value } from './two-databases.js';

const shop = await startShop();

function heard(client: pg.Client): pg.Notification[] {
  const notifications: pg.Notification[] = [];
  client.on('notification', (notification) => notifications.push(notification));
  return notifications;
}
const texts = (notifications: readonly pg.Notification[]): string[] =>
  notifications.map(({ payload }) => payload ?? '');

t.test('LISTEN hears both databases, by either protocol', async (t) => {
  for (const listen of ['LISTEN news', { name: 'listen', text: 'LISTEN news', values: [] }]) {
    const client = await shop.connect();
    const notifications = heard(client);
    await client.query(listen);
    await shop.inMonolith("NOTIFY news, 'from the monolith'");
    await shop.inOrders("NOTIFY news, 'from orders_db'");
    await until(() => notifications.length >= 2, 'both notifications');
    t.strictSame(texts(notifications).sort(), ['from orders_db', 'from the monolith']);
    await client.query('UNLISTEN news');
    await client.query('SELECT 1 FROM users');
    await shop.inMonolith('NOTIFY news');
    await shop.inOrders('NOTIFY news');
    await client.query('SELECT 1 FROM orders');
    await client.query('SELECT 1 FROM users');
    t.equal(notifications.length, 2, 'UNLISTEN is meant for both, too');
    await client.end();
  }
});

t.test('the pid of one’s own notification is the one that the client knows', async (t) => {
  const client = await shop.connect();
  const notifications = heard(client);
  await client.query('LISTEN own');
  const { processID } = client as unknown as { processID: number };
  for (const table of ['users', 'orders']) {
    await client.query(`SELECT 1 FROM ${table}`);
    await client.query('NOTIFY own');
    await client.query("SELECT pg_notify('own', 'by function')");
    await client.query(`SELECT pg_notify('own', 'over ${table}') FROM ${table} LIMIT 1`);
  }
  await until(() => notifications.length >= 6, 'all six');
  t.equal(notifications.length, 6, 'each once');
  t.ok(
    notifications.every((notification) => notification.processId === processID),
    notifications.map(({ processId }) => processId).join(),
  );
  const other = await shop.connect();
  await other.query('NOTIFY own');
  await until(() => notifications.length >= 7, 'the other one’s');
  t.not(notifications[6]?.processId, processID);
});

t.test('NOTIFY takes part in the transaction: where it writes, or else in the default database', async (t) => {
  const [listener, client] = await Promise.all([shop.connect(), shop.connect()]);
  const notifications = heard(listener);
  await listener.query('LISTEN tx');
  await client.query('BEGIN');
  await client.query("INSERT INTO orders VALUES (10, 1, 'x')");
  await client.query("NOTIFY tx, 'written'");
  t.equal(notifications.length, 0);
  t.equal((await client.query('COMMIT')).command, 'COMMIT');
  await until(() => notifications.length > 0, 'the notification');
  await client.query('BEGIN');
  await client.query("INSERT INTO orders VALUES (11, 1, 'x')");
  await client.query("SELECT pg_notify('tx', 'rolled back')");
  await client.query('ROLLBACK');
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM orders');
  await client.query("NOTIFY tx, 'only read'");
  await client.query('COMMIT');
  await until(() => notifications.length > 1, 'the second one');
  t.strictSame(texts(notifications), ['written', 'only read']);
});

t.test('notifications arrive while the client is silent, and between results', async (t) => {
  const client = await RawClient.login({
    ...shop.pgfig,
    host: shop.pgfig.host,
    port: shop.pgfig.port,
    dbname: 'shop',
  } as never);
  await client.rows('LISTEN quiet');
  await shop.inOrders("NOTIFY quiet, 'unasked'");
  const message = await client.message();
  t.equal(message?.type, 'A');
  t.match(message?.body.toString('latin1', 4), /^quiet\0unasked\0$/);
  client.vanish();
});

t.test('notices of pgfig’s own statements are not shown, those of the client’s are', async (t) => {
  const client = await shop.connect();
  const notices: string[] = [];
  client.on('notice', (notice) => notices.push(notice.message ?? ''));
  await client.query('SET client_min_messages = debug1');
  await client.query('BEGIN');
  await client.query('SAVEPOINT a');
  await client.query('SELECT 1 FROM users');
  await client.query('SELECT 1 FROM orders');
  await client.query('COMMIT');
  notices.length = 0;
  await client.query("DO $$ BEGIN RAISE NOTICE 'from the client'; END $$");
  t.strictSame(
    notices.filter((notice) => /client/.test(notice)),
    ['from the client'],
  );
  t.equal(await value(client, 'SELECT count(*)::int FROM users'), 2);
});
