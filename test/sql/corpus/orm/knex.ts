import knexFactory, { type Knex } from 'knex';
import { type CorpusTable, columnOf, columnsOf, keyOf, rowOf, TABLES, tableNamed } from '../tables.js';

/** What knex makes of its query and schema builders, parameters as $1 or, every other time, as literals. */
export function fromKnex(): string[] {
  const knex = knexFactory({ client: 'pg' });
  const queries = TABLES.flatMap((table, i) => [...reads(knex, table, i), ...writes(knex, table, i)]);
  const definitions = TABLES.flatMap((table) => schema(knex, table));
  const texts = queries.map((query, i) => (i % 2 === 0 ? query.toSQL().toNative().sql : query.toQuery()));
  return [...texts, ...definitions.flatMap((builder) => builder.toSQL().map(({ sql }) => sql))];
}

const named = ({ schema, name }: CorpusTable): string => (schema === undefined ? name : `${schema}.${name}`);

function from(knex: Knex, table: CorpusTable): Knex.QueryBuilder {
  const builder = knex(table.name);
  return table.schema === undefined ? builder : builder.withSchema(table.schema);
}

function reads(knex: Knex, table: CorpusTable, i: number): Knex.QueryBuilder[] {
  const key = keyOf(table);
  const [text, time, number] = [
    columnOf(table, 'text'),
    columnOf(table, 'timestamp'),
    columnOf(table, 'numeric', 'integer'),
  ];
  const other = TABLES[(i + 3) % TABLES.length] ?? table;
  const queries = [
    from(knex, table).where({ [key]: i + 1 }),
    from(knex, table)
      .where({ [key]: i })
      .first(text),
    from(knex, table)
      .select(key, `${text} as label`)
      .whereIn(text, ['a', 'b'])
      .orderBy(key, 'desc')
      .limit(20)
      .offset(40),
    from(knex, table)
      .whereNull(time)
      .andWhereNot({ [text]: 'x' })
      .orderByRaw('?? nulls last', [time]),
    from(knex, table).whereBetween(number, [1, 20]).orWhereNotBetween(number, [3, 4]),
    from(knex, table).whereRaw('?? ilike ?', [text, '%a%']).select(knex.raw('count(*) over () as total'), '*'),
    from(knex, table)
      .count('* as n')
      .sum(`${number} as s`)
      .avg(number)
      .max(time)
      .groupBy(text)
      .havingRaw('count(*) > ?', [3]),
    from(knex, table).countDistinct(`${text} as n`),
    from(knex, table).distinct(text, time),
    from(knex, table)
      .where((q) => q.where(key, '>', 1).orWhere(text, 'like', 'x%'))
      .andWhereBetween(number, [1, 2]),
    from(knex, table)
      .forUpdate()
      .skipLocked()
      .where({ [key]: 3 }),
    from(knex, table)
      .forShare()
      .noWait()
      .where({ [key]: 3 }),
    from(knex, table).whereIn(key, knex(other.name).select(keyOf(other)).whereNotNull(columnOf(other, 'text'))),
    from(knex, table).whereExists(
      knex(`${named(other)} as o`)
        .select(knex.raw('1'))
        .whereRaw('o.?? > 1', [keyOf(other)]),
    ),
    from(knex, table)
      .select(key)
      .union([knex(named(other)).select(keyOf(other)), knex('archive').select('id')]),
    from(knex, table)
      .select(key)
      .unionAll((q) => q.from(other.name).select(keyOf(other)), true),
    from(knex, table)
      .select(key)
      .intersect(knex(other.name).select(keyOf(other))),
    knex
      .with('recent', from(knex, table).where(time, '>', '2024-01-01'))
      .from('recent')
      .crossJoin(knex.raw('??', [other.name])),
    knex
      .withMaterialized('big', from(knex, table).where(number, '>', 9))
      .select('*')
      .from('big')
      .limit(3),
    knex
      .withRecursive('tree', (q) =>
        q
          .from(table.name)
          .where({ [key]: 1 })
          .unionAll((r) => r.from(`${table.name} as c`).select('c.*').join('tree', `c.${key}`, `tree.${key}`)),
      )
      .from('tree'),
    knex
      .select(
        knex(other.name)
          .count('*')
          .whereRaw('?? = ??', [keyOf(other), `${table.name}.${key}`])
          .as('n'),
      )
      .from(table.name),
    knex
      .from(
        from(knex, table)
          .rank('place', (q) => q.partitionBy(text).orderBy(number))
          .select('*')
          .as('ranked'),
      )
      .where('place', 1),
    from(knex, table).rowNumber('n', key).select(text),
    from(knex, table).as('x').jsonExtract('meta', '$.n', 'n'),
  ];
  for (const [column, target] of Object.entries(table.refers)) {
    const parent = tableNamed(target);
    const to = keyOf(parent);
    queries.push(
      knex(named(table))
        .join(named(parent), `${named(table)}.${column}`, `${named(parent)}.${to}`)
        .select(`${named(table)}.*`),
      knex({ c: named(table) })
        .leftJoin({ p: named(parent) }, 'c.x', 'p.y')
        .where(`p.${to}`, '>', 5)
        .select('c.*', 'p.*'),
      knex({ c: table.name }).rightOuterJoin({ p: parent.name }, (on) =>
        on.on(`c.${column}`, `p.${to}`).andOnVal(`p.${to}`, '<', 9),
      ),
      knex({ c: table.name })
        .fullOuterJoin(parent.name, `c.${column}`, `${parent.name}.${to}`)
        .groupBy(`c.${key}`)
        .select(`c.${key}`),
      knex({ c: table.name }).joinRaw('natural join ??', [parent.name]),
      knex(parent.name).whereNotExists(
        knex(table.name).whereRaw('??.?? = ??.??', [table.name, column, parent.name, to]),
      ),
      knex({ p: parent.name }).joinRaw(
        `cross join lateral (select * from "${table.name}" where "${column}" = "p"."${to}" limit 3) as l`,
      ),
    );
  }
  return queries;
}

function writes(knex: Knex, table: CorpusTable, i: number): Knex.QueryBuilder[] {
  const key = keyOf(table);
  const text = columnOf(table, 'text');
  const number = columnOf(table, 'numeric', 'integer');
  const rows = Array.from({ length: 5 }, (_, n) => rowOf(table, i + n));
  const other = TABLES[(i + 2) % TABLES.length] ?? table;
  return [
    from(knex, table).insert(rowOf(table, 1)),
    from(knex, table).insert(rows).returning(key),
    from(knex, table).insert(rows.slice(0, 2)).onConflict(key).merge(),
    from(knex, table)
      .insert(rowOf(table, 2))
      .onConflict([key, text])
      .merge([text])
      .where(`${table.name}.${key}`, '>', 3),
    from(knex, table).insert(rowOf(table, 3)).onConflict(key).ignore(),
    from(knex, table).insert(knex(other.name).select(keyOf(other)).limit(5)),
    knex.into(knex.raw('?? (??)', [table.name, key])).insert(knex(other.name).select(keyOf(other))),
    knex
      .with('gone', from(knex, table).where(key, '<', 5).del().returning('*'))
      .insert(knex.select('*').from('gone'))
      .into(other.name),
    from(knex, table)
      .where(key, '<', 10)
      .update({ [text]: 'x', [number]: knex.raw('?? + 1', [number]) }),
    from(knex, table)
      .where({ [key]: 1 })
      .update(rowOf(table, 8))
      .returning('*'),
    from(knex, table)
      .whereIn(key, knex(other.name).select(keyOf(other)))
      .update({ [text]: knex.raw('(?)', [knex(other.name).max(columnOf(other, 'text'))]) }),
    knex(table.name)
      .updateFrom(other.name)
      .where(`${other.name}.${keyOf(other)}`, 3)
      .update({ [text]: 'y' }),
    from(knex, table)
      .increment(number, 2)
      .where({ [key]: 7 }),
    from(knex, table)
      .decrement({ [number]: 2 })
      .whereNotNull(text),
    from(knex, table)
      .where({ [key]: 9 })
      .del(),
    from(knex, table).whereNull(text).del([key]),
    knex(table.name)
      .using([other.name])
      .where(`${other.name}.${keyOf(other)}`, 1)
      .del(),
    from(knex, table).truncate() as unknown as Knex.QueryBuilder,
  ];
}

function schema(knex: Knex, table: CorpusTable): Knex.SchemaBuilder[] {
  const at = (): Knex.SchemaBuilder =>
    table.schema === undefined ? knex.schema : knex.schema.withSchema(table.schema);
  const [key, text] = [keyOf(table), columnOf(table, 'text')];
  return [
    at().createTable(table.name, (t) => {
      t.increments(key);
      for (const name of columnsOf(table).slice(1)) t.text(name).notNullable().defaultTo('x').index();
      for (const [column, parent] of Object.entries(table.refers)) {
        t.integer(`${column}_2`)
          .unsigned()
          .references(keyOf(tableNamed(parent)))
          .inTable(parent)
          .onDelete('CASCADE');
      }
      t.unique([key, text]);
      t.comment('made by a migration');
      t.timestamps(true, true);
    }),
    at().createTableLike(`${table.name}_copy`, table.name),
    at().alterTable(table.name, (t) => {
      t.string('extra', 40).nullable();
      t.enum('kind', ['a', 'b'], { useNative: true, enumName: `${key}_kind` });
      t.dropColumn(text);
      t.renameColumn(key, 'old_key');
      t.index(['extra'], 'extra_index', { indexType: 'gin' });
    }),
    at().alterTable(table.name, (t) => {
      t.dropForeign([text]);
      t.dropUnique([text]);
      t.dropPrimary();
      t.setNullable(text);
      t.dropNullable(key);
      t.check(`"${key}" > 0`, undefined, 'positive');
      t.foreign(key).references('users.id').onUpdate('SET NULL');
    }),
    at().renameTable(table.name, `${table.name}_old`) as unknown as Knex.SchemaBuilder,
    at().dropTable(table.name),
    at().dropTableIfExists(table.name),
    at().createView(`${table.name}_view`, (view) => {
      view.columns([key]);
      view.as(knex(table.name).select(key).where(key, '>', 3));
    }),
    at().createMaterializedView(`${table.name}_all`, (view) => view.as(knex(table.name).select('*'))),
    at().refreshMaterializedView(`${table.name}_all`, true),
    at().dropViewIfExists(`${table.name}_view`),
    at().dropMaterializedView(`${table.name}_all`),
  ];
}
