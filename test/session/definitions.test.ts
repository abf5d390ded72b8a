import t from 'tap';
import { parseSend } from '../conversations/encode.js';
import { WireClient } from '../conversations/wire-client.js';
import { type Shop, startShop } from './two-databases.js';

const TIDY = 'CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL, note text);';
const shop: Shop = await startShop({
  inMonolith: TIDY,
  inOrders: 'CREATE FUNCTION noted() RETURNS int LANGUAGE sql AS $$SELECT 1$$;',
});

const WRITES_ORDERS = "LANGUAGE plpgsql AS $$ BEGIN INSERT INTO orders VALUES (90, 1, 'lost'); RETURN 1; END $$";

t.test('a function is followed by what it does as soon as it is made', async (t) => {
  const client = await shop.connect();
  await client.query(`CREATE FUNCTION place() RETURNS int ${WRITES_ORDERS}`);
  await t.rejects(client.query('SELECT place()'), {
    code: '0A000',
    message: /public\.orders is in orders_db .*needed by function/,
  });
  t.strictSame(await shop.inMonolith('SELECT * FROM orders'), [], 'nothing was written into the old copy');
});

t.test('a trigger too, once its transaction is committed, by whichever protocol', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query(`CREATE FUNCTION copies() RETURNS trigger ${WRITES_ORDERS.replace('RETURN 1', 'RETURN NEW')}`);
  await client.query('CREATE TRIGGER copied AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION copies()');
  await client.query('COMMIT');
  await t.rejects(client.query('INSERT INTO users VALUES ($1, $2)', [91, 'Cy']), {
    code: '0A000',
    message: /trigger copied on public\.users/,
  });
  await client.query('DROP TRIGGER copied ON users');
  await client.query({ name: 'insert', text: 'INSERT INTO users VALUES ($1, $2)', values: [91, 'Cy'] });
  t.strictSame(await shop.inMonolith('SELECT name FROM users WHERE id = 91'), [{ name: 'Cy' }]);
  t.strictSame(await shop.inMonolith('SELECT * FROM orders'), []);
});

t.test('a view is where its tables are, and is not made twice', async (t) => {
  const client = await shop.connect();
  await client.query('CREATE VIEW notes AS SELECT note FROM orders');
  t.strictSame((await client.query('SELECT count(*)::int AS n FROM notes')).rows, [{ n: 2 }]);
  await client.query("CREATE OR REPLACE VIEW notes AS SELECT 'note: ' || note AS note FROM orders");
  t.strictSame((await client.query('SELECT min(note) AS n FROM notes')).rows, [{ n: 'note: cup' }]);
  await t.rejects(client.query('CREATE OR REPLACE VIEW notes AS SELECT name AS note FROM users'), {
    code: '0A000',
    message: /public\.notes is in orders_db/,
  });
  await client.query('DROP VIEW notes');
  t.strictSame(await shop.inOrders("SELECT 1 FROM pg_views WHERE viewname = 'notes'"), []);
});

t.test('the others hear of it soon', async (t) => {
  const [one, other] = [await shop.connect(), await shop.connect()];
  await one.query('BEGIN');
  await one.query('CREATE VIEW late AS SELECT id FROM orders');
  await one.query('COMMIT');
  const seen = async (): Promise<number> => {
    try {
      return (await other.query<{ n: number }>('SELECT count(*)::int AS n FROM late')).rows[0]?.n ?? 0;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
      return seen();
    }
  };
  t.equal(await seen(), 2);
});

t.test('what is sent behind it in one write waits for it', async (t) => {
  const { host, port } = shop.pgfig;
  const client = await WireClient.connect({ host, port, user: 'postgres', database: 'shop' });
  t.teardown(() => client.end());
  await client.send([parseSend('Startup {"user": "postgres", "database": "shop"}')]);
  await client.until('ReadyForQuery');
  const body = "LANGUAGE plpgsql AS $$ BEGIN INSERT INTO orders VALUES (92, 1, 'lost'); RETURN NEW; END $$";
  const queries = [
    `CREATE FUNCTION hurried() RETURNS trigger ${body}`,
    'CREATE TRIGGER hurries AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION hurried()',
    "INSERT INTO users VALUES (92, 'Di')",
  ];
  await client.send(queries.map((sql) => parseSend(`Query ${JSON.stringify(sql)}`)));
  const lines = (await client.until('ReadyForQuery', queries.length)).map(({ line }) => line);
  t.match(lines.at(-2), /0A000/);
  t.strictSame(await shop.inMonolith('SELECT * FROM orders'), []);
  await shop.inMonolith('DROP TRIGGER hurries ON users');
});
