import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import t, { type Test } from 'tap';
import { cancel } from './cancel.js';
import { digest, running, until } from './conditions.js';
import { movedTable, onEachTarget, type Target } from './target.js';

async function connected(t: Test, target: Target): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: target.url });
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

t.test('pg', (t) =>
  onEachTarget(t, async (t, target) => {
    await t.test('creates, reads and writes where the table lives', async (t) => {
      const client = await connected(t, target);
      await client.query('CREATE TABLE order_scratch (id int PRIMARY KEY, body jsonb)');
      t.ok(await movedTable(target, 'order_scratch'));
      await client.query('INSERT INTO order_scratch VALUES ($1, $2)', [1, { a: [1, 2] }]);
      t.same((await client.query('SELECT * FROM order_scratch')).rows, [{ id: 1, body: { a: [1, 2] } }]);
      t.same((await client.query('SELECT name FROM users WHERE id = $1', [5])).rows, [{ name: 'user 5' }]);
      await client.query('DROP TABLE order_scratch');
    });

    await t.test('named statements keep their meaning from table to table', async (t) => {
      const client = await connected(t, target);
      const user = { name: 'user', text: 'SELECT name FROM users WHERE id = $1' };
      const order = { name: 'order', text: 'SELECT total FROM orders WHERE id = $1' };
      for (const id of [1, 2, 3]) {
        t.same((await client.query({ ...user, values: [id] })).rows, [{ name: `user ${id}` }]);
        t.same((await client.query({ ...order, values: [id] })).rows, [{ total: `${id}.00` }]);
      }
    });

    await t.test('transacts over both', async (t) => {
      const client = await connected(t, target);
      await client.query('BEGIN');
      const { rows } = await client.query('SELECT id FROM users WHERE id = 9');
      await client.query('INSERT INTO orders (user_id, total) VALUES ($1, 1999)', [rows[0].id]);
      t.same(await target.inOrders('SELECT 1 FROM orders WHERE total = 1999'), []);
      await client.query('COMMIT');
      t.equal((await target.inOrders('SELECT 1 FROM orders WHERE total = 1999')).length, 1);
      await client.query('BEGIN');
      await client.query('DELETE FROM orders');
      await t.rejects(client.query('SELECT 1/0'), { code: '22012' });
      await t.rejects(client.query('SELECT 1'), { code: '25P02' });
      await client.query('ROLLBACK');
      await client.query('DELETE FROM orders WHERE total = 1999');
    });

    await t.test('many queries of one client, queued', async (t) => {
      const client = await connected(t, target);
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          n % 2 === 0
            ? client.query('SELECT $1::int AS n FROM users WHERE id = 1', [n])
            : client.query(`SELECT ${n} AS n FROM orders WHERE id = 1`),
        ),
      );
      t.same(
        answers.map((answer) => answer.rows[0].n),
        Array.from({ length: 200 }, (_, n) => n),
      );
    });

    await t.test('a pool of ten', async (t) => {
      const pool = new pg.Pool({ connectionString: target.url, max: 10 });
      t.teardown(() => pool.end());
      const sums = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          pool.query('SELECT count(*)::int AS n FROM orders WHERE user_id = $1', [1 + (n % 100)]),
        ),
      );
      t.ok(sums.every((sum) => sum.rows[0].n === 10));
    });

    await t.test('cancels', async (t) => {
      const client = await connected(t, target);
      const query = client.query('SELECT pg_sleep(60) /* pg-cancel */ FROM orders LIMIT 1');
      const refused = t.rejects(query, { code: '57014' });
      await running(target, 'pg-cancel');
      await cancel(client);
      await refused;
      t.same((await client.query('SELECT count(*)::int AS n FROM users')).rows, [{ n: 100 }]);
    });

    await t.test('notifications', async (t) => {
      const client = await connected(t, target);
      const payloads: (string | undefined)[] = [];
      client.on('notification', (message) => payloads.push(message.payload));
      await client.query('LISTEN shop');
      const other = await connected(t, target);
      await other.query("SELECT pg_notify('shop', 'idle')");
      await until('a notification while idle', () => payloads.includes('idle'));
      await client.query('UNLISTEN shop');
    });

    await t.test('pg-cursor reads on and closes early', async (t) => {
      const client = await connected(t, target);
      const cursor = client.query(new Cursor('SELECT id FROM orders ORDER BY id'));
      t.equal((await cursor.read(10)).length, 10);
      t.same((await cursor.read(1))[0], { id: 11 });
      await cursor.close();
      t.same((await client.query('SELECT count(*)::int AS n FROM users')).rows, [{ n: 100 }]);
    });

    await t.test('pg-query-stream streams', async (t) => {
      const client = await connected(t, target);
      const sql = 'SELECT o.id, g FROM orders o CROSS JOIN generate_series(1, 20) g';
      let rows = 0;
      for await (const _ of client.query(new QueryStream(sql, [], { batchSize: 500 }))) rows += 1;
      t.equal(rows, 20_000);
      const broken = client.query(
        new QueryStream('SELECT 1 / (500 - id) FROM orders ORDER BY id', [], { batchSize: 50 }),
      );
      await t.rejects(
        async () => {
          for await (const _ of broken);
        },
        { code: '22012' },
      );
      t.same((await client.query('SELECT count(*)::int AS n FROM users')).rows, [{ n: 100 }]);
    });

    await t.test('pg-copy-streams copies in and out', async (t) => {
      const client = await connected(t, target);
      await client.query('CREATE TABLE order_scratch (id int, body text)');
      const lines = Array.from({ length: 20_000 }, (_, n) => `${n}\t${'x'.repeat(n % 200)}\n`);
      await pipeline(Readable.from(lines), client.query(copyFrom('COPY order_scratch FROM STDIN')));
      const [sum] = await target.inOrders(
        'SELECT count(*)::int AS n, sum(length(body))::int AS len FROM order_scratch',
      );
      t.same(sum, { n: 20_000, len: 1_990_000 });
      const sent = await digest(Readable.from(lines.map((line) => Buffer.from(line))));
      t.same(await digest(client.query(copyTo('COPY (SELECT * FROM order_scratch ORDER BY id) TO STDOUT'))), sent);
      const bad = client.query(copyFrom('COPY order_scratch FROM STDIN'));
      await t.rejects(pipeline(Readable.from(['1\tfine\n', 'not a number\tx\n']), bad), { code: '22P02' });
      t.same((await client.query('SELECT count(*)::int AS n FROM order_scratch')).rows, [{ n: 20_000 }]);
      await client.query('DROP TABLE order_scratch');
    });
  }),
);
