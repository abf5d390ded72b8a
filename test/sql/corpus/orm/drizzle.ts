import {
  and,
  asc,
  avg,
  between,
  count,
  countDistinct,
  desc,
  eq,
  exists,
  gt,
  ilike,
  inArray,
  isNull,
  like,
  max,
  ne,
  not,
  notInArray,
  or,
  relations,
  sql,
  sum,
} from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import {
  alias,
  bigint,
  boolean,
  except,
  integer,
  intersect,
  jsonb,
  numeric,
  type PgColumn,
  type PgColumnBuilderBase,
  type PgTableWithColumns,
  pgSchema,
  pgTable,
  pgView,
  text,
  timestamp,
  union,
  unionAll,
} from 'drizzle-orm/pg-core';
import { Recorder } from '../recorder.js';
import { type ColumnType, type CorpusTable, columnOf, columnsOf, keyOf, rowOf, TABLES, tableNamed } from '../tables.js';

// biome-ignore lint/suspicious/noExplicitAny: the corpus' tables are made at run time, drizzle's types are of tables known when compiled
type Table = PgTableWithColumns<any>;
interface Query {
  toSQL(): { readonly sql: string };
}

const BUILDERS: Readonly<Record<ColumnType, (name: string) => PgColumnBuilderBase>> = {
  integer: (name) => integer(name),
  bigint: (name) => bigint(name, { mode: 'number' }),
  text: (name) => text(name),
  numeric: (name) => numeric(name),
  timestamp: (name) => timestamp(name, { mode: 'string' }),
  boolean: (name) => boolean(name),
  json: (name) => jsonb(name),
};

/** What drizzle builds, its relational queries among them, and what a transaction sends. */
export async function fromDrizzle(): Promise<string[]> {
  const made = new Map(TABLES.map((table) => [table.name, make(table)]));
  const recorder = new Recorder();
  const schema: Record<string, unknown> = Object.fromEntries([...made].map(([name, table]) => [ident(name), table]));
  for (const table of TABLES) Object.assign(schema, relationsOf(table, made));
  const db = drizzle(recorder.pool() as never, { schema });
  const texts = TABLES.flatMap((table, i) => {
    const other = TABLES[(i + 4) % TABLES.length] ?? table;
    return [
      ...reads(db, at(made, table), table, at(made, other), other),
      ...writes(db, at(made, table), table, at(made, other), other),
    ];
  });
  for (const table of TABLES) {
    const parents = Object.fromEntries(Object.values(table.refers).map((name) => [ident(name), true]));
    const find = (db.query as unknown as Record<string, { findMany(config: unknown): Query }>)[ident(table.name)];
    texts.push(
      ...[{}, { with: parents, limit: 5 }, { columns: { [keyOf(table)]: true }, with: parents, offset: 3 }].flatMap(
        (config) => find?.findMany(config) ?? [],
      ),
    );
  }
  await db.transaction(
    async (tx) => {
      await tx.select().from(at(made, tableNamed('orders')));
      await tx.transaction(async (inner) => inner.delete(at(made, tableNamed('payments'))));
    },
    { isolationLevel: 'repeatable read', accessMode: 'read write', deferrable: true },
  );
  return [...texts.map((query) => query.toSQL().sql), ...recorder.statements];
}

type Db = ReturnType<typeof drizzle<Record<string, unknown>>>;

const ident = (name: string): string => name.replaceAll(' ', '_');

function at(made: ReadonlyMap<string, Table>, table: CorpusTable): Table {
  const found = made.get(table.name);
  if (found === undefined) throw new Error(`no table ${table.name}`);
  return found;
}

function make(table: CorpusTable): Table {
  const columns = Object.fromEntries(
    columnsOf(table).map((name) => [name, BUILDERS[table.columns[name] ?? 'text'](name)]),
  );
  return (table.schema === undefined
    ? pgTable(table.name, columns)
    : pgSchema(table.schema).table(table.name, columns)) as unknown as Table;
}

function relationsOf(table: CorpusTable, made: ReadonlyMap<string, Table>): Record<string, unknown> {
  const own = at(made, table);
  return {
    [`${ident(table.name)}Relations`]: relations(own, ({ one }) =>
      Object.fromEntries(
        Object.entries(table.refers).map(([column, name]) => {
          const parent = at(made, tableNamed(name));
          return [
            ident(name),
            one(parent, {
              fields: [own[column] as PgColumn],
              references: [parent[keyOf(tableNamed(name))] as PgColumn],
            } as never),
          ];
        }),
      ),
    ),
  };
}

function reads(db: Db, own: Table, table: CorpusTable, other: Table, otherTable: CorpusTable): Query[] {
  const column = (name: string): PgColumn => own[name] as PgColumn;
  const key = column(keyOf(table));
  const [words, number] = [column(columnOf(table, 'text')), column(columnOf(table, 'numeric', 'integer'))];
  const otherKey = other[keyOf(otherTable)] as PgColumn;
  const recent = db.$with('recent').as(db.select({ k: key }).from(own).where(gt(number, 3)));
  const totals = db
    .select({ k: key, n: sum(number).as('n') })
    .from(own)
    .groupBy(key)
    .as('totals');
  const twin = alias(own, 'twin') as Table;
  const twinKey = twin[keyOf(table)] as PgColumn;
  return [
    db.select().from(own).where(eq(key, 1)),
    db
      .select({ k: key, l: sql`lower(${words})` })
      .from(own)
      .orderBy(desc(key))
      .limit(3)
      .offset(1),
    db.select({ n: count(), a: avg(number), m: max(key), d: countDistinct(words) }).from(own),
    db
      .select()
      .from(own)
      .where(or(like(words, 'o%'), isNull(number), and(between(key, 1, 5), ne(words, 'x')))),
    db
      .select()
      .from(own)
      .where(and(ilike(words, '%a%'), not(inArray(key, [1, 2]))))
      .orderBy(asc(words)),
    db
      .select()
      .from(own)
      .where(inArray(key, db.select({ id: otherKey }).from(other))),
    db
      .select()
      .from(own)
      .where(notInArray(key, db.select({ id: otherKey }).from(other).limit(3))),
    db
      .select()
      .from(own)
      .where(exists(db.select().from(other).where(eq(otherKey, key)))),
    db.select().from(own).leftJoin(other, eq(otherKey, key)),
    db.select().from(own).innerJoin(other, eq(otherKey, key)).rightJoin(twin, eq(twinKey, key)),
    db.select().from(own).fullJoin(other, eq(otherKey, key)).where(gt(number, 1)),
    db.select().from(own).crossJoin(other),
    db
      .select()
      .from(own)
      .leftJoinLateral(db.select({ z: otherKey }).from(other).where(eq(otherKey, key)).limit(1).as('z'), sql`true`),
    db.select({ k: key, t: twinKey }).from(own).innerJoin(twin, gt(twinKey, key)),
    db.with(recent).select().from(recent).innerJoin(other, eq(otherKey, recent.k)),
    db.select().from(totals).leftJoin(own, eq(key, totals.k)),
    db.selectDistinct({ w: words }).from(own),
    db.selectDistinctOn([words]).from(own).orderBy(words, desc(key)),
    union(
      db.select({ k: key }).from(own) as never,
      db.select({ k: otherKey }).from(other) as never,
    ) as unknown as Query,
    unionAll(
      db.select({ k: key }).from(own) as never,
      db.select({ k: otherKey }).from(other) as never,
    ) as unknown as Query,
    intersect(
      db.select({ k: key }).from(own) as never,
      db.select({ k: otherKey }).from(other) as never,
    ) as unknown as Query,
    except(
      db.select({ k: key }).from(own) as never,
      db.select({ k: otherKey }).from(other) as never,
    ) as unknown as Query,
    db.select().from(own).where(eq(key, 2)).for('update', { skipLocked: true }),
    db.select().from(own).for('no key update', { of: own, noWait: true }),
    db.select({ n: db.$count(own, gt(number, 3)) }).from(other),
    db.select().from(pgView(`${table.name}_view`, {}).as(sql`select 1`) as never),
  ];
}

function writes(db: Db, own: Table, table: CorpusTable, other: Table, otherTable: CorpusTable): Query[] {
  const key = own[keyOf(table)] as PgColumn;
  const wordsName = columnOf(table, 'text');
  const words = own[wordsName] as PgColumn;
  const otherKey = other[keyOf(otherTable)] as PgColumn;
  const [row, second] = [rowOf(table, 1), rowOf(table, 2)];
  const gone = db.$with('gone').as(db.delete(own).where(gt(key, 9)).returning({ k: key }));
  return [
    db.insert(own).values(row),
    db.insert(own).values([row, second]).returning(),
    db.insert(own).values(row).onConflictDoNothing(),
    db.insert(own).values(row).onConflictDoNothing({ target: key }),
    db
      .insert(own)
      .values(row)
      .onConflictDoUpdate({
        target: key,
        set: { [wordsName]: sql`excluded.${sql.identifier(wordsName)}` },
        setWhere: ne(words, 'x'),
      }),
    db.insert(own).select(db.select().from(own).where(gt(key, 3)) as never),
    db
      .update(own)
      .set({ [wordsName]: 'y' })
      .where(eq(key, 1))
      .returning({ k: key }),
    db
      .update(own)
      .set({ [wordsName]: sql`${words} || 'x'` })
      .from(other)
      .where(eq(otherKey, key)),
    db.update(own).set({ [wordsName]: sql`(${db.select({ m: max(otherKey) }).from(other)})` }),
    db.delete(own).where(inArray(key, db.select({ k: otherKey }).from(other))),
    db.delete(own).returning(),
    db.with(gone).select().from(gone),
    db.with(gone).insert(other).values(rowOf(otherTable, 4)),
  ];
}
