import t from 'tap';
import { query, type RawClient } from '../hostile/raw-client.js';
import { answer, ask, backendOf, endBackend, extended, goOn, login, send, stop, unread } from './raw-session.js';
import { startShop, until } from './two-databases.js';

/**
 * A request is answered once, whatever becomes of the databases while it is worked on. A second answer would be taken
 * for the next request's, and every answer after it for the one after that: a COMMIT that is told what an INSERT was.
 * One that is not answered at all is waited for until somebody gives up.
 */
const shop = await startShop({
  inOrders: `
    CREATE TABLE parts (order_id int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
    CREATE FUNCTION writes_late(int) RETURNS int LANGUAGE plpgsql AS
      $$ BEGIN EXECUTE format('INSERT INTO parts VALUES (%s)', -$1); RETURN $1; END $$;`,
});
const { pgfig } = shop;

async function open(): Promise<{ readonly client: RawClient; readonly inUsers: number; readonly inOrders: number }> {
  const client = await login(pgfig);
  return { client, inUsers: await backendOf(client, 'users'), inOrders: await backendOf(client, 'orders') };
}

/** A pipeline fails, which the client is told, and its link ends with the Sync on its way. */
async function diesBehindError(client: RawClient, inOrders: number): Promise<void> {
  send(client, ...extended('SELECT 1/0 FROM orders'), 'Flush');
  while ((await client.message())?.type !== 'E');
  stop(inOrders);
  send(client, 'Sync');
  await until(() => unread(shop.orders.port) > 0, 'the Sync');
  await endBackend(pgfig, inOrders, shop.inOrders);
}

const ENDED = /^E ERROR 08006 [^|]+ \| ZI$/;

t.test('a link dies while another is asked whether the statement may write there', async (t) => {
  const { client, inUsers, inOrders } = await open();
  for (const sql of ['BEGIN', 'SELECT count(*) FROM orders', 'SELECT count(*) FROM users', 'SAVEPOINT a'])
    t.equal(await ask(client, sql), 'C | ZT');
  stop(inUsers);
  // It waits for the users' backend, with the savepoint, which is to go before it, already held for its own.
  client.send(query("INSERT INTO orders VALUES (300, 1, 'x')"));
  await endBackend(pgfig, inOrders, shop.inOrders);
  goOn(inUsers);
  t.match(await answer(client), /^E ERROR 08006 [^|]+ \| ZE$/);
  t.equal(await ask(client, 'COMMIT'), 'C | ZI');
  t.strictSame(await client.rows('SELECT 41 + 1'), ['42'], 'answers and requests are in step');
  t.strictSame(await client.rows('SELECT 41 + 2'), ['43']);
  t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 300'), []);
  client.vanish();
});

t.test('a link dies while what resets a session is repeated there', async (t) => {
  const { client, inUsers } = await open();
  stop(inUsers);
  t.equal(await ask(client, 'DISCARD ALL'), 'C | ZI');
  await shop.inMonolith(`SELECT pg_terminate_backend(${inUsers})`);
  client.send(query('SELECT 41 + 1 FROM orders LIMIT 1'));
  goOn(inUsers);
  const rows = (await client.untilReady())
    .filter(({ type }) => type === 'D')
    .map(({ body }) => body.toString('utf8', 6));
  t.strictSame(rows, ['42']);
  t.strictSame(await client.rows('SELECT 41 + 2 FROM orders LIMIT 1'), ['43']);
  client.vanish();
});

t.test('a Query behind a pipeline whose link has died', async (t) => {
  const { client, inOrders } = await open();
  send(client, ...extended('SELECT 1 FROM orders'), 'Flush');
  while ((await client.message())?.type !== 'C');
  await endBackend(pgfig, inOrders, shop.inOrders);
  t.match(await ask(client, 'SELECT 1 FROM users'), ENDED);
  t.strictSame(await client.rows('SELECT 41 + 1 FROM orders LIMIT 1'), ['42']);
  client.vanish();
});

t.test('ROLLBACK behind a pipeline whose link has died', async (t) => {
  const { client, inOrders } = await open();
  t.equal(await ask(client, 'BEGIN'), 'C | ZT');
  send(client, ...extended('SELECT 1 FROM orders'), 'Flush');
  while ((await client.message())?.type !== 'C');
  await endBackend(pgfig, inOrders, shop.inOrders);
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  t.strictSame(await client.rows('SELECT 41 + 1 FROM orders LIMIT 1'), ['42']);
  client.vanish();
});

t.test('a link dies behind an error that has been told, before the ReadyForQuery of its pipeline', async (t) => {
  const { client, inOrders } = await open();
  await diesBehindError(client, inOrders);
  t.equal(await answer(client), 'ZI');
  t.strictSame(await client.rows('SELECT 41 + 1 FROM users LIMIT 1'), ['42']);
  client.vanish();
});

t.test('the same within a transaction: what comes next is told of the loss', async (t) => {
  const { client, inOrders } = await open();
  for (const sql of ['BEGIN', 'SELECT 1 FROM users']) t.equal(await ask(client, sql), 'C | ZT');
  await diesBehindError(client, inOrders);
  t.equal(await answer(client), 'ZE');
  t.match(await ask(client, 'SELECT 1 FROM users'), /^E ERROR 08006 [^|]+ \| ZE$/);
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  client.vanish();
});

t.test('a FunctionCall behind an error of its pipeline', async (t) => {
  const { client } = await open();
  const now = 1299;
  send(client, ...extended('SELECT 1/0 FROM users'), `FunctionCall ${now} []`, 'Sync');
  t.equal(await answer(client), '1 | E ERROR 22012 division by zero | ZI');
  t.strictSame(await client.rows('SELECT 41 + 1 FROM users LIMIT 1'), ['42']);
  t.strictSame(await client.rows('SELECT 41 + 2 FROM orders LIMIT 1'), ['43']);
  client.vanish();
});

t.test('a FunctionCall on one link of a transaction that has failed on another', async (t) => {
  const { client } = await open();
  for (const sql of ['BEGIN', "INSERT INTO users VALUES (302, 'x')"]) t.equal(await ask(client, sql), 'C | ZT');
  t.equal(await ask(client, 'SELECT 1/0 FROM orders'), 'E ERROR 22012 division by zero | ZE');
  const now = 1299;
  send(client, `FunctionCall ${now} []`);
  t.match(await answer(client), /^E ERROR 25P02 [^|]+ \| ZE$/);
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  client.vanish();
});

t.test('a link dies while a failed pipeline is undone there', async (t) => {
  const { client, inUsers, inOrders } = await open();
  for (const sql of ["INSERT INTO orders VALUES (301, 1, 'x')", 'SELECT 1 FROM users']) {
    send(client, ...extended(sql), 'Flush');
    while ((await client.message())?.type !== 'C');
  }
  stop(inOrders);
  send(client, ...extended("INSERT INTO users VALUES (301, 'x')"), 'Flush');
  await client.message();
  t.equal((await client.message())?.type, 'E', 'a second writer');
  send(client, 'Sync');
  const undone = `SELECT FROM pg_stat_activity WHERE pid = ${inUsers} AND state = 'idle' AND query = 'ROLLBACK'`;
  await until(async () => (await shop.inMonolith(undone)).length === 1, 'the Sync');
  await endBackend(pgfig, inOrders, shop.inOrders);
  t.equal(await answer(client), 'ZI');
  t.strictSame(await client.rows('SELECT 41 + 1 FROM orders LIMIT 1'), ['42']);
  t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 301'), []);
  client.vanish();
});

t.test('a link dies during COPY FROM STDIN: what is asked next is waited for', async (t) => {
  const { client, inUsers } = await open();
  t.equal(await ask(client, "SET app.name = 'Ada'"), 'C | ZI');
  client.send(query('COPY users FROM STDIN'));
  t.equal((await client.message())?.type, 'G');
  await endBackend(pgfig, inUsers, shop.inMonolith);
  t.match(await answer(client), /^E ERROR 57P01 [^|]+ \| ZI$/);
  t.equal(await ask(client, 'DISCARD ALL'), 'C | ZI');
  t.strictSame(await client.rows("SELECT current_setting('app.name', true) FROM orders LIMIT 1"), ['']);
  client.vanish();
});

t.test(
  'a link dies behind its part of a split string, before what another part has written is committed',
  async (t) => {
    const { client, inUsers, inOrders } = await open();
    stop(inOrders);
    client.send(query('SELECT name FROM users; SELECT writes_unseen(72) FROM orders LIMIT 1'));
    await until(() => unread(shop.orders.port) > 0, 'the second part');
    await endBackend(pgfig, inUsers, shop.inMonolith);
    goOn(inOrders);
    t.match(await answer(client), /^C \| C \| E ERROR 08006 [^|]+ \| ZI$/);
    t.strictSame(await shop.inOrders('SELECT * FROM audit'), []);
    t.strictSame(await client.rows('SELECT 41 + 1 FROM orders LIMIT 1'), ['42']);
    client.vanish();
  },
);

/** A pipeline's error is told, and then its link dies before Sync. */
async function failedAndLost(): Promise<{ readonly client: RawClient; readonly inUsers: number }> {
  const { client, inUsers, inOrders } = await open();
  send(client, ...extended('SELECT 1/0 FROM orders'), 'Flush');
  while ((await client.message())?.type !== 'E');
  await endBackend(pgfig, inOrders, shop.inOrders);
  send(client, 'Sync');
  t.equal(await answer(client), 'ZI');
  return { client, inUsers };
}

t.test('a link dies behind an error of its pipeline, before Sync: the next loss is told', async (t) => {
  const { client, inUsers } = await failedAndLost();
  client.send(query("INSERT INTO users SELECT 304, 'x' FROM pg_sleep(60)"));
  const running = `SELECT FROM pg_stat_activity WHERE pid = ${inUsers} AND state = 'active'`;
  await until(async () => (await shop.inMonolith(running)).length === 1, 'the INSERT');
  await endBackend(pgfig, inUsers, shop.inMonolith);
  t.match(await answer(client), /^E ERROR 57P01 [^|]+ \| ZI$/);
  client.vanish();
});

t.test('and what is set next counts as set', async (t) => {
  const { client } = await failedAndLost();
  t.equal(await ask(client, "SET app.name = 'Ada'"), 'C | ZI');
  t.strictSame(await client.rows("SELECT current_setting('app.name', true) FROM orders LIMIT 1"), ['Ada']);
  client.vanish();
});

t.test('a Query behind a pipeline that has written elsewhere: they would not be one transaction', async (t) => {
  const { client } = await open();
  for (const sql of ['SELECT 1/0 FROM users', 'SELECT 1 FROM users', "INSERT INTO users VALUES (305, 'x')"]) {
    send(client, ...extended("INSERT INTO orders VALUES (305, 1, 'x')"));
    client.send(query(sql));
    t.match(await answer(client), /^1 \| 2 \| C \| E ERROR 0A000 [^|]+ \| ZI$/, sql);
    t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 305'), []);
  }
  t.equal(await ask(client, 'SELECT 1 FROM users'), 'C | ZI');
  client.vanish();
});

t.test('the end of a pipeline on another database fails: the Query behind it is told', async (t) => {
  const { client } = await open();
  send(client, ...extended('SELECT writes_late(1) FROM orders LIMIT 1'));
  client.send(query('SELECT 1 FROM users'));
  t.match(await answer(client), /^1 \| 2 \| C \| E ERROR 23503 [^|]+ \| ZI$/);
  t.equal(await ask(client, 'SELECT 1 FROM users'), 'C | ZI');
  client.vanish();
});

t.test('what lies in front of Terminate is carried out', async (t) => {
  for (const [id, how] of [
    [306, 'Query'],
    [307, 'pipeline'],
  ] as const) {
    const { client } = await open();
    const sql = `INSERT INTO users VALUES (${id}, 'x')`;
    if (how === 'Query') send(client, `Query ${JSON.stringify(sql)}`, 'Terminate');
    else send(client, ...extended(sql), 'Sync', 'Terminate');
    await client.untilClosed();
    const written = async () => (await shop.inMonolith(`SELECT FROM users WHERE id = ${id}`)).length === 1;
    await until(written, `the row by ${how}`);
    t.pass(how);
  }
});

t.test('a Query behind LISTEN that does not reach every database', async (t) => {
  const client = await login(pgfig);
  t.equal(await ask(client, 'SELECT 1 FROM users'), 'C | ZI');
  await shop.orders.stop();
  send(client, ...extended('LISTEN news'), 'Flush');
  client.send(query('SELECT 1 FROM users'));
  t.match(await answer(client), /^1 \| 2 \| C \| E ERROR 08006 [^|]+ \| ZI$/);
  t.equal(await ask(client, 'SELECT 1 FROM users'), 'C | ZI');
  client.vanish();
});
