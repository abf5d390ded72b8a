import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, numeric, pgTable, serial, text } from 'drizzle-orm/pg-core';
import { drizzle as drizzleOverPostgresJs } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import t from 'tap';
import { cancel } from './cancel.js';
import { running } from './conditions.js';
import { movedTable, onEachTarget } from './target.js';

const users = pgTable('users', { id: serial().primaryKey(), name: text().notNull(), email: text() });
const orders = pgTable('orders', {
  id: serial().primaryKey(),
  userId: integer('user_id').notNull(),
  note: text(),
  total: numeric({ precision: 10, scale: 2 }).notNull().default('0'),
});

t.test('Drizzle', (t) =>
  onEachTarget(t, async (t, target) => {
    const client = new pg.Client({ connectionString: target.url });
    await client.connect();
    t.teardown(() => client.end());
    const db = drizzle(client);

    await t.test('creates a table', async (t) => {
      await db.execute(sql`CREATE TABLE order_scratch (id int PRIMARY KEY)`);
      t.ok(await movedTable(target, 'order_scratch'));
      await db.execute(sql`DROP TABLE order_scratch`);
    });

    await t.test('reads and writes', async (t) => {
      t.same(await db.select().from(users).where(eq(users.id, 5)), [{ id: 5, name: 'user 5', email: '5@example.com' }]);
      const [made] = await db.insert(orders).values({ userId: 5, total: '12.50' }).returning();
      t.equal(made?.total, '12.50');
      const id = made?.id ?? 0;
      await db.update(orders).set({ note: 'changed' }).where(eq(orders.id, id));
      t.same(await target.inOrders(`SELECT note FROM orders WHERE id = ${id}`), [{ note: 'changed' }]);
      t.equal(await db.$count(orders), 1001);
      await db.delete(orders).where(eq(orders.id, id));
    });

    await t.test('transacts over both, nested', async (t) => {
      await db.transaction(async (tx) => {
        const [user] = await tx.select({ id: users.id }).from(users).where(eq(users.id, 9));
        await tx.insert(orders).values({ userId: user?.id ?? 0, total: '1777' });
        await t.rejects(
          tx.transaction(async (inner) => {
            await inner.delete(orders);
            inner.rollback();
          }),
        );
      });
      t.same(await target.inOrders('SELECT count(*)::int AS n FROM orders'), [{ n: 1001 }]);
      await t.rejects(
        db.transaction(async (tx) => {
          await tx.delete(orders);
          tx.rollback();
        }),
      );
      await db.delete(orders).where(eq(orders.total, '1777'));
      t.equal(await db.$count(orders), 1000);
    });

    await t.test('sets the mode of a transaction', async (t) => {
      const config = { isolationLevel: 'read committed', accessMode: 'read only' } as const;
      t.equal(await db.transaction((tx) => tx.$count(orders), config), 1000);
      await t.rejects(
        db.transaction((tx) => tx.delete(orders), config),
        { cause: { code: '25006' } },
      );
    });

    await t.test('prepared queries', async (t) => {
      const byId = db
        .select({ total: orders.total })
        .from(orders)
        .where(eq(orders.id, sql.placeholder('id')))
        .prepare('order_by_id');
      t.same(await byId.execute({ id: 3 }), [{ total: '3.00' }]);
      t.equal((await db.select().from(users)).length, 100);
      t.same(await byId.execute({ id: 4 }), [{ total: '4.00' }]);
    });

    await t.test('cancels', async (t) => {
      const query = db.execute(sql`SELECT pg_sleep(60) /* drizzle-cancel */ FROM orders LIMIT 1`);
      const refused = t.rejects(query, { cause: { code: '57014' } });
      await running(target, 'drizzle-cancel');
      await cancel(client);
      await refused;
      t.equal(await db.$count(users), 100);
    });

    await t.test('over postgres.js', async (t) => {
      const sqlClient = postgres(target.url, { max: 2 });
      t.teardown(() => sqlClient.end({ timeout: 2 }));
      const over = drizzleOverPostgresJs(sqlClient);
      t.equal((await over.select().from(users)).length, 100);
      t.equal((await over.select().from(orders)).length, 1000);
    });
  }),
);
