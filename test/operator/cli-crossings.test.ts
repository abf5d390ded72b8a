import t from 'tap';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { pgfig } from './cli-run.js';

const server = await startPostgres();
for (const name of ['shop', 'orders']) await server.query(`CREATE DATABASE ${name}`);
await server.query(
  `CREATE TABLE users (id int PRIMARY KEY, name text);
   CREATE TABLE orders (id int PRIMARY KEY, user_id int CONSTRAINT buyer REFERENCES users ON DELETE CASCADE, total int);
   CREATE TABLE audit (what text);
   CREATE VIEW buyers AS SELECT u.name, o.total FROM users u JOIN orders o ON o.user_id = u.id;
   CREATE VIEW totals AS SELECT sum(total) FROM orders;
   CREATE VIEW names AS SELECT name FROM users;
   CREATE FUNCTION buy(who int) RETURNS void LANGUAGE plpgsql AS $$
     BEGIN
       PERFORM 1 FROM users WHERE id = who;
       INSERT INTO orders VALUES (1, who, 1);
     END $$;
   CREATE FUNCTION refund() RETURNS void LANGUAGE sql AS 'DELETE FROM orders';
   CREATE FUNCTION any_table(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM ' || t; END $$;
   CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN INSERT INTO audit VALUES ('order'); RETURN NEW; END $$;
   CREATE TRIGGER noted AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note()`,
  'shop',
);
await server.query('CREATE TABLE orders (id int PRIMARY KEY, user_id int, total int)', 'orders');

const ports = { listen: 6432, admin: 6433 };
const databases = { monolith: server.url('shop'), orders_db: server.url('orders') };
const files = (phase: string): Promise<string> =>
  writeConfig({ databases, rules: { orders: { database: 'orders_db', phase, tables: ['public.orders'] } } }, ports);

t.test('before the move: what it would cut in two, and leave behind', async (t) => {
  const { code, stdout } = await pgfig(['check', '-c', await files('monolith')]);
  const then = 'crosses databases once these domains have moved';
  for (const line of [
    `view public.buyers in monolith ${then}: public.users in monolith, public.orders in orders_db`,
    `function public.buy() in monolith ${then}: public.orders in orders_db, public.audit and public.users in monolith`,
    `trigger noted on public.orders in monolith ${then}: public.orders in orders_db, public.audit in monolith`,
    `foreign key buyer of public.orders to public.users in monolith ${then}: public.orders in orders_db, public.users in monolith`,
    'view public.totals is in monolith only, and all that it touches moves to orders_db (public.orders). Create it there too',
    'function public.refund() is in monolith only, and all that it touches moves to orders_db (public.orders). Create it there too',
    'function public.any_table() in monolith cannot be seen through (dynamic SQL (EXECUTE))',
  ]) {
    t.ok(stdout.includes(`warning        ${line}`), line, { stdout });
  }
  t.notMatch(stdout, /public\.names/, 'a view of tables that stay');
  t.equal(code, 0, 'warnings are no faults');
});

t.test('after it: what is refused now', async (t) => {
  const { stdout } = await pgfig(['check', '-c', await files('write-new')]);
  t.match(stdout, /view public\.buyers in monolith crosses databases now: statements that use it are refused: /);
  const explained = await pgfig(['explain', '-c', await files('write-new'), 'SELECT * FROM buyers']);
  t.match(explained.stdout, /public\.orders is in orders_db .*needed by view public\.buyers/);
});

t.test('explain in phase read-new: as which session', async (t) => {
  const reads = { new: '10%', services: ['order-service'] };
  const mirror = { capture: 'none' };
  const rules = { orders: { database: 'orders_db', phase: 'read-new', tables: ['public.orders'], reads, mirror } };
  const config = await writeConfig({ databases, rules }, ports);
  const explain = async (...options: string[]): Promise<string> =>
    (await pgfig(['explain', '-c', config, ...options, 'SELECT * FROM orders'])).stdout;
  t.match(
    await explain(),
    /route {3}monolith\n.*not among those that read orders_db \(10 % of the sessions and order-service\)/,
  );
  t.match(await explain('--service', 'order-service'), /route {3}orders_db\n/);
  t.match(await explain('--share', '9.9'), /route {3}orders_db\n/);
  t.match(await explain('--share', '10'), /route {3}monolith\n/);
  const { code, stderr } = await pgfig(['explain', '-c', config, '--share', 'half', 'SELECT 1']);
  t.equal(code, 2);
  t.match(stderr, /--share.*a number from 0 to 100/);
});
