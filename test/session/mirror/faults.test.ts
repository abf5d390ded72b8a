import pg from 'pg';
import t from 'tap';
import { query } from '../../hostile/raw-client.js';
import { onTeardown } from '../../support/teardown.js';
import { answer, ask, backendOf, endBackend, extended, goOn, login, send, stop } from '../raw-session.js';
import { failure, statusOf, until } from '../two-databases.js';
import { alike, startMirroredShop } from './mirrored-shop.js';

t.test("twenty clients on the same rows: no order but the monolith's", async (t) => {
  const shop = await startMirroredShop();
  const clients = await Promise.all(Array.from({ length: 20 }, () => shop.connect()));
  await Promise.all(
    clients.map(async (client, at) => {
      const letter = String.fromCharCode(97 + at);
      for (let i = 0; i < 15; i++) {
        const id = 1 + ((at + i) % 2);
        if (i % 3 === 0) await client.query(`UPDATE orders SET note = note || '${letter}' WHERE id = ${id}`);
        else if (i % 3 === 1) await client.query('UPDATE orders SET note = note || $1 WHERE id = $2', [letter, id]);
        else {
          await client.query('BEGIN');
          await client.query('SELECT 1 FROM orders WHERE id = $1 FOR UPDATE', [id]);
          await client.query('UPDATE orders SET note = reverse(note) || $1, n = n * 2 % 1001 + 1 WHERE id = $2', [
            letter,
            id,
          ]);
          await client.query(at % 5 === 0 ? 'ROLLBACK' : 'COMMIT');
        }
      }
    }),
  );
  const rows = await alike(t, shop, 'every row has the same history');
  t.ok((rows[0]?.length ?? 0) > 100, 'and a long one');
  t.strictSame(await shop.divergences(), {});
});

t.test('the new side is killed in the midst of a transaction, and comes back', async (t) => {
  const shop = await startMirroredShop();
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query("INSERT INTO orders (id, note) VALUES (50, 'a')");
  await shop.copy.kill();
  await client.query("INSERT INTO orders (id, note) VALUES (51, 'b')");
  t.match(await client.query('COMMIT'), { command: 'COMMIT' });
  t.equal(await statusOf(client), 'I');
  for (let i = 60; i < 80; i++) await client.query('INSERT INTO orders (id, note) VALUES ($1, $2)', [i, 'c']);
  t.match(await client.query('SELECT count(*)::int AS n FROM orders WHERE id >= 50'), { rows: [{ n: 22 }] });
  const missing = await shop.divergences();
  t.equal((missing.lost ?? 0) + (missing.unreachable ?? 0) + (missing.transaction ?? 0), 22, JSON.stringify(missing));
  await until(() => shop.told().reduce((sum, { count }) => sum + count, 0) === 22, 'all of it is told');
  t.ok(shop.told().length < 15, `in ${shop.told().length} lines`);
  t.ok(
    shop.told().some(({ keys }) => keys.includes('id=51')),
    'with keys',
  );
  await shop.copy.restart();
  let id = 100;
  await until(async () => {
    await client.query('INSERT INTO orders (id) VALUES ($1)', [++id]);
    const { rows } = await shop.copy.query('SELECT 1 FROM orders WHERE id = $1', 'orders', [id]);
    return rows.length === 1;
  }, 'the mirror goes on');
});

t.test('killed between two statements of a transaction that is rolled back: nothing is missing', async (t) => {
  const shop = await startMirroredShop();
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query('INSERT INTO orders (id) VALUES (50)');
  await shop.copy.kill();
  await client.query('INSERT INTO orders (id) VALUES (51)');
  await client.query('ROLLBACK');
  t.strictSame(await shop.divergences(), {});
});

/** Somebody else has row 1 of the new side. */
async function blockFirst(shop: Awaited<ReturnType<typeof startMirroredShop>>): Promise<pg.Client> {
  const blocker = new pg.Client({ connectionString: shop.copy.url('orders') });
  await blocker.connect();
  await onTeardown(() => blocker.end());
  await blocker.query('BEGIN');
  await blocker.query('SELECT 1 FROM orders WHERE id = 1 FOR UPDATE');
  return blocker;
}

t.test('a new side that is stuck is waited for no longer than statementTimeout', async (t) => {
  const shop = await startMirroredShop({ mirror: { statementTimeout: '300ms' } });
  const blocker = await blockFirst(shop);
  const client = await shop.connect();
  await client.query("UPDATE orders SET note = 'late' WHERE id = 1");
  t.match(await client.query('SELECT note FROM orders WHERE id = 1'), { rows: [{ note: 'late' }] });
  t.strictSame(await shop.divergences(), { timeout: 1 });
  await client.query('BEGIN');
  await client.query("UPDATE orders SET note = 'fine' WHERE id = 2");
  await client.query("UPDATE orders SET note = 'later' WHERE id = 1");
  await client.query('UPDATE orders SET n = 1 WHERE id = 2');
  await client.query('COMMIT');
  t.strictSame(await shop.divergences(), { timeout: 2, transaction: 2 });
  await blocker.query('ROLLBACK');
  // What was given up leaves nothing behind: neither a lock nor half of a transaction.
  const { rows } = await shop.copy.query('SELECT note, n FROM orders ORDER BY id', 'orders');
  t.strictSame(rows, [
    { note: 'tea', n: 0 },
    { note: 'cup', n: 0 },
  ]);
  await until(async () => {
    const { rows } = await shop.copy.query(
      "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'UPDATE%'",
      'orders',
    );
    return rows.length === 0;
  }, 'the statement was cancelled there');
});

t.test('the monolith does not take a client for idle whose statement waits for the new side', async (t) => {
  const shop = await startMirroredShop({ mirror: { statementTimeout: '20s' } });
  const blocker = await blockFirst(shop);
  const client = await shop.connect();
  await client.query("SET idle_in_transaction_session_timeout = '100ms'");
  const writing = client.query("UPDATE orders SET note = 'patient' WHERE id = 1");
  await until(async () => {
    const idle = `SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'
      AND clock_timestamp() - state_change > '300ms'`;
    const { rows } = await shop.monolith.query(idle);
    return rows.length === 1;
  }, 'the monolith has waited for longer than that');
  await blocker.query('ROLLBACK');
  t.match(await writing, { rowCount: 1 });
  t.match(await alike(t, shop, 'both have it'), ['(1,patient,0,,,,)', '(2,cup,0,,,,)']);
  t.match((await client.query('SHOW idle_in_transaction_session_timeout')).rows, [
    { idle_in_transaction_session_timeout: '100ms' },
  ]);
});

t.test('errors and other numbers of rows', async (t) => {
  const shop = await startMirroredShop({
    inCopy:
      'ALTER TABLE orders ADD CHECK (n < 100); INSERT INTO orders (id) VALUES (77); DELETE FROM orders WHERE id = 2;',
  });
  const client = await shop.connect({ application_name: 'billing' });
  t.match(await client.query('UPDATE orders SET n = 100 WHERE id = 1'), { rowCount: 1 });
  t.match(await client.query("UPDATE orders SET note = 'x' WHERE id = $1", [2]), { rowCount: 1 });
  t.match(await client.query('INSERT INTO orders (id) VALUES (77)'), { rowCount: 1 });
  t.strictSame(await shop.divergences(), { error: 2, rows: 1 });
  await client.query('BEGIN');
  await client.query('UPDATE orders SET n = 100 WHERE id = 1');
  await client.query('ROLLBACK');
  t.strictSame(await shop.divergences(), { error: 2, rows: 1 }, 'nothing is missing of what was rolled back');
  await until(() => shop.told().length === 3, 'told');
  t.match(
    shop.told().find(({ sqlstate }) => sqlstate === '23514'),
    { domain: 'orders', table: 'public.orders', reason: 'error', keys: ['id=1'], service: 'billing' },
  );
  t.match(
    shop.told().find(({ reason }) => reason === 'rows'),
    { keys: ['id=2'], why: 'the monolith answered UPDATE 1, the new database UPDATE 0' },
  );
  t.match(
    shop.told().find(({ sqlstate }) => sqlstate === '23505'),
    { keys: ['id=77'] },
  );
});

t.test('a COMMIT that fails on one side only', async (t) => {
  const deferred =
    'ALTER TABLE order_items DROP CONSTRAINT order_items_order_id_fkey, ADD FOREIGN KEY (order_id) REFERENCES orders DEFERRABLE INITIALLY DEFERRED;';
  const shop = await startMirroredShop({ inCopy: `${deferred} DELETE FROM orders WHERE id = 1;` });
  const client = await shop.connect();
  await client.query('INSERT INTO order_items (id, order_id) VALUES (1, 1)');
  t.strictSame(await shop.divergences(), { commit: 1 });
  const strict = await startMirroredShop({ inMonolith: deferred, inCopy: deferred });
  const other = await strict.connect();
  t.match(await failure(other.query('INSERT INTO order_items (id, order_id) VALUES (1, 99)')), { code: '23503' });
  t.match(await failure(other.query({ text: 'INSERT INTO order_items (id, order_id) VALUES ($1, 99)', values: [1] })), {
    code: '23503',
  });
  await other.query('BEGIN');
  await other.query('INSERT INTO order_items (id, order_id) VALUES (1, 99)');
  t.match(await failure(other.query('COMMIT')), { code: '23503' });
  t.equal(await statusOf(other), 'I');
  await alike(t, strict, 'nothing in either', 'order_items');
  t.strictSame(await strict.divergences(), {});
});

t.test(
  'the connection to the monolith ends while the new database is waited for: the statement has failed',
  async (t) => {
    const shop = await startMirroredShop();
    const inMonolith = (sql: string): Promise<unknown> => shop.monolith.query(sql, 'shop');
    const client = await login(shop.pgfig);
    const backend = await backendOf(client, 'orders');
    t.equal(await ask(client, "INSERT INTO orders (id, note) VALUES (60, 'first')"), 'C | ZI');
    const last = "SELECT pid FROM pg_stat_activity WHERE query = 'COMMIT' AND datname = 'orders' AND state = 'idle'";
    const { rows } = await shop.copy.query<{ pid: number }>(`${last} AND backend_type = 'client backend'`, 'orders');
    t.equal(rows.length, 1);
    const mirror = rows[0]?.pid ?? 0;
    stop(mirror);
    client.send(query("INSERT INTO orders (id, note) VALUES (61, 'second')"));
    t.equal((await client.message())?.type, 'C');
    await endBackend(shop.pgfig, backend, inMonolith);
    goOn(mirror);
    t.match(await answer(client), /^E ERROR 08006 [^|]+ \| ZI$/);
    t.equal(await ask(client, "INSERT INTO orders (id, note) VALUES (62, 'third')"), 'C | ZI');
    const left = await alike(t, shop, 'nothing of it in either');
    t.notOk(left.some((row) => row.includes('second')));
    t.ok(left.some((row) => row.includes('third')));
    client.vanish();
  },
);

t.test('the connection to the monolith ends during COPY FROM STDIN', async (t) => {
  const shop = await startMirroredShop();
  const client = await login(shop.pgfig);
  const backend = await backendOf(client, 'orders');
  client.send(query('COPY orders (id) FROM STDIN'));
  t.equal((await client.message())?.type, 'G');
  send(client, 'CopyData "70\\n"');
  await endBackend(shop.pgfig, backend, (sql) => shop.monolith.query(sql, 'shop'));
  t.match(await answer(client), /^E ERROR 57P01 [^|]+ \| ZI$/);
  send(client, 'CopyData "71\\n"', 'CopyFail "no more"');
  t.equal(await ask(client, 'INSERT INTO orders (id) VALUES (72)'), 'C | ZI');
  t.equal((await alike(t, shop, 'none of it in either')).length, 3);
  client.vanish();
});

t.test('a Query that pgfig refuses undoes the pipeline before it in both', async (t) => {
  const shop = await startMirroredShop();
  const client = await login(shop.pgfig);
  send(client, 'Parse "taken" "SELECT 1" []', 'Sync');
  t.equal(await answer(client), '1 | ZI');
  send(client, ...extended('INSERT INTO orders (id) VALUES (80)'), 'Flush');
  while ((await client.message())?.type !== 'C');
  t.equal(
    await ask(client, 'PREPARE taken AS SELECT 1'),
    'E ERROR 42P05 prepared statement "taken" already exists | ZI',
  );
  t.equal(await ask(client, 'INSERT INTO orders (id) VALUES (81)'), 'C | ZI');
  t.match((await alike(t, shop, 'what came behind it only')).at(-1), /^\(81,/);
  client.vanish();
});
