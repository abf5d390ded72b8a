import {
  DataSource,
  EntitySchema,
  type EntitySchemaColumnOptions,
  type EntitySchemaRelationOptions,
  type ObjectLiteral,
  type Repository,
} from 'typeorm';
import { Recorder } from '../recorder.js';
import { type ColumnType, type CorpusTable, columnOf, columnsOf, keyOf, rowOf, TABLES, tableNamed } from '../tables.js';

const TYPES: Readonly<Record<ColumnType, EntitySchemaColumnOptions['type']>> = {
  integer: 'int',
  bigint: 'bigint',
  text: 'text',
  numeric: 'numeric',
  timestamp: 'timestamptz',
  boolean: 'boolean',
  json: 'jsonb',
};

/** What TypeORM sends: its start, synchronising (introspection and DDL), finders with relations, query builder. */
export async function fromTypeorm(): Promise<string[]> {
  const recorder = new Recorder();
  const source = new DataSource({
    type: 'postgres',
    driver: recorder.module(),
    entities: TABLES.map(entityOf),
    installExtensions: false,
  });
  await source.initialize();
  await source.synchronize(true).catch(() => undefined);
  for (const table of TABLES) {
    for (const run of uses(source, source.getRepository(entityName(table)), table)) await run().catch(() => undefined);
  }
  await source.destroy();
  return recorder.statements;
}

const entityName = ({ name }: CorpusTable): string => name.replaceAll(' ', '');

function entityOf(table: CorpusTable): EntitySchema {
  const columns: Record<string, EntitySchemaColumnOptions> = {};
  const relations: Record<string, EntitySchemaRelationOptions> = {};
  for (const [i, name] of columnsOf(table).entries()) {
    const type = table.columns[name] ?? 'text';
    const isDeleted = name === 'deletedAt';
    columns[name] = {
      type: TYPES[type] ?? 'text',
      ...(i === 0 ? { primary: true } : { nullable: true }),
      deleteDate: isDeleted,
    };
  }
  for (const [column, target] of Object.entries(table.refers)) {
    const parent = tableNamed(target);
    relations[`${column}Parent`] = {
      type: 'many-to-one',
      target: entityName(parent),
      joinColumn: { name: column, referencedColumnName: keyOf(parent) },
      onDelete: 'CASCADE',
    };
  }
  return new EntitySchema({
    name: entityName(table),
    tableName: table.name,
    columns,
    relations,
    ...(table.schema === undefined ? {} : { schema: table.schema }),
  });
}

function uses(
  source: DataSource,
  repository: Repository<ObjectLiteral>,
  table: CorpusTable,
): (() => Promise<unknown>)[] {
  const [key, text, number] = [keyOf(table), columnOf(table, 'text'), columnOf(table, 'numeric', 'integer')];
  const row = rowOf(table, 1);
  const relations = Object.keys(table.refers).map((column) => `${column}Parent`);
  const query = () => repository.createQueryBuilder('t');
  return [
    () => repository.findOneBy({ [key]: 1 }),
    () => repository.find({ where: { [text]: 'x' }, order: { [key]: 'DESC' }, skip: 5, take: 10 }),
    () => repository.findAndCount({ take: 3 }),
    () => repository.countBy({ [number]: 3 }),
    () => repository.existsBy({ [key]: 3 }),
    () => repository.maximum(number as never, {}),
    () => repository.save(row),
    () => repository.save([row, rowOf(table, 2)], { chunk: 1 }),
    () => repository.insert([row, rowOf(table, 2)] as never),
    () => repository.upsert(row as never, [key]),
    () => repository.update({ [key]: 1 }, { [text]: 'y' } as never),
    () => repository.increment({ [key]: 1 }, number, 2),
    () => repository.delete({ [key]: 1 }),
    () => repository.softDelete({ [key]: 1 }),
    () => repository.restore({ [key]: 1 }),
    () => repository.remove(row as never),
    () => repository.clear(),
    () => query().where(`t.${key} = :id`, { id: 1 }).getOne(),
    () => query().select(`COUNT(DISTINCT t.${text})`, 'n').groupBy(`t.${text}`).having('COUNT(*) > 1').getRawMany(),
    () =>
      query()
        .where((q) => `t.${key} IN ${q.subQuery().select(`s.${key}`).from(repository.target, 's').getQuery()}`)
        .getMany(),
    () => query().setLock('pessimistic_write').setOnLocked('skip_locked').where(`t.${key} = 1`).getMany(),
    () =>
      query()
        .distinctOn([`t.${text}`])
        .orderBy(`t.${text}`)
        .getMany(),
    () =>
      query()
        .addCommonTableExpression(query().select(`t.${key}`), 'recent')
        .innerJoin('recent', 'r', `r.${key} = t.${key}`)
        .getMany(),
    () => source.createQueryBuilder().insert().into(repository.target).values(row).orIgnore().returning('*').execute(),
    () => source.createQueryBuilder().insert().into(repository.target).values(row).orUpdate([text], [key]).execute(),
    () =>
      source
        .createQueryBuilder()
        .update(repository.target)
        .set({ [text]: () => `upper("${text}")` } as never)
        .where('1 = 1')
        .returning([key])
        .execute(),
    () => source.createQueryBuilder().delete().from(repository.target).where(`"${key}" < 3`).execute(),
    () =>
      source
        .createQueryBuilder()
        .relation(repository.target, relations[0] ?? 'none')
        .of(1)
        .set(2),
    () => source.transaction('REPEATABLE READ', async (manager) => manager.save(repository.target, row)),
    ...relations.flatMap((relation) => [
      () => repository.find({ relations: { [relation]: true } }),
      () => repository.find({ relations: { [relation]: true }, take: 4, where: { [text]: 'x' } }),
      () => repository.find({ relations: { [relation]: true }, relationLoadStrategy: 'query' }),
      () => query().leftJoinAndSelect(`t.${relation}`, 'p').orderBy(`t.${key}`).take(5).getMany(),
      () => query().innerJoin(`t.${relation}`, 'p', `p IS NOT NULL`).getCount(),
    ]),
  ];
}
