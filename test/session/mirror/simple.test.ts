import t from 'tap';
import { failure, statusOf, until } from '../two-databases.js';
import { alike, startMirroredShop } from './mirrored-shop.js';

const shop = await startMirroredShop();

t.test('autocommit by the simple protocol', async (t) => {
  const client = await shop.connect();
  t.match(await client.query("INSERT INTO orders (id, note) VALUES (10, 'a'), (11, 'b')"), { rowCount: 2 });
  t.match(await client.query("UPDATE orders SET note = note || '!' WHERE id = 10 RETURNING note"), {
    rows: [{ note: 'a!' }],
  });
  t.match(await client.query('DELETE FROM orders WHERE id = 11'), { rowCount: 1 });
  t.equal(statusOf(client), 'I');
  const rows = await alike(t, shop, 'both have it');
  t.ok(rows.some((row) => row.includes('a!')));
  await client.query(
    'INSERT INTO orders (id) VALUES (12) ON CONFLICT DO NOTHING; UPDATE orders SET n = 5 WHERE id = 12; SELECT 1',
  );
  t.ok((await alike(t, shop, 'a string of several')).some((row) => row.startsWith('(12,,5')));
  t.strictSame(await shop.divergences(), {});
});

t.test("an error of the monolith is the client's, and nothing is left in the copy", async (t) => {
  const client = await shop.connect();
  t.match(await failure(client.query('INSERT INTO orders (id) VALUES (1)')), { code: '23505' });
  t.match(await failure(client.query('UPDATE orders SET n = 7 WHERE id = 1; SELECT 1/0')), { code: '22012' });
  t.equal(statusOf(client), 'I');
  t.match(await client.query('SELECT n FROM orders WHERE id = 1'), { rows: [{ n: 0 }] });
  await alike(t, shop, 'as before');
  t.strictSame(await shop.divergences(), {});
});

t.test('transactions and savepoints', async (t) => {
  const client = await shop.connect();
  const run = async (...texts: string[]): Promise<void> => {
    for (const text of texts) await client.query(text);
  };
  await run('BEGIN', "INSERT INTO orders (id, note) VALUES (20, 'kept')", 'COMMIT');
  await run('BEGIN', "INSERT INTO orders (id, note) VALUES (21, 'gone')", 'ROLLBACK');
  t.notOk((await alike(t, shop, 'committed and rolled back')).some((row) => row.startsWith('(21')));
  await run('BEGIN', 'SAVEPOINT a', 'INSERT INTO orders (id) VALUES (22)', 'ROLLBACK TO a', 'COMMIT');
  await run('BEGIN', 'INSERT INTO orders (id) VALUES (23)', 'SAVEPOINT a', 'INSERT INTO orders (id) VALUES (24)');
  await run(
    'SAVEPOINT b',
    'INSERT INTO orders (id) VALUES (25)',
    'ROLLBACK TO b',
    'INSERT INTO orders (id) VALUES (26)',
  );
  await run('RELEASE a', 'COMMIT');
  const rows = await alike(t, shop, 'savepoints');
  t.strictSame(
    [22, 23, 24, 25, 26].map((id) => rows.some((row) => row.startsWith(`(${id},`))),
    [false, true, true, false, true],
  );
  await run('BEGIN', 'INSERT INTO orders (id) VALUES (27)', 'SAVEPOINT s');
  t.match(await failure(client.query('INSERT INTO orders (id) VALUES (27)')), { code: '23505' });
  t.equal(statusOf(client), 'E');
  await run('ROLLBACK TO s', 'INSERT INTO orders (id) VALUES (28)', 'COMMIT AND CHAIN');
  t.equal(statusOf(client), 'T');
  await run('INSERT INTO orders (id) VALUES (29)', 'COMMIT');
  t.ok((await alike(t, shop, 'an error undone by a savepoint, a chain')).some((row) => row.startsWith('(29,')));
  await run('BEGIN', 'INSERT INTO orders (id) VALUES (30)');
  t.match(await failure(client.query('SELECT 1/0')), { code: '22012' });
  t.match(await client.query('COMMIT'), { command: 'ROLLBACK' });
  await alike(t, shop, 'COMMIT of a failed transaction');
  t.strictSame(await shop.divergences(), {});
});

t.test('settings reach the copy', async (t) => {
  const client = await shop.connect();
  await client.query("SET TimeZone = 'Asia/Tokyo'");
  await client.query("UPDATE orders SET at = '2026-01-01 00:00' WHERE id = 1");
  await client.query('BEGIN');
  await client.query("SET LOCAL TimeZone = 'America/Lima'");
  await client.query("UPDATE orders SET at = '2026-01-01 00:00' WHERE id = 2");
  await client.query('COMMIT');
  await alike(t, shop, 'by SET and by SET LOCAL');
  await client.query('DISCARD ALL');
  await client.query("UPDATE orders SET at = '2026-01-01 00:00' WHERE id = 1");
  await alike(t, shop, 'and forgotten');
  t.strictSame(await shop.divergences(), {});
});

t.test('what is refused to the mirror runs as always, and is told', async (t) => {
  const client = await shop.connect({ application_name: 'billing' });
  t.match(await client.query("INSERT INTO serials (note) VALUES ('x') RETURNING id"), { rows: [{ id: 1 }] });
  await client.query('UPDATE orders SET at = now() WHERE id = 1');
  await client.query('BEGIN');
  await client.query('UPDATE orders SET at = now() WHERE id = 1');
  await client.query('ROLLBACK');
  await client.query('BEGIN');
  await client.query('SAVEPOINT a');
  await client.query('UPDATE orders SET at = clock_timestamp() WHERE id = 1');
  await client.query('ROLLBACK TO a');
  await client.query('UPDATE orders SET n = n + 1 WHERE id = 2');
  await client.query('COMMIT');
  await client.query('BEGIN; UPDATE orders SET n = n + 1 WHERE id = 2; COMMIT');
  t.strictSame(await shop.divergences(), { default: 1, unsteady: 1, string: 1 });
  await until(() => shop.told().length >= 3, 'the control process tells of them');
  t.match(
    shop.told().find(({ reason }) => reason === 'default'),
    { domain: 'orders', table: 'public.serials', database: 'orders_db', service: 'billing', count: 1 },
  );
  await until(async () => {
    const { rows: there } = await shop.monolith.query(
      "SELECT 1 WHERE to_regclass('pgfig.divergences') IS NOT NULL",
      'shop',
    );
    if (there.length === 0) return false;
    const { rows } = await shop.monolith.query<{ n: string }>(
      "SELECT count(*) AS n FROM pgfig.divergences WHERE kind = 'statement' AND state = 'open'",
      'shop',
    );
    return rows[0]?.n === '3';
  }, 'they are stored');
  await client.query("INSERT INTO serials (note) VALUES ('y') RETURNING id");
  await until(async () => {
    const { rows } = await shop.monolith.query(
      "SELECT table_name FROM pgfig.divergences WHERE detail ->> 'reason' = 'default' AND detail ->> 'count' = '2'",
      'shop',
    );
    return rows.length === 1;
  }, 'and equal ones are counted');
  await shop.monolith.query(
    "UPDATE pgfig.divergences SET state = 'repaired', closed_at = now() WHERE detail ->> 'reason' = 'default'",
    'shop',
  );
  await client.query("INSERT INTO serials (note) VALUES ('z') RETURNING id");
  await until(async () => {
    const { rows } = await shop.monolith.query(
      "SELECT state, detail ->> 'count' AS n FROM pgfig.divergences WHERE detail ->> 'reason' = 'default' ORDER BY id",
      'shop',
    );
    return JSON.stringify(rows) === '[{"state":"repaired","n":"2"},{"state":"open","n":"1"}]';
  }, 'after one was closed by hand, the next opens a new row');
  const { monolith, copy } = await shop.both('serials');
  t.strictSame([monolith.length, copy.length], [3, 0]);
});
