import type pg from 'pg';
import t, { type Test } from 'tap';
import { failure, type Shop, startShop, until, value } from './two-databases.js';

/**
 * `orders` is a moved table in schema public, and one that stays in schemas staying, ben and ada: its rows say which
 * was read. Schema staying is only in the monolith, so that what goes astray fails.
 */
const shop: Shop = await startShop({
  inMonolith: `
    CREATE SCHEMA staying; CREATE TABLE staying.orders (id int, note text);
    INSERT INTO staying.orders VALUES (1, 'staying');
    CREATE ROLE ben; GRANT CREATE, CONNECT ON DATABASE shop TO ben;
    CREATE SCHEMA ben AUTHORIZATION ben; CREATE TABLE ben.orders (id int, note text);
    INSERT INTO ben.orders VALUES (1, 'ben');
    GRANT ALL ON ben.orders TO ben; GRANT USAGE ON SCHEMA staying TO ben; GRANT ALL ON ALL TABLES IN SCHEMA staying TO ben;
    CREATE FUNCTION go_there(text) RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN PERFORM set_config('search_path', $1, false); END $$;
    CREATE FUNCTION make_temp() RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN EXECUTE 'CREATE TEMP TABLE orders AS SELECT 1 AS id, ''temp''::text AS note'; END $$;
    CREATE PROCEDURE go_there_by_call() LANGUAGE plpgsql AS
      $$ BEGIN EXECUTE 'SET search_path = staying'; END $$;`,
  inOrders: `
    UPDATE orders SET note = 'moved' WHERE id = 1;
    CREATE ROLE ben; GRANT ALL ON orders TO ben;`,
});

const READ = 'SELECT note FROM orders WHERE id = 1';
const ask = (client: pg.Client, sql: string): Promise<unknown> => client.query(sql);

/** Which table `orders` is, by both protocols. */
async function where(client: pg.Client): Promise<unknown> {
  const extended = await value(client, READ);
  const simple = ((await client.query(READ)).rows[0] as { note: string } | undefined)?.note;
  return extended === simple ? extended : `${extended} ${simple}`;
}

/** Catalogs are not read all the time: what takes long to read is read seldom. */
const LONG = 60_000;

/** Each statement, and which table `orders` is behind it. */
async function steps(t: Test, client: pg.Client, list: readonly (readonly [string, unknown])[]): Promise<void> {
  for (const [sql, expected] of list) {
    await ask(client, sql);
    t.equal(await where(client), expected, sql);
  }
}

t.test('SET, SET LOCAL, set_config, RESET', async (t) => {
  const client = await shop.connect();
  await steps(t, client, [
    ['SELECT 1', 'moved'],
    ['SET search_path = staying', 'staying'],
    ['RESET search_path', 'moved'],
    ["SELECT set_config('search_path', 'staying, public', false)", 'staying'],
    ["SELECT set_config('search_path', 'public,' || 'staying', false)", 'moved'],
    ['SET search_path = "staying", public', 'staying'],
    ['SET search_path TO DEFAULT', 'moved'],
    ["SET SCHEMA 'staying'", 'staying'],
    ['RESET ALL', 'moved'],
    ['SET search_path = nowhere, staying', 'staying'],
    ['DISCARD ALL', 'moved'],
  ]);
});

t.test('in transactions, savepoints, and undone', async (t) => {
  const client = await shop.connect();
  await steps(t, client, [
    ['BEGIN', 'moved'],
    ['SET LOCAL search_path = staying', 'staying'],
    ['COMMIT', 'moved'],
    ['BEGIN', 'moved'],
    ['SET search_path = staying', 'staying'],
    ['ROLLBACK', 'moved'],
    ['BEGIN', 'moved'],
    ['SAVEPOINT a', 'moved'],
    ["SELECT set_config('search_path', 'staying', true)", 'staying'],
    ['ROLLBACK TO a', 'moved'],
    ['SET search_path = staying', 'staying'],
    ['SAVEPOINT b', 'staying'],
    ['SET search_path = public', 'moved'],
    ['ROLLBACK TO b', 'staying'],
    ['COMMIT', 'staying'],
    ['BEGIN', 'staying'],
    ['SET LOCAL search_path = public', 'moved'],
    ['COMMIT AND CHAIN', 'staying'],
    ['COMMIT', 'staying'],
  ]);
});

t.test('an error in between undoes it too', async (t) => {
  const client = await shop.connect();
  await ask(client, 'BEGIN');
  await ask(client, 'SAVEPOINT a');
  await ask(client, 'SET search_path = staying');
  await failure(ask(client, 'SELECT 1/0'));
  await ask(client, 'ROLLBACK TO a');
  t.equal(await where(client), 'moved');
  await ask(client, 'SET search_path = staying');
  await failure(ask(client, 'SELECT 1/0'));
  await ask(client, 'COMMIT');
  t.equal(await where(client), 'moved');
});

t.test('what the session begins with', async (t) => {
  t.equal(await where(await shop.connect({ options: '-c search_path=staying' })), 'staying', 'options');
  const startup = await shop.connect({ options: '--search_path=staying,public' });
  await steps(t, startup, [
    ['SELECT 1', 'staying'],
    ['SET search_path = public', 'moved'],
    ['RESET search_path', 'staying'],
    ['DISCARD ALL', 'staying'],
  ]);
});

t.test('defaults of role and database, also on a link that comes later', async (t) => {
  const before = await shop.connect();
  await shop.inMonolith('ALTER DATABASE shop SET search_path = staying, public');
  t.equal(await where(before), 'moved', 'no effect on a session that is logged in');
  const client = await shop.connect();
  await steps(t, client, [
    ['SELECT 1', 'staying'],
    ['SET search_path = public', 'moved'],
    ['RESET search_path', 'staying'],
  ]);
  await shop.inMonolith('ALTER ROLE postgres IN DATABASE shop SET search_path = public, staying');
  t.equal(await where(client), 'staying');
  t.equal(await where(await shop.connect()), 'moved', 'that of the role in the database counts more');
  await shop.inMonolith(
    'ALTER ROLE postgres IN DATABASE shop RESET search_path; ALTER DATABASE shop RESET search_path',
  );
  t.equal(await where(await shop.connect()), 'moved');
  await shop.inOrders('ALTER DATABASE orders SET search_path = nowhere');
  t.equal(await where(await shop.connect()), 'moved', 'a late link begins with the path of home');
  await shop.inOrders('ALTER DATABASE orders RESET search_path');
});

t.test('"$user" is the role of the moment', async (t) => {
  const client = await shop.connect();
  await steps(t, client, [
    ['SET ROLE ben', 'ben'],
    ['RESET ROLE', 'moved'],
    ['SET SESSION AUTHORIZATION ben', 'ben'],
    ['SET SESSION AUTHORIZATION DEFAULT', 'moved'],
    ['BEGIN', 'moved'],
    ['SET LOCAL ROLE ben', 'ben'],
    ['COMMIT', 'moved'],
    ["SELECT set_config('role', 'ben', false)", 'ben'],
    ['SET search_path = public', 'moved'],
    ['DISCARD ALL', 'moved'],
  ]);
});

t.test('SET TRANSACTION may still follow what changes the path', async (t) => {
  const client = await shop.connect();
  await ask(client, 'BEGIN');
  await ask(client, 'SET search_path = staying');
  await ask(client, 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
  t.equal(await value(client, 'SHOW transaction_isolation'), 'serializable');
  t.equal(await where(client), 'staying');
  await ask(client, 'ROLLBACK');
});

t.test('functions, procedures and DO blocks that nobody sees through', async (t) => {
  const client = await shop.connect();
  await steps(t, client, [
    ["SELECT public.go_there('staying')", 'staying'],
    ["SELECT public.go_there('public')", 'moved'],
    ['CALL public.go_there_by_call()', 'staying'],
    ["DO $$ BEGIN EXECUTE 'SET search_path = public'; END $$", 'moved'],
    ["DO $$ BEGIN PERFORM set_config('search_path', 'staying', false); END $$", 'staying'],
    ['BEGIN', 'staying'],
    ["SELECT public.go_there('public')", 'moved'],
    ['ROLLBACK', 'staying'],
    ["SELECT public.go_there('public')", 'moved'],
    ['SELECT public.make_temp()', 'temp'],
    ['DROP TABLE pg_temp.orders', 'moved'],
  ]);
  await client.query('SELECT public.go_there($1)', ['staying']);
  t.equal(await where(client), 'staying', 'by the extended protocol');
});

t.test('what changes the path within a query string counts for the rest of it', async (t) => {
  const client = await shop.connect();
  const last = async (sql: string): Promise<unknown> => {
    const results = (await client.query(sql)) as unknown as pg.QueryResult<{ note: string }>[];
    return results.at(-1)?.rows[0]?.note;
  };
  t.equal(await last(`SET search_path = staying; ${READ}`), 'staying');
  t.equal(await last(`SET search_path = public; ${READ}`), 'moved');
  t.equal(await last(`SELECT set_config('search_path', 'staying', false); ${READ}`), 'staying');
  t.match(await failure(last(`RESET search_path; ${READ}`)), { code: '0A000', message: /cannot be told/ });
  t.match(await failure(last(`SELECT public.go_there('public'); ${READ}`)), { code: '0A000' });
  t.equal(await where(client), 'staying', 'refused before it ran');
  t.equal(await last(`CREATE TEMP TABLE orders AS SELECT 1 AS id, 'temp'::text AS note; ${READ}`), 'temp');
  t.equal(await where(client), 'temp');
  t.match(await failure(last(`DROP TABLE orders; SET search_path = public; ${READ}`)), { code: '0A000' });
});

t.test('temporary tables come and go', async (t) => {
  const client = await shop.connect();
  const TEMP = "AS SELECT 1 AS id, 'temp'::text AS note";
  await steps(t, client, [
    [`CREATE TEMP TABLE orders ${TEMP}`, 'temp'],
    ['DROP TABLE orders', 'moved'],
    [`CREATE TABLE pg_temp.orders ${TEMP}`, 'temp'],
    ['ALTER TABLE orders RENAME TO others', 'moved'],
    ['ALTER TABLE others RENAME TO orders', 'temp'],
    ['DISCARD TEMP', 'moved'],
    ["SELECT 1 AS id, 'temp'::text AS note INTO TEMP orders", 'temp'],
    ['DISCARD ALL', 'moved'],
    [`CREATE TEMP TABLE orders ON COMMIT DROP ${TEMP}`, 'moved'],
    ['BEGIN', 'moved'],
    [`CREATE TEMP TABLE orders ON COMMIT DROP ${TEMP}`, 'temp'],
    ['SAVEPOINT a', 'temp'],
    ['DROP TABLE orders', 'moved'],
    ['ROLLBACK TO a', 'temp'],
    ['COMMIT', 'moved'],
    ['BEGIN', 'moved'],
    ['SAVEPOINT a', 'moved'],
    [`CREATE TEMP TABLE orders ${TEMP}`, 'temp'],
    ['ROLLBACK TO a', 'moved'],
    [`CREATE TEMP TABLE orders ${TEMP}`, 'temp'],
    ['ROLLBACK', 'moved'],
    ['BEGIN', 'moved'],
    [`CREATE TEMP TABLE orders ${TEMP}`, 'temp'],
    ['COMMIT', 'temp'],
    ['DROP TABLE pg_temp.orders', 'moved'],
    [`CREATE TEMP VIEW orders ${TEMP}`, 'temp'],
    ['DROP VIEW orders', 'moved'],
    [`CREATE TEMP TABLE "Orders" ${TEMP}`, 'moved'],
    ['DISCARD ALL', 'moved'],
  ]);
});

t.test('a temporary table of the link where it was made', async (t) => {
  const client = await shop.connect();
  await ask(client, 'CREATE TEMP TABLE mine AS SELECT * FROM orders');
  t.equal(await value(client, 'SELECT name FROM users WHERE id = 1'), 'Ada');
  t.equal(await value(client, 'SELECT note FROM mine WHERE id = 1'), 'moved');
  t.equal(await value(client, 'SELECT m.note FROM mine m JOIN orders o ON o.id = m.id WHERE m.id = 1'), 'moved');
  t.match(await failure(ask(client, 'SELECT * FROM mine, users')), { code: '0A000' });
  await ask(client, 'SELECT 1 FROM users');
  await ask(client, 'CREATE TEMP SEQUENCE counting');
  await ask(client, 'SELECT 1 FROM orders');
  t.equal(await value(client, "SELECT nextval('counting')"), '1');
  await ask(client, 'SELECT 1 FROM orders');
  await ask(client, 'DROP SEQUENCE counting');
});

t.test('a failed pipeline of the implicit transaction takes its temporary table along', async (t) => {
  const client = await shop.connect();
  await failure(client.query('CREATE TEMP TABLE orders (id int, note text); SELECT 1/0'));
  t.equal(await where(client), 'moved');
});

t.test('a relation that the session has just made counts at once', async (t) => {
  const client = await shop.connect();
  const other = await shop.connect({ options: '-c search_path=fresh,public' });
  const MADE = "AS SELECT 1 AS id, 'made'::text AS note";
  await ask(client, 'CREATE SCHEMA fresh');
  await steps(t, client, [
    ['SET search_path = fresh, public', 'moved'],
    ['BEGIN', 'moved'],
    [`CREATE TABLE orders ${MADE}`, 'made'],
    ['ROLLBACK', 'moved'],
    ['BEGIN', 'moved'],
    ['SAVEPOINT a', 'moved'],
    [`CREATE TABLE fresh.orders ${MADE}`, 'made'],
    ['ROLLBACK TO a', 'moved'],
    [`SELECT 1 AS id, 'made'::text AS note INTO orders`, 'made'],
    ['COMMIT', 'made'],
    ['DROP TABLE orders', 'moved'],
    [`CREATE VIEW fresh.orders ${MADE}`, 'made'],
    ['DROP VIEW orders', 'moved'],
    [`CREATE TABLE orders ${MADE}`, 'made'],
  ]);
  await until(async () => (await where(other)) === 'made', 'the catalog shows it to other sessions', LONG);
  t.equal(await where(client), 'made', 'and this one goes on');
  await ask(client, 'DROP TABLE fresh.orders');
  await until(
    async () => (await where(client).catch(() => null)) === 'moved',
    'the catalog shows that it is gone',
    LONG,
  );
  await ask(client, 'DROP SCHEMA fresh');
});

t.test('CREATE SCHEMA with a table in it', async (t) => {
  const client = await shop.connect();
  await steps(t, client, [
    ["CREATE SCHEMA fresher CREATE TABLE orders (id int DEFAULT 1, note text DEFAULT 'made')", 'moved'],
    ['INSERT INTO fresher.orders DEFAULT VALUES', 'moved'],
    ['SET search_path = fresher', 'made'],
    ['DROP SCHEMA fresher CASCADE; SET search_path = public', 'moved'],
  ]);
});
