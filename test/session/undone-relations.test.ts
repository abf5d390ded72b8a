import type pg from 'pg';
import t from 'tap';
import { startShop } from './two-databases.js';

/** `orders` has moved; its old copy must never be read. A relation of that name in `app` hides it. */
const shop = await startShop({
  inMonolith: `
    CREATE TABLE orders (id int PRIMARY KEY, note text);
    INSERT INTO orders VALUES (1, 'old copy');
    CREATE SCHEMA app;`,
  inOrders: 'CREATE SCHEMA app;',
});

const CREATE = "CREATE TABLE orders AS SELECT 1 AS id, 'app' AS note";
const ask = (client: pg.Client, sql: string): Promise<unknown> => client.query(sql).catch(() => undefined);
const read = async (client: pg.Client): Promise<unknown> =>
  (await client.query('SELECT note FROM orders WHERE id = 1')).rows[0]?.note;

/** Texts, and where `orders` is read after them. */
const CASES: readonly (readonly [texts: readonly string[], note: string])[] = [
  [[CREATE], 'app'],
  [[`BEGIN; ${CREATE}; COMMIT`], 'app'],
  [[`BEGIN; ${CREATE}; ROLLBACK`], 'tea'],
  [[`BEGIN; SAVEPOINT a; ${CREATE}; ROLLBACK TO a; COMMIT`], 'tea'],
  [[`${CREATE}; SELECT 1 / 0`], 'tea'],
  [['BEGIN', CREATE, 'ROLLBACK'], 'tea'],
  [['BEGIN', CREATE, 'COMMIT'], 'app'],
  [['BEGIN', CREATE, 'COMMIT; SELECT 1 / 0'], 'app'],
  [
    [
      'BEGIN',
      CREATE,
      'CREATE TEMP TABLE once (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)',
      'INSERT INTO once VALUES (1), (1)',
      'COMMIT',
    ],
    'tea',
  ],
  [[CREATE, 'DO $$ BEGIN DROP TABLE app.orders; END $$'], 'tea'],
  [[CREATE, 'ALTER TABLE orders RENAME TO others'], 'tea'],
];

for (const [texts, note] of CASES) {
  t.test(texts.join(' / '), async (t) => {
    const client = await shop.connect();
    await client.query('SET search_path = app, public');
    for (const text of texts) await ask(client, text);
    t.equal(await read(client), note);
    t.equal(await read(client), note, 'again');
    await client.query('DROP TABLE IF EXISTS app.orders, app.others');
    t.equal(await read(client), 'tea', 'dropped');
    await client.end();
  });
}
