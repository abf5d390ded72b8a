import pg from 'pg';
import t from 'tap';
import { copyDone, query } from '../../src/wire/frontend-messages.js';
import { int32, RawClient } from '../hostile/raw-client.js';
import { failure, startShop, statusOf, until, value } from './two-databases.js';

const SLOW_COMMIT = `
  CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END';
  CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.note = 'slow') EXECUTE FUNCTION slow();`;
const shop = await startShop({ inOrders: SLOW_COMMIT });

/** Ends the backend in orders_db that runs a statement like this one, or has run it last. */
async function endBackend(pattern: string): Promise<number> {
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = 'orders' AND query LIKE '${pattern}' AND pid <> pg_backend_pid()`;
  return (await shop.inOrders(sql)).length;
}

async function runs(pattern: string): Promise<boolean> {
  const sql = `SELECT 1 FROM pg_stat_activity
    WHERE datname = 'orders' AND query LIKE '${pattern}' AND state = 'active' AND pid <> pg_backend_pid()`;
  return (await shop.inOrders(sql)).length > 0;
}

/** Waits until a statement runs that the client does not wait for, and ends its backend. */
async function endInMidQuery(pattern: string): Promise<void> {
  await until(() => runs(pattern), `${pattern} runs`);
  await endBackend(pattern);
}

const ENDED = { code: /^(57P01|08006)$/, severity: 'ERROR', message: /orders_db/ };
const closes = (client: pg.Client): Promise<unknown> => new Promise((resolve) => client.once('end', resolve));

t.test('a backend that dies in mid-query: an error, and no other session feels it', async (t) => {
  const [client, other] = await Promise.all([shop.connect(), shop.connect()]);
  const sleeping = other.query('SELECT pg_sleep(0.5), 7 AS seven FROM orders LIMIT 1');
  const failing = failure(client.query('SELECT pg_sleep(30), 1 AS victim FROM orders'));
  await endInMidQuery('%victim%');
  t.match(await failing, ENDED);
  t.equal(await statusOf(client), 'I');
  t.equal(await value(client, 'SELECT count(*)::int FROM orders'), 2, 'dialled again');
  t.equal(await value(client, 'SELECT count(*)::int FROM users'), 2);
  t.equal((await sleeping).rows[0].seven, 7);
});

t.test('by the extended protocol', async (t) => {
  const client = await shop.connect();
  const text = 'SELECT pg_sleep($1), 1 AS victim2 FROM orders';
  const failing = failure(client.query({ name: 'sleep', text, values: [30] }));
  await endInMidQuery('%victim2%');
  t.match(await failing, ENDED);
  t.equal(await statusOf(client), 'I');
  t.equal((await client.query({ name: 'sleep', text, values: [0] })).rowCount, 2, 'the named statement is still known');
});

t.test('inside a transaction: failed until it is ended, and nothing was committed', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  t.equal(await value(client, 'SELECT count(*)::int FROM users'), 2);
  await client.query("INSERT INTO orders VALUES (50, 1, 'x')");
  const failing = failure(client.query('SELECT pg_sleep(30), 1 AS victim3 FROM orders'));
  await endInMidQuery('%victim3%');
  t.match(await failing, ENDED);
  t.equal(await statusOf(client), 'E');
  t.match(await failure(client.query('SELECT 1 FROM users')), { code: '25P02' });
  t.match(await failure(client.query('SELECT 1 FROM orders')), { code: '25P02' });
  t.equal((await client.query('COMMIT')).command, 'ROLLBACK');
  t.equal(await statusOf(client), 'I');
  t.strictSame(await shop.inOrders('SELECT * FROM orders WHERE id = 50'), []);
  t.equal(await value(client, 'SELECT count(*)::int FROM orders'), 2);
});

t.test('lost while the client is idle in a transaction: the next statement says so', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query("INSERT INTO orders VALUES (51, 1, 'idle victim')");
  t.equal(await endBackend('%idle victim%'), 1);
  const lost = await failure(client.query('SELECT count(*) FROM orders'));
  t.match(lost.code, /^(25P02|08006|57P01)$/);
  t.equal(await statusOf(client), 'E');
  t.equal((await client.query('COMMIT')).command, 'ROLLBACK', 'what it wrote is gone, and must not look committed');
  t.strictSame(await shop.inOrders('SELECT * FROM orders WHERE id = 51'), []);
});

t.test('lost savepoints: ROLLBACK TO does not bring back what was written', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query("INSERT INTO orders VALUES (52, 1, 'savepoint victim')");
  await client.query('SAVEPOINT a');
  await client.query("UPDATE orders SET note = 'savepoint victim 2' WHERE id = 52");
  t.equal(await endBackend('%savepoint victim%'), 1);
  await failure(client.query('SELECT count(*) FROM orders'));
  const back = await client.query('ROLLBACK TO a').catch((error: unknown) => error);
  const inserted = await client.query("INSERT INTO orders VALUES (53, 1, 'after')").catch((error: unknown) => error);
  const ended = await client.query('COMMIT').catch((error: pg.DatabaseError) => error);
  const left = (await shop.inOrders('SELECT id FROM orders WHERE id IN (52, 53) ORDER BY id')).map(({ id }) => id);
  t.not(left.join(), '53', `half of the transaction was committed: ${[back, inserted, ended].map(String).join('; ')}`);
  await shop.inOrders('DELETE FROM orders WHERE id > 50');
});

t.test('lost while idle outside of a transaction: not shown, dialled again', async (t) => {
  const client = await shop.connect();
  await client.query("SELECT 'quiet victim' FROM orders");
  const pid = await value(client, 'SELECT pg_backend_pid() FROM orders LIMIT 1');
  await shop.inOrders(`SELECT pg_terminate_backend(${pid})`);
  await until(
    async () => (await shop.inOrders(`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid}`)).length === 0,
    'its end',
  );
  t.equal(await value(client, 'SELECT count(*)::int FROM users'), 2);
  const again = await value(client, 'SELECT pg_backend_pid() FROM orders LIMIT 1').catch((error: unknown) => error);
  t.type(again, 'number');
  t.not(again, pid);
});

t.test('lost in COMMIT: nobody knows, so the session ends with 08007 and nothing is repeated', async (t) => {
  const holder = await shop.connect();
  const blocker = shop.orders;
  await blocker.query('SELECT 1', 'orders');
  for (const how of ['alone', 'with a second database', 'by the extended protocol']) {
    const id = how === 'alone' ? 61 : how === 'with a second database' ? 62 : 63;
    const client = await shop.connect();
    // The lock that the deferred trigger waits for is held by a session of its own.
    const locker = new pg.Client({ connectionString: shop.orders.url('orders') });
    await locker.connect();
    await locker.query('SELECT pg_advisory_lock(77)');
    try {
      await client.query('BEGIN');
      if (how !== 'alone') await client.query('SELECT 1 FROM users');
      await client.query(`INSERT INTO orders VALUES (${id}, 1, 'slow')`);
      const ended = closes(client);
      const failing = failure(
        client.query(how === 'by the extended protocol' ? { text: 'COMMIT', values: [], name: 'c' } : 'COMMIT'),
      );
      const blocked = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
      await until(async () => (await shop.inOrders(blocked)).length > 0, 'the COMMIT waits');
      await shop.inOrders(`SELECT pg_terminate_backend(pid) FROM (${blocked}) AS b`);
      t.match(await failing, { code: '08007', severity: 'FATAL', message: /orders_db/ }, how);
      await ended;
    } finally {
      await locker.end();
    }
    t.strictSame(await shop.inOrders(`SELECT id FROM orders WHERE id = ${id}`), [], 'not repeated');
  }
  t.equal(await value(holder, 'SELECT count(*)::int FROM users'), 2);
});

t.test('a link that holds state takes the session with it', async (t) => {
  const kinds: [string, string][] = [
    ['a temporary table', 'CREATE TEMP TABLE tmp AS SELECT * FROM orders'],
    ['LISTEN', 'LISTEN news'],
    ['a cursor WITH HOLD', 'DECLARE c CURSOR WITH HOLD FOR SELECT * FROM orders'],
  ];
  for (const [name, sql] of kinds) {
    const client = await shop.connect();
    await client.query('SELECT 1 FROM users');
    await client.query(sql);
    const pid = await value(client, 'SELECT pg_backend_pid() FROM orders LIMIT 1');
    const ended = closes(client);
    const words = new Promise<pg.DatabaseError>((resolve) =>
      client.once('error', (error) => resolve(error as pg.DatabaseError)),
    );
    await shop.inOrders(`SELECT pg_terminate_backend(${pid})`);
    t.match(await words, { code: '57P01', severity: 'FATAL' }, name);
    await ended;
  }
});

t.test('lost while the client sends more than the backend takes: the client is still read', async (t) => {
  const client = await shop.connect();
  const pid = await value(client, 'SELECT pg_backend_pid() FROM orders LIMIT 1');
  const raw = await RawClient.login({ host: shop.pgfig.host, port: shop.pgfig.port, dbname: 'shop' } as never);
  const [own] = await raw.rows('SELECT pg_backend_pid() FROM orders LIMIT 1');
  t.not(String(pid), own);
  // The lock makes the backend stop reading the copy at its first row.
  const locker = new pg.Client({ connectionString: shop.orders.url('orders') });
  await locker.connect();
  await locker.query('BEGIN; INSERT INTO orders VALUES (90, 1, NULL)');
  try {
    raw.send(query('COPY orders FROM STDIN'));
    t.equal((await raw.message())?.type, 'G');
    const row = Buffer.from('90\t1\tx\n');
    const data = Buffer.concat([Buffer.from('d'), int32(row.length + 4), row]);
    const chunk = Buffer.concat(Array.from({ length: 5_000 }, () => data));
    // Until nothing more is taken: the proxy has stopped reading.
    while (raw.send(chunk)) await new Promise((resolve) => setImmediate(resolve));
    await until(() => raw.socket.writableLength > 0, 'the client is held back');
    for (let i = 0; i < 200; i++) raw.send(chunk);
    await shop.inOrders(`SELECT pg_terminate_backend(${own})`);
    t.match((await raw.untilReady()).map(({ type }) => type).join(''), /^E+Z$/);
    raw.send(copyDone);
    t.strictSame(await raw.rows('SELECT count(*) FROM users'), ['2']);
  } finally {
    await locker.end();
    raw.vanish();
  }
});
