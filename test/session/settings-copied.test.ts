import type pg from 'pg';
import t from 'tap';
import { failure, startShop, value } from './two-databases.js';

const ROLES = `
  DO $$ BEGIN CREATE ROLE reader; CREATE ROLE tenant_role; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
  CREATE TABLE secrets (tenant text, what text);
  INSERT INTO secrets VALUES ('ada', 'tea'), ('ben', 'cup');
  ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON secrets USING (tenant = current_setting('app.tenant', true));
  GRANT SELECT ON secrets TO tenant_role;`;
const shop = await startShop({
  inMonolith: `${ROLES} ALTER TABLE secrets RENAME TO user_secrets; GRANT SELECT ON users TO reader, tenant_role;
    CREATE SCHEMA own; CREATE TABLE own.orders (note text); INSERT INTO own.orders VALUES ('mine');`,
  inOrders: `${ROLES} ALTER TABLE secrets RENAME TO order_secrets; GRANT SELECT ON orders TO tenant_role;`,
  rules: { secrets: { database: 'orders_db', tables: ['public.order_secrets'], phase: 'write-new' } },
});
const setting = (client: pg.Client, name: string, table: string): Promise<unknown> =>
  value(client, `SELECT current_setting('${name}', true) FROM ${table} LIMIT 1`);
const onBoth = async (client: pg.Client, name: string): Promise<unknown[]> => [
  await setting(client, name, 'users'),
  await setting(client, name, 'orders'),
];

t.test('row level security: the tenant by parameter, on a link that comes later', async (t) => {
  const client = await shop.connect();
  await client.query('SELECT 1 FROM users');
  await client.query('SET ROLE tenant_role');
  await client.query("SELECT set_config('app.tenant', $1, false)", ['ada']);
  t.equal(await value(client, 'SELECT what FROM order_secrets'), 'tea');
  await client.query("SELECT set_config('app.tenant', $1, false)", ['ben']);
  t.equal(await value(client, 'SELECT what FROM user_secrets'), 'cup');
  t.equal(await value(client, 'SELECT what FROM order_secrets'), 'cup');
  await client.query("SELECT set_config('app.tenant', $1, false)", ['']);
  t.equal(await value(client, 'SELECT count(*)::int FROM order_secrets'), 0);
  t.equal(await value(client, 'SELECT count(*)::int FROM user_secrets'), 0);
});

t.test('the value, not the text: it is worked out once, where it was set', async (t) => {
  const client = await shop.connect();
  await client.query("SELECT set_config('app.tenant', (SELECT name FROM users WHERE id = 1), false)");
  t.strictSame(await onBoth(client, 'app.tenant'), ['Ada', 'Ada']);
  await client.query("SELECT set_config('app.stamp', clock_timestamp()::text, false)");
  const [one, two] = await onBoth(client, 'app.stamp');
  t.equal(one, two);
  await client.query("SELECT set_config('app.tenant', (SELECT note FROM orders WHERE id = 1), false)");
  t.strictSame(await onBoth(client, 'app.tenant'), ['tea', 'tea']);
});

t.test('set inside a transaction, then committed or rolled back', async (t) => {
  const client = await shop.connect();
  await client.query("SET app.tenant = 'before'");
  for (const [end, expected] of [
    ['ROLLBACK', 'before'],
    ['COMMIT', 'inside'],
  ]) {
    await client.query('BEGIN');
    await client.query("SET app.tenant = 'inside'");
    await client.query('SELECT 1 FROM users');
    t.strictSame(await onBoth(client, 'app.tenant'), ['inside', 'inside']);
    await client.query(end ?? '');
    t.strictSame(await onBoth(client, 'app.tenant'), [expected, expected], String(end));
  }
  await client.query('BEGIN');
  await client.query('SAVEPOINT a');
  await client.query("SET app.tenant = 'undone'");
  await client.query('SELECT 1 FROM orders');
  await client.query('ROLLBACK TO a');
  t.strictSame(await onBoth(client, 'app.tenant'), ['inside', 'inside']);
  await client.query('COMMIT');
  t.strictSame(await onBoth(client, 'app.tenant'), ['inside', 'inside']);
});

t.test('set in one database, changed in the other, and back', async (t) => {
  const client = await shop.connect();
  await client.query('SELECT 1 FROM orders');
  await client.query("SET work_mem = '3MB'");
  await client.query('SELECT 1 FROM users');
  await client.query("SET work_mem = '5MB'; SET statement_timeout = '9s'");
  t.strictSame(await onBoth(client, 'work_mem'), ['5MB', '5MB']);
  await client.query('RESET work_mem');
  const [one, two] = await onBoth(client, 'work_mem');
  t.equal(one, two);
  t.equal(one, '4MB');
  t.strictSame(await onBoth(client, 'statement_timeout'), ['9s', '9s']);
  await client.query('SET statement_timeout TO DEFAULT');
  t.strictSame(await onBoth(client, 'statement_timeout'), ['0', '0']);
});

t.test('SET ROLE, SET SESSION AUTHORIZATION and what they may not do', async (t) => {
  const client = await shop.connect();
  await client.query("SET app.tenant = 'x'");
  await client.query('SET ROLE reader');
  t.equal(await value(client, 'SELECT current_user::text FROM users LIMIT 1'), 'reader');
  t.match(await failure(client.query('SELECT * FROM orders')), { code: '42501' }, 'reader may not read orders');
  await client.query('RESET ROLE');
  t.equal(await value(client, 'SELECT current_user::text FROM orders LIMIT 1'), 'postgres');
  await client.query('SET SESSION AUTHORIZATION tenant_role');
  t.equal(await value(client, 'SELECT session_user::text FROM orders LIMIT 1'), 'tenant_role');
  t.equal(await value(client, 'SELECT session_user::text FROM users LIMIT 1'), 'tenant_role');
  await client.query('RESET SESSION AUTHORIZATION');
  t.equal(await value(client, 'SELECT session_user::text FROM orders LIMIT 1'), 'postgres');
  await client.query('BEGIN');
  await client.query('SET LOCAL ROLE tenant_role');
  t.equal(await value(client, 'SELECT current_user::text FROM orders LIMIT 1'), 'tenant_role');
  t.equal(await value(client, 'SELECT current_user::text FROM users LIMIT 1'), 'tenant_role');
  await client.query('COMMIT');
  t.equal(await value(client, 'SELECT current_user::text FROM orders LIMIT 1'), 'postgres');
});

t.test('SET ROLE to one that does not exist fails for the client, and changes nothing', async (t) => {
  const client = await shop.connect();
  await client.query('SELECT 1 FROM orders');
  t.match(await failure(client.query('SET ROLE nobody_here')), { code: '22023' });
  t.match(await failure(client.query("SET work_mem = 'much'")), { code: '22023' });
  t.equal(await value(client, 'SELECT current_user::text FROM users LIMIT 1'), 'postgres');
  t.strictSame(await onBoth(client, 'work_mem'), ['4MB', '4MB']);
});

t.test('DISCARD ALL and RESET ALL return both to what the client asked for at its start', async (t) => {
  for (const reset of ['DISCARD ALL', 'RESET ALL', 'CLOSE ALL; UNLISTEN *; RESET ALL; DEALLOCATE ALL']) {
    for (const late of [false, true]) {
      const client = await shop.connect({ options: '-c work_mem=7MB -c timezone=Asia/Tokyo' });
      if (!late) await client.query('SELECT 1 FROM orders');
      await client.query("SET work_mem = '9MB'");
      await client.query("SET timezone = 'UTC'");
      await client.query("SET app.tenant = 'x'");
      if (!late) await client.query('SELECT 1 FROM orders');
      await client.query(reset);
      t.strictSame(await onBoth(client, 'work_mem'), ['7MB', '7MB'], `${reset}, ${late}`);
      t.strictSame(await onBoth(client, 'timezone'), ['Asia/Tokyo', 'Asia/Tokyo']);
      t.notOk(await setting(client, 'app.tenant', 'orders'));
      t.notOk(await setting(client, 'app.tenant', 'users'));
      await client.end();
    }
  }
});

t.test('DISCARD ALL by the extended protocol', async (t) => {
  const client = await shop.connect();
  await client.query('SELECT 1 FROM orders');
  await client.query("SET work_mem = '9MB'");
  await client.query('SELECT 1 FROM users');
  await client.query({ name: 'reset', text: 'DISCARD ALL', values: [] });
  t.strictSame(await onBoth(client, 'work_mem'), ['4MB', '4MB']);
});

t.test('a name that is not constant: nobody may join, until DISCARD ALL', async (t) => {
  const client = await shop.connect();
  await client.query("SELECT set_config('app.' || name, 'x', false) FROM users");
  t.match(await failure(client.query('SELECT 1 FROM orders')), { code: '0A000' });
  t.equal(await value(client, 'SELECT count(*)::int FROM users'), 2);
  await client.query('DISCARD ALL');
  t.equal(await value(client, 'SELECT count(*)::int FROM orders'), 2);
});

t.test('a setting that the other database refuses is said by name', async (t) => {
  const client = await shop.connect();
  await shop.inMonolith('CREATE ROLE only_here');
  await client.query('SET ROLE only_here');
  const refused = await failure(client.query('SELECT 1 FROM orders'));
  t.match(refused, { code: '0A000', message: /orders_db/, detail: /role/ });
  await client.query('RESET ROLE');
  t.equal(await value(client, 'SELECT count(*)::int FROM orders'), 2);
});

t.test('values with quotes, commas and other letters', async (t) => {
  const client = await shop.connect();
  const odd = `it's "quoted", \\ {1} ü`;
  await client.query("SELECT set_config('app.odd', $1, false)", [odd]);
  await client.query("SELECT set_config('app.\"x', 'y', false)").catch(() => undefined);
  t.strictSame(await onBoth(client, 'app.odd'), [odd, odd]);
  await client.query('SET search_path = public, "Odd ""name"', []);
  const paths = await onBoth(client, 'search_path');
  t.equal(paths[0], paths[1]);
});

t.test('search_path decides which table is meant, on whichever link', async (t) => {
  const client = await shop.connect();
  const notes = async (): Promise<unknown> => value(client, 'SELECT min(note) FROM orders');
  t.equal(await notes(), 'cup');
  await client.query('SET search_path = own, public');
  t.equal(await notes(), 'mine');
  await client.query('BEGIN');
  await client.query('SET LOCAL search_path = public');
  t.equal(await notes(), 'cup');
  await client.query('ROLLBACK');
  t.equal(await notes(), 'mine');
  await client.query("SELECT set_config('search_path', $1, false)", ['public']);
  t.equal(await notes(), 'cup');
  await client.query('RESET ALL');
  t.equal(await notes(), 'cup');
});
