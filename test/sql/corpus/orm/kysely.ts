import { type Compilable, Kysely, PostgresDialect, sql } from 'kysely';
import { Recorder } from '../recorder.js';
import { type CorpusTable, columnOf, columnsOf, keyOf, rowOf, TABLES, tableNamed } from '../tables.js';

/** Every table has these columns, as far as the compiler is told. */
type Row = Record<string, unknown>;
type Database = Record<string, Row>;

/** What kysely compiles, and what its introspection and a transaction send. */
export async function fromKysely(): Promise<string[]> {
  const recorder = new Recorder();
  const pool = recorder.pool() as ConstructorParameters<typeof PostgresDialect>[0]['pool'];
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const texts = TABLES.flatMap((table, i) =>
    [...reads(db, table, i), ...writes(db, table, i), ...definitions(db, table)].map((query) => query.compile().sql),
  );
  await db.introspection.getTables({ withInternalKyselyTables: true });
  await db.introspection.getSchemas();
  await db
    .transaction()
    .setIsolationLevel('serializable')
    .execute(async (trx) => {
      await trx.insertInto('users').values({ name: 'a' }).execute();
      await trx.selectFrom('orders').selectAll().execute();
    });
  await db.destroy();
  return [...texts, ...recorder.statements];
}

const named = ({ schema, name }: CorpusTable): string => (schema === undefined ? name : `${schema}.${name}`);

function reads(db: Kysely<Database>, table: CorpusTable, i: number): Compilable[] {
  const name = named(table);
  const [key, text, number] = [keyOf(table), columnOf(table, 'text'), columnOf(table, 'numeric', 'integer')];
  const other = TABLES[(i + 5) % TABLES.length] ?? table;
  const to = named(other);
  const queries: Compilable[] = [
    db.selectFrom(name).selectAll().where(key, '=', 1),
    db.selectFrom(name).select([key, text]).where(text, 'in', ['a', 'b']).orderBy(key, 'desc').limit(10).offset(5),
    db
      .selectFrom(`${name} as t`)
      .select([`t.${key} as k`])
      .distinct(),
    db.selectFrom(name).distinctOn(text).selectAll().orderBy(text),
    db
      .selectFrom(name)
      .select((eb) => [eb.fn.countAll().as('n'), eb.fn.sum(number).as('s')])
      .groupBy(text)
      .having(sql`count(*)`, '>', 3),
    db.selectFrom(name).select((eb) =>
      eb.fn
        .avg(number)
        .over((o) => o.partitionBy(text).orderBy(key))
        .as('a'),
    ),
    db.selectFrom(name).select((eb) => eb.fn.count(key).filterWhere(text, 'is not', null).as('n')),
    db
      .selectFrom(name)
      .selectAll()
      .where((eb) => eb.or([eb(key, '>', 3), eb.and([eb(text, 'like', 'x%'), eb.not(eb(number, '=', 1))])])),
    db
      .selectFrom(name)
      .selectAll()
      .where(key, 'in', db.selectFrom(to).select(`${to}.${keyOf(other)}`)),
    db
      .selectFrom(name)
      .selectAll()
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom(`${to} as o`)
            .select(sql.lit(1).as('one'))
            .whereRef(`o.${keyOf(other)}`, '=', `${name}.${key}`),
        ),
      ),
    db.selectFrom(name).select((eb) =>
      eb
        .selectFrom(to)
        .select((e) => e.fn.max(`${to}.${keyOf(other)}`).as('m'))
        .as('newest'),
    ),
    db
      .with('recent', (w) => w.selectFrom(name).selectAll().where(number, '>', 3))
      .selectFrom('recent')
      .selectAll(),
    db
      .with(table.name, (w) => w.selectFrom(to).selectAll())
      .selectFrom(table.name)
      .selectAll()
      .limit(1),
    db
      .withRecursive('tree', (w) =>
        w.selectFrom(name).select(`${name}.${key} as k`).unionAll(w.selectFrom('tree').select('tree.k')),
      )
      .selectFrom('tree')
      .selectAll(),
    db
      .selectFrom(name)
      .select(key)
      .union(db.selectFrom(to).select(keyOf(other)))
      .orderBy(key),
    db
      .selectFrom(name)
      .select(key)
      .except(db.selectFrom(to).select(keyOf(other))),
    db
      .selectFrom([`${name} as a`, `${to} as b`])
      .selectAll('a')
      .where(`a.${key}`, '=', 4),
    db.selectFrom(name).selectAll().where(key, '=', 1).forUpdate().skipLocked(),
    db
      .selectFrom(`${name} as a`)
      .innerJoin(`${to} as b`, 'a.x', 'b.y')
      .selectAll()
      .forUpdate(['a'] as never)
      .noWait(),
    db.selectFrom((eb) => eb.selectFrom(name).selectAll().limit(5).as('page')).selectAll('page'),
    db
      .selectFrom(name)
      .selectAll()
      .where(sql<boolean>`lower(${sql.ref(text)}) = ${'x'}`),
    db.selectFrom(name).select(sql<string>`json_agg(${sql.table(name)}.*)`.as('all')),
    db.selectFrom(name).select((eb) => eb.case().when(key, '>', 1).then('a').else('b').end().as('c')),
  ];
  for (const [column, target] of Object.entries(table.refers)) {
    const parent = named(tableNamed(target));
    const up = keyOf(tableNamed(target));
    queries.push(
      db.selectFrom(name).innerJoin(parent, `${name}.${column}`, `${parent}.${up}`).selectAll(name),
      db
        .selectFrom(`${name} as c`)
        .leftJoin(`${parent} as p`, (j) => j.onRef(`c.${column}`, '=', `p.${up}`).on(`p.${up}`, '>', 1))
        .selectAll(),
      db
        .selectFrom(`${parent} as p`)
        .leftJoinLateral(
          (eb) => eb.selectFrom(name).selectAll().whereRef(`${name}.${column}`, '=', `p.${up}`).limit(3).as('last'),
          (j) => j.onTrue(),
        )
        .selectAll(),
      db
        .selectFrom(`${parent} as p`)
        .select((eb) =>
          sql`(select coalesce(json_agg(c), '[]') from ${eb.selectFrom(name).selectAll().whereRef(`${name}.${column}`, '=', `p.${up}`)} as c)`.as(
            'children',
          ),
        ),
    );
  }
  return queries;
}

function writes(db: Kysely<Database>, table: CorpusTable, i: number): Compilable[] {
  const name = named(table);
  const [key, text, number] = [keyOf(table), columnOf(table, 'text'), columnOf(table, 'numeric', 'integer')];
  const other = TABLES[(i + 4) % TABLES.length] ?? table;
  const to = named(other);
  return [
    db.insertInto(name).values(rowOf(table, 1)),
    db
      .insertInto(name)
      .values([rowOf(table, 1), rowOf(table, 2)])
      .returningAll(),
    db
      .insertInto(name)
      .values(rowOf(table, 1))
      .onConflict((c) => c.column(key).doUpdateSet((eb) => ({ [text]: eb.ref(`excluded.${text}`) }))),
    db
      .insertInto(name)
      .values(rowOf(table, 1))
      .onConflict((c) => c.columns([key, text]).doNothing()),
    db
      .insertInto(name)
      .columns([key])
      .expression(db.selectFrom(to).select(keyOf(other))),
    db.insertInto(name).defaultValues().returning(key),
    db
      .with('new', (w) => w.insertInto(name).values(rowOf(table, 2)).returning(key))
      .insertInto(to)
      .columns([keyOf(other)])
      .expression((eb) => eb.selectFrom('new').select(`new.${key}`)),
    db
      .updateTable(name)
      .set({ [text]: 'x' })
      .where(key, '=', 1)
      .returning([key]),
    db
      .updateTable(name)
      .set((eb) => ({ [number]: eb(number, '+', 1) }))
      .where(key, 'in', db.selectFrom(to).select(keyOf(other))),
    db
      .updateTable(`${name} as a`)
      .from(`${to} as b`)
      .set({ [text]: 'y' })
      .whereRef(`a.${key}`, '=', `b.${keyOf(other)}`),
    db.deleteFrom(name).where(key, '<', 5).returningAll(),
    db
      .deleteFrom(name)
      .using(to)
      .whereRef(`${name}.${key}`, '=', `${to}.${keyOf(other)}`),
    db
      .mergeInto(`${name} as t`)
      .using(`${to} as s`, `t.${key}`, `s.${keyOf(other)}`)
      .whenMatched()
      .thenUpdateSet({ [text]: 'm' })
      .whenNotMatched()
      .thenDoNothing(),
    db
      .mergeInto(name)
      .using(`${to} as s`, `${name}.${key}`, `s.${keyOf(other)}`)
      .whenMatched()
      .thenDelete(),
  ];
}

function definitions(db: Kysely<Database>, table: CorpusTable): Compilable[] {
  const schema = table.schema === undefined ? db.schema : db.schema.withSchema(table.schema);
  const { name } = table;
  const [key, text] = [keyOf(table), columnOf(table, 'text')];
  let create = schema
    .createTable(name)
    .ifNotExists()
    .addColumn(key, 'serial', (c) => c.primaryKey());
  for (const column of columnsOf(table).slice(1)) {
    const parent = table.refers[column];
    create = create.addColumn(column, 'text', (c) =>
      parent === undefined ? c.notNull() : c.references(`${parent}.${keyOf(tableNamed(parent))}`).onDelete('cascade'),
    );
  }
  return [
    create,
    schema.createTable(`${name}_tmp`).temporary().as(db.selectFrom(name).selectAll()),
    schema
      .alterTable(name)
      .addColumn('extra', 'integer', (c) => c.defaultTo(7))
      .addColumn('more', 'jsonb'),
    schema.alterTable(name).dropColumn(text),
    schema.alterTable(name).renameColumn(text, 'renamed'),
    schema.alterTable(name).alterColumn(text, (c) => c.setNotNull()),
    schema.alterTable(name).addUniqueConstraint('only_one', [text]),
    schema.alterTable(name).addForeignKeyConstraint('fk', [key], 'users', ['id']).onUpdate('cascade'),
    schema.alterTable(name).dropConstraint('only_one'),
    schema.alterTable(name).renameTo(`${name}_old`),
    schema.createIndex(`${name}_index`).on(name).columns([text, key]).unique(),
    schema
      .createIndex(`${name}_part`)
      .on(name)
      .using('gin')
      .expression(sql`to_tsvector('simple', ${sql.ref(text)})`)
      .where(sql.ref(key), '>', 3),
    schema.createView(`${name}_view`).orReplace().as(db.selectFrom(name).selectAll()),
    schema.createView(`${name}_mat`).materialized().as(db.selectFrom(name).select(key)),
    schema.refreshMaterializedView(`${name}_mat`).concurrently(),
    schema.dropView(`${name}_view`).ifExists(),
    schema.dropIndex(`${name}_index`),
    schema.dropTable(name).ifExists().cascade(),
  ];
}
