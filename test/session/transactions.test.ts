import type pg from 'pg';
import t from 'tap';
import { parseSend } from '../conversations/encode.js';
import { WireClient } from '../conversations/wire-client.js';
import { failure, startShop, statusOf, value } from './two-databases.js';

const FAILS_AT_COMMIT = `
  CREATE TABLE checked (id int);
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not that one'; END $$;
  CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON checked DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse();
  CREATE FUNCTION fails_at_commit(int) RETURNS int LANGUAGE sql AS 'INSERT INTO checked VALUES ($1) RETURNING id';`;
const shop = await startShop({ inMonolith: FAILS_AT_COMMIT });
const orderNotes = async (where: string): Promise<string> =>
  (await shop.inOrders(`SELECT note FROM orders WHERE ${where} ORDER BY id`)).map(({ note }) => note).join();

/** Runs one statement after the other; gives the tag, or the SQLSTATE of its error, of each. */
async function play(client: pg.Client, ...statements: string[]): Promise<string[]> {
  const seen: string[] = [];
  for (const sql of statements) {
    seen.push(
      await client.query(sql).then(
        (result) => (result.rowCount === null ? '' : result.command) || result.command,
        (error: pg.DatabaseError) => error.code ?? 'no code',
      ),
    );
  }
  return seen;
}

t.test('a function that writes unseen in the one database, then a write in the other', async (t) => {
  const client = await shop.connect();
  for (const [order, statements] of Object.entries({
    'hidden write first': ['SELECT writes_unseen(1) FROM users', "INSERT INTO orders VALUES (10, 1, 'x')"],
    'hidden write second': ["INSERT INTO orders VALUES (10, 1, 'x')", 'SELECT writes_unseen(1) FROM users'],
    'hidden write in orders_db first': ['SELECT writes_unseen(1) FROM orders', "INSERT INTO users VALUES (10, 'x')"],
    'hidden write in orders_db second': ["INSERT INTO users VALUES (10, 'x')", 'SELECT writes_unseen(1) FROM orders'],
  })) {
    const [begun, first, second, ended] = await play(client, 'BEGIN', ...statements, 'COMMIT');
    t.strictSame([begun, ended], ['BEGIN', 'ROLLBACK'], order);
    t.ok(['SELECT', 'INSERT'].includes(first ?? ''), `${order}: ${first}`);
    t.match(second, /^(25006|0A000)$/, order);
  }
  t.strictSame(await shop.inMonolith('SELECT * FROM audit'), [], 'nothing of it was committed');
  t.strictSame(await shop.inOrders('SELECT * FROM audit'), []);
  t.equal(await orderNotes('id = 10'), '');
});

t.test('the same in functions of both databases: none is seen, and they do not both commit', async (t) => {
  const client = await shop.connect();
  const seen = await play(
    client,
    'BEGIN',
    'SELECT writes_unseen(2) FROM users',
    'SELECT writes_unseen(2) FROM orders',
    'COMMIT',
  );
  const [monolith, orders] = await Promise.all([
    shop.inMonolith('SELECT * FROM audit WHERE id = 2'),
    shop.inOrders('SELECT * FROM audit WHERE id = 2'),
  ]);
  t.ok(monolith.length === 0 || orders.length === 0, `both have written: ${seen.join(' ')}`);
});

t.test('row locks count as writes', async (t) => {
  const client = await shop.connect();
  const locked = await play(
    client,
    'BEGIN',
    'SELECT * FROM users FOR UPDATE',
    "INSERT INTO orders VALUES (11, 1, 'x')",
    'COMMIT',
  );
  t.strictSame(locked, ['BEGIN', 'SELECT', '0A000', 'ROLLBACK']);
  t.strictSame(await play(client, 'BEGIN', 'LOCK TABLE users', 'SELECT 1 FROM orders FOR SHARE', 'ROLLBACK'), [
    'BEGIN',
    'LOCK',
    '0A000',
    'ROLLBACK',
  ]);
});

t.test('REPEATABLE READ and SERIALIZABLE over two databases have no common snapshot', async (t) => {
  const client = await shop.connect();
  const ways: Record<string, string[]> = {
    'in BEGIN': ['BEGIN ISOLATION LEVEL REPEATABLE READ'],
    'in SET TRANSACTION': ['BEGIN', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'],
    'as the default of the session': ["SET default_transaction_isolation = 'repeatable read'", 'BEGIN'],
    'in SESSION CHARACTERISTICS': ['SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'BEGIN'],
  };
  for (const [name, statements] of Object.entries(ways)) {
    const before = await play(client, ...statements);
    t.ok(
      before.every((tag) => /^[A-Z]+$/.test(tag)),
      before.join(),
    );
    const seen = await play(client, 'SELECT 1 FROM users', 'SELECT 1 FROM orders', 'COMMIT');
    t.strictSame(seen, ['SELECT', '0A000', 'ROLLBACK'], name);
    await client.query('RESET ALL');
  }
  t.strictSame(await play(client, 'BEGIN ISOLATION LEVEL SERIALIZABLE', 'SELECT 1 FROM orders', 'COMMIT'), [
    'BEGIN',
    'SELECT',
    'COMMIT',
  ]);
});

t.test('a pipeline has one snapshot where transactions have one by default', async (t) => {
  const { host, port } = shop.pgfig;
  const client = await WireClient.connect({ host, port, user: 'postgres', database: 'shop' });
  t.teardown(() => client.end());
  const told = async (...messages: string[]): Promise<string[]> => {
    await client.send(messages.map(parseSend));
    const lines = (await client.until('ReadyForQuery')).map(({ line }) => line);
    return lines.filter((line) => /^(DataRow|Error|Ready)/.test(line)).map((line) => line.slice(0, 25));
  };
  const run = (sql: string): string[] => [`Parse "" "${sql}" []`, 'Bind "" "" []', 'Execute "" 0'];
  await told('Startup {"user": "postgres", "database": "shop"}');
  const both = [...run('SELECT name FROM users WHERE id = 1'), ...run('SELECT id FROM orders WHERE id = 1'), 'Sync'];
  t.strictSame(await told(...both), ['DataRow "Ada"', 'DataRow "1"', 'ReadyForQuery I']);
  await told(`Query "SET default_transaction_isolation = 'repeatable read'"`);
  t.strictSame(await told(...both), ['DataRow "Ada"', 'ErrorResponse ERROR 0A000', 'ReadyForQuery I']);
  t.strictSame(await told(...both.slice(0, 3), 'Sync'), ['DataRow "Ada"', 'ReadyForQuery I']);
  t.strictSame(await told(...both.slice(3)), ['DataRow "1"', 'ReadyForQuery I'], 'the next one may go elsewhere');
  t.strictSame(
    await told(...both.slice(0, 3), 'Query "SELECT id FROM orders WHERE id = 1"'),
    ['DataRow "Ada"', 'ErrorResponse ERROR 0A000', 'ReadyForQuery I'],
    'a Query belongs to the pipeline that it ends',
  );
  await told('Query "RESET ALL"');
  t.strictSame(await told(...both), ['DataRow "Ada"', 'DataRow "1"', 'ReadyForQuery I']);
});

t.test('a Query that pgfig refuses undoes the pipeline that it would have ended', async (t) => {
  const { host, port } = shop.pgfig;
  const client = await WireClient.connect({ host, port, user: 'postgres', database: 'shop' });
  t.teardown(() => client.end());
  const send = async (...messages: string[]): Promise<string> => {
    await client.send(messages.map(parseSend));
    return (await client.until('ReadyForQuery')).map(({ line }) => line).join('\n');
  };
  await send('Startup {"user": "postgres", "database": "shop"}');
  const insert = ['Parse "" "INSERT INTO users VALUES (77, \'x\')" []', 'Bind "" "" []', 'Execute "" 0'];
  t.match(await send(...insert, 'Query "INSERT INTO orders VALUES (77, 1)"'), /0A000[\s\S]*ReadyForQuery I$/);
  t.match(await send('Query "SELECT count(*) FROM users WHERE id = 77"'), /DataRow "0"/);
  t.match(await send('Query "INSERT INTO orders VALUES (77, 1)"'), /INSERT 0 1/, 'and the session goes on');
  await shop.inOrders('DELETE FROM orders WHERE id = 77');
});

t.test('a late joiner is given SET LOCAL and savepoints', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query("SET LOCAL work_mem = '3MB'");
  await client.query('SELECT 1 FROM users');
  await client.query('SAVEPOINT a');
  await client.query("SET LOCAL work_mem = '4MB'");
  await client.query("SET LOCAL app.tenant = 'ada'");
  t.equal(await value(client, "SELECT current_setting('work_mem') FROM orders LIMIT 1"), '4MB');
  t.equal(await value(client, "SELECT current_setting('app.tenant') FROM orders LIMIT 1"), 'ada');
  await client.query("INSERT INTO orders VALUES (20, 1, 'a')");
  await client.query('ROLLBACK TO a');
  t.equal(await value(client, "SELECT current_setting('work_mem') FROM orders LIMIT 1"), '3MB');
  t.equal(await value(client, "SELECT current_setting('work_mem') FROM users LIMIT 1"), '3MB');
  await client.query("INSERT INTO orders VALUES (21, 1, 'b')");
  await client.query('COMMIT');
  t.equal(await orderNotes('id BETWEEN 20 AND 29'), 'b');
  const after = await client.query("SELECT current_setting('work_mem') AS m FROM orders LIMIT 1");
  t.equal(after.rows[0].m, (await client.query("SELECT current_setting('work_mem') AS m FROM users")).rows[0].m);
  t.not(after.rows[0].m, '3MB');
});

t.test('SET LOCAL from a value that only one database knows', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query("SELECT set_config('app.tenant', (SELECT name FROM users WHERE id = 1), true)");
  t.equal(await value(client, "SELECT current_setting('app.tenant') FROM orders LIMIT 1").catch(String), 'Ada');
  await client.query('ROLLBACK');
});

t.test('COMMIT of a hidden writer that fails is told, though another database was used last', async (t) => {
  const client = await shop.connect();
  const seen = await play(client, 'BEGIN', 'SELECT fails_at_commit(3) FROM users', 'SELECT 1 FROM orders', 'COMMIT');
  t.strictSame(seen, ['BEGIN', 'SELECT', 'SELECT', 'P0001']);
  t.strictSame(await shop.inMonolith('SELECT * FROM checked'), []);
});

t.test('SET LOCAL by set_config with parameters', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM users');
  await client.query("SELECT set_config('app.tenant', $1, true)", ['Ben']);
  t.equal(await value(client, "SELECT current_setting('app.tenant') FROM orders LIMIT 1").catch(String), 'Ben');
  t.equal(await value(client, "SELECT current_setting('app.tenant') FROM users LIMIT 1").catch(String), 'Ben');
  await client.query('COMMIT');
  t.equal(await value(client, "SELECT coalesce(current_setting('app.tenant', true), '') FROM orders LIMIT 1"), '');
});

t.test('ROLLBACK TO over two participants undoes both, and both go on', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  t.equal(await value(client, 'SELECT count(*)::int FROM users'), 2);
  await client.query("INSERT INTO orders VALUES (30, 1, 'kept')");
  await client.query('SAVEPOINT a');
  await client.query("INSERT INTO orders VALUES (31, 1, 'undone')");
  await client.query('SELECT 1 FROM users');
  t.match(await failure(client.query('SELECT 1/0 FROM users')), { code: '22012' });
  t.equal(await statusOf(client), 'E');
  t.strictSame(await play(client, 'SELECT 1 FROM orders', "INSERT INTO orders VALUES (32, 1, 'x')"), [
    '25P02',
    '25P02',
  ]);
  await client.query('ROLLBACK TO a');
  t.equal(await statusOf(client), 'T');
  t.equal(await value(client, 'SELECT count(*)::int FROM users'), 2);
  t.equal(await value(client, 'SELECT count(*)::int FROM orders WHERE id IN (31, 32)'), 0);
  await client.query("INSERT INTO orders VALUES (33, 1, 'after')");
  t.equal((await client.query('COMMIT')).command, 'COMMIT');
  t.equal(await orderNotes('id BETWEEN 30 AND 39'), 'kept,after');
});

t.test('an error in the one blocks the other, whichever, and COMMIT answers ROLLBACK', async (t) => {
  const client = await shop.connect();
  for (const [failing, other] of [
    ['users', 'orders'],
    ['orders', 'users'],
  ]) {
    const seen = await play(
      client,
      'BEGIN',
      'SELECT 1 FROM users',
      'SELECT 1 FROM orders',
      "INSERT INTO orders VALUES (40, 1, 'x')",
      `SELECT 1/0 FROM ${failing}`,
      `SELECT 1 FROM ${other}`,
      'SAVEPOINT x',
      'SELECT 1',
      'COMMIT',
    );
    t.strictSame(seen.slice(4), ['22012', '25P02', '25P02', '25P02', 'ROLLBACK'], `the error in ${failing}`);
    t.equal(await statusOf(client), 'I');
    t.equal(await orderNotes('id = 40'), '');
    t.strictSame(await play(client, 'SELECT 1 FROM users', 'SELECT 1 FROM orders'), ['SELECT', 'SELECT']);
  }
});

t.test('a refused statement fails the transaction, as an error of Postgres does', async (t) => {
  const client = await shop.connect();
  const seen = await play(
    client,
    'BEGIN',
    "INSERT INTO orders VALUES (45, 1, 'x')",
    "UPDATE users SET name = 'x'",
    'SELECT 1 FROM orders',
    'SELECT 1 FROM users',
    'COMMIT',
    'SELECT 1 FROM users',
  );
  t.strictSame(seen.slice(2), ['0A000', '25P02', '25P02', 'ROLLBACK', 'SELECT']);
  t.equal(await orderNotes('id = 45'), '');
  const refused = await failure(
    client
      .query('BEGIN')
      .then(() => client.query("INSERT INTO orders VALUES (46, 1, 'x')"))
      .then(() => client.query('DELETE FROM users')),
  );
  t.match(refused, { code: '0A000', message: /orders_db.*monolith/, hint: /./ });
  await client.query('ROLLBACK');
});

t.test('a second writer after ROLLBACK TO has undone the first one’s writes', async (t) => {
  const client = await shop.connect();
  const seen = await play(
    client,
    'BEGIN',
    'SAVEPOINT a',
    "INSERT INTO orders VALUES (47, 1, 'x')",
    "INSERT INTO users VALUES (47, 'x')",
    'ROLLBACK TO a',
    "INSERT INTO orders VALUES (48, 1, 'y')",
    'COMMIT',
  );
  t.strictSame(seen.slice(3), ['0A000', 'ROLLBACK', 'INSERT', 'COMMIT']);
  t.equal(await orderNotes('id IN (47, 48)'), 'y');
});

t.test('COMMIT AND CHAIN over two databases keeps the modes', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN READ ONLY');
  await client.query('SELECT 1 FROM users');
  await client.query('SELECT 1 FROM orders');
  await client.query('COMMIT AND CHAIN');
  t.equal(await statusOf(client), 'T');
  t.equal(await value(client, "SELECT current_setting('transaction_read_only') FROM orders LIMIT 1"), 'on');
  t.match(await failure(client.query("INSERT INTO orders VALUES (49, 1, 'x')")), { code: '25006' });
  await client.query('ROLLBACK');
});

t.test('temporary tables, sequences and pg_current_xact_id_if_assigned stay where they are', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query('CREATE TEMP TABLE tmp (a int) ON COMMIT DROP');
  await client.query('INSERT INTO tmp VALUES (1)');
  await client.query('SELECT 1 FROM orders');
  t.equal(await value(client, 'SELECT a FROM tmp'), 1);
  await client.query('COMMIT');
  t.match(await failure(client.query('SELECT a FROM tmp')), { code: '42P01' });
  t.equal(await statusOf(client), 'I');
});
