/**
 * Writes knex.sql and drizzle.sql: what two query builders of npm's world emit, one statement a line, their
 * parameters as $1 or, every other time, as literals. Run it from the repo's root after `npm run build`:
 *   node build/test/sql/corpus/generate.js
 */
import { writeFileSync } from 'node:fs';
import {
  and,
  asc,
  between,
  count,
  desc,
  eq,
  exists,
  gt,
  ilike,
  inArray,
  isNull,
  like,
  ne,
  not,
  or,
  sql,
  sum,
} from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import {
  boolean,
  integer,
  numeric,
  pgSchema,
  pgTable,
  QueryBuilder,
  serial,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';
import knexFactory, { type Knex } from 'knex';

const TABLES = ['users', 'sessions', 'products', 'inventory', 'orders', 'order_items', 'payments', 'reviews'];

function fromKnex(): string[] {
  const knex = knexFactory({ client: 'pg' });
  const queries: Knex.QueryBuilder[] = [];
  TABLES.forEach((table, i) => {
    const other = TABLES[(i + 3) % TABLES.length] ?? 'users';
    queries.push(
      knex(table).where({ id: i + 1 }),
      knex(table).select('id', 'name as label').whereIn('state', ['a', 'b']).orderBy('id', 'desc').limit(20).offset(40),
      knex(table).join(other, `${table}.id`, `${other}.${table}_id`).select(`${table}.*`).where(`${other}.x`, '>', 5),
      knex(`${table} as t`).leftJoin(`shop.${other} as o`, 't.id', 'o.ref').countDistinct('o.id as n').groupBy('t.id'),
      knex(table)
        .insert([
          { a: 1, b: "it's" },
          { a: 2, b: null as unknown as string },
        ])
        .returning('id'),
      knex(table).insert({ id: 1, a: 2 }).onConflict('id').merge(),
      knex(table).insert({ id: 1 }).onConflict(['id', 'a']).ignore(),
      knex(table)
        .where('id', '<', 10)
        .update({ a: 'x', b: knex.raw('b + 1') }),
      knex(table).whereNull('gone_at').del(),
      knex(table).increment('hits', 1).where({ id: 7 }),
      knex(table).whereExists(knex(other).select(knex.raw('1')).whereRaw(`${other}.ref = ${table}.id`)),
      knex(table).whereNotIn('id', knex(other).select('ref').where({ open: true })),
      knex
        .with('recent', knex(table).where('at', '>', '2024-01-01'))
        .select('*')
        .from('recent')
        .join(other, 'recent.id', `${other}.ref`),
      knex(table)
        .select('id')
        .union([knex(other).select('id'), knex('archive').select('id')]),
      knex(table).max('price as m').min('price').avg('x').having(knex.raw('count(*) > 3')).groupBy('kind'),
      knex(table)
        .where((q) => q.where('a', 1).orWhere('b', 'like', 'x%'))
        .andWhereBetween('c', [1, 2])
        .first(),
      knex(table).distinct('a', 'b').orderByRaw('a nulls last'),
      knex.select(knex(other).count('*').whereRaw(`ref = ${table}.id`).as('n')).from(table),
      knex(table).forUpdate().where({ id: 3 }),
    );
  });
  return queries.map((query, i) => (i % 2 === 0 ? query.toSQL().toNative().sql : query.toQuery()));
}

function fromDrizzle(): string[] {
  const shop = pgSchema('shop');
  const users = pgTable('users', {
    id: serial('id'),
    name: text('name'),
    active: boolean('active'),
    at: timestamp('created_at'),
  });
  const orders = shop.table('Orders', {
    id: serial('id'),
    userId: integer('user_id'),
    total: numeric('total'),
    state: text('state'),
  });
  const items = pgTable('order_items', {
    id: serial('id'),
    orderId: integer('order_id'),
    sku: text('sku'),
    qty: integer('qty'),
  });
  const db = drizzle.mock();
  const qb = new QueryBuilder();
  const open = db.$with('open').as(db.select().from(orders).where(eq(orders.state, 'open')));
  const totals = qb
    .select({ id: orders.userId, n: sum(orders.total).as('n') })
    .from(orders)
    .groupBy(orders.userId)
    .as('totals');
  const list = [1, 2, 3].flatMap((k) => [
    db.select().from(users).where(eq(users.id, k)),
    db
      .select({ id: users.id, lower: sql`lower(${users.name})` })
      .from(users)
      .orderBy(desc(users.id))
      .limit(k),
    db
      .select()
      .from(users)
      .leftJoin(orders, eq(orders.userId, users.id))
      .where(and(gt(orders.total, '10'), ne(users.id, k))),
    db
      .select()
      .from(users)
      .innerJoin(orders, eq(orders.userId, users.id))
      .rightJoin(items, eq(items.orderId, orders.id)),
    db
      .select({ n: count() })
      .from(orders)
      .where(or(like(orders.state, 'o%'), isNull(orders.total))),
    db
      .select()
      .from(users)
      .where(inArray(users.id, db.select({ id: orders.userId }).from(orders))),
    db
      .select()
      .from(users)
      .where(not(exists(db.select().from(items).where(eq(items.id, users.id))))),
    db
      .select()
      .from(users)
      .where(and(ilike(users.name, '%a%'), between(users.id, k, 9)))
      .orderBy(asc(users.name)),
    db.with(open).select().from(open).innerJoin(items, eq(items.orderId, open.id)),
    db.select().from(totals).leftJoin(users, eq(users.id, totals.id)),
    db.selectDistinctOn([orders.userId]).from(orders).orderBy(orders.userId),
    db
      .select({ id: users.id })
      .from(users)
      .union(db.select({ id: orders.userId }).from(orders) as never),
    db.select().from(orders).where(eq(orders.id, k)).for('update', { skipLocked: true }),
    db
      .insert(users)
      .values([{ name: 'a' }, { name: "b'c", active: true }])
      .returning({ id: users.id }),
    db.insert(orders).values({ userId: k, total: '1.5' }).onConflictDoNothing(),
    db
      .insert(orders)
      .values({ id: k, state: 'x' })
      .onConflictDoUpdate({ target: orders.id, set: { state: 'y' } }),
    db.insert(items).select(qb.select().from(items).where(gt(items.qty, k))),
    db.update(orders).set({ state: 'paid' }).where(eq(orders.id, k)).returning(),
    db
      .update(orders)
      .set({ total: sql`${orders.total} + 1` })
      .from(users)
      .where(eq(users.id, orders.userId)),
    db.delete(items).where(and(eq(items.orderId, k), gt(items.qty, 0))),
    db.delete(users).returning(),
  ]);
  return list.map((query) => query.toSQL().sql);
}

for (const [name, statements] of [
  ['knex', fromKnex()],
  ['drizzle', fromDrizzle()],
] as const) {
  const lines = [...new Set(statements.map((statement) => statement.replaceAll(/\s*\n\s*/g, ' ')))];
  writeFileSync(`test/sql/corpus/${name}.sql`, `${lines.join('\n')}\n`);
  console.log(`${name}: ${lines.length} statements`);
}
