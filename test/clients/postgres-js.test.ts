import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import t from 'tap';
import { digest, running, until } from './conditions.js';
import { movedTable, onEachTarget } from './target.js';

t.test('postgres (porsager)', (t) =>
  onEachTarget(t, async (t, target) => {
    const sql = postgres(target.url, { max: 4, onnotice: () => undefined });
    t.teardown(() => sql.end({ timeout: 2 }));

    await t.test('creates, reads and writes where the table lives', async (t) => {
      await sql`CREATE TABLE order_scratch (id int PRIMARY KEY, tags text[], body jsonb)`;
      t.ok(await movedTable(target, 'order_scratch'));
      await sql`INSERT INTO order_scratch ${sql([{ id: 1, tags: ['a', 'b'], body: sql.json({ k: 1 }) }])}`;
      t.same([...(await sql`SELECT * FROM order_scratch`)], [{ id: 1, tags: ['a', 'b'], body: { k: 1 } }]);
      t.same([...(await sql`SELECT name FROM users WHERE id = ${5}`)], [{ name: 'user 5' }]);
      await sql`DROP TABLE order_scratch`;
    });

    await t.test('pipelines queries over both databases on one connection', async (t) => {
      const one = postgres(target.url, { max: 1 });
      t.teardown(() => one.end({ timeout: 2 }));
      await one`SELECT 1`;
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          n % 3 === 0
            ? one`SELECT ${n}::int AS n FROM users WHERE id = 1`
            : one`SELECT ${n}::int AS n FROM orders WHERE id = 1`,
        ),
      );
      t.same(
        answers.map((rows) => rows[0]?.n),
        Array.from({ length: 100 }, (_, n) => n),
      );
    });

    await t.test('an error in a pipeline hits its own query alone', async (t) => {
      const one = postgres(target.url, { max: 1 });
      t.teardown(() => one.end({ timeout: 2 }));
      const settled = await Promise.allSettled([
        one`SELECT count(*)::int AS n FROM users`,
        one`SELECT 1 / ${0}::int AS n FROM orders LIMIT 1`,
        one`SELECT count(*)::int AS n FROM orders`,
      ]);
      t.same(
        settled.map((one) => (one.status === 'fulfilled' ? one.value[0]?.n : one.reason.code)),
        [100, '22012', 1000],
      );
    });

    await t.test('transacts over both, with savepoints', async (t) => {
      await sql.begin(async (sql) => {
        const [user] = await sql`SELECT id FROM users WHERE id = 9`;
        await sql`INSERT INTO orders (user_id, total) VALUES (${user?.id}, 1888)`;
        await t.rejects(
          sql.savepoint(async (sql) => {
            await sql`DELETE FROM orders`;
            throw new Error('undo');
          }),
          { message: 'undo' },
        );
      });
      t.same(await target.inOrders('SELECT count(*)::int AS n FROM orders'), [{ n: 1001 }]);
      await sql`DELETE FROM orders WHERE total = 1888`;
    });

    await t.test('cancels', async (t) => {
      const query = sql`SELECT pg_sleep(60) /* postgres-cancel */ FROM orders LIMIT 1`.execute();
      const refused = t.rejects(query, { code: '57014' });
      await running(target, 'postgres-cancel');
      query.cancel();
      await refused;
      t.same([...(await sql`SELECT count(*)::int AS n FROM users`)], [{ n: 100 }]);
    });

    await t.test('streams with a cursor and with forEach', async (t) => {
      let rows = 0;
      for await (const part of sql`SELECT o.id, g FROM orders o CROSS JOIN generate_series(1, 20) g`.cursor(500)) {
        rows += part.length;
      }
      t.equal(rows, 20_000);
      let seen = 0;
      await sql`SELECT id FROM users`.forEach(() => {
        seen += 1;
      });
      t.equal(seen, 100);
    });

    await t.test('copies in and out', async (t) => {
      await sql`CREATE TABLE order_scratch (id int, body text)`;
      const lines = Array.from({ length: 5000 }, (_, n) => `${n}\t${'y'.repeat(n % 300)}\n`);
      await pipeline(Readable.from(lines), await sql`COPY order_scratch FROM STDIN`.writable());
      t.same(await target.inOrders('SELECT count(*)::int AS n FROM order_scratch'), [{ n: 5000 }]);
      // Small on purpose: postgres.js 3.4 can leave its socket paused for good when the stream's buffer has been full.
      const few = lines.slice(0, 100);
      const sent = await digest(Readable.from(few.map((line) => Buffer.from(line))));
      const out = await sql`COPY (SELECT * FROM order_scratch WHERE id < 100 ORDER BY id) TO STDOUT`.readable();
      t.same(await digest(out), sent);
      await sql`DROP TABLE order_scratch`;
    });

    await t.test('notifications', async () => {
      const payloads: string[] = [];
      const { unlisten } = await sql.listen('shop', (payload) => payloads.push(payload));
      await sql.notify('shop', 'hello');
      await until('a notification', () => payloads.includes('hello'));
      await unlisten();
    });
  }),
);
