import knexFactory from 'knex';
import { Model, type ModelClass, type RelationMappings } from 'objection';
import { Recorder } from '../recorder.js';
import { type CorpusTable, columnOf, columnsOf, keyOf, rowOf, TABLES, tableNamed } from '../tables.js';

/** What objection sends for models over the corpus' tables: eager loads, graphs, upserts, paging, transactions. */
export async function fromObjection(): Promise<string[]> {
  const recorder = new Recorder(TABLES.map((table) => answerFor(table)));
  const knex = knexFactory({ client: 'pg' });
  knex.client.driver = recorder.module();
  knex.client.pool = null;
  knex.client.acquireConnection = async () => recorder.pool();
  knex.client.releaseConnection = async () => undefined;
  const models = new Map(TABLES.map((table) => [table.name, modelOf(table)]));
  for (const table of TABLES) relate(models, table);
  for (const [name, model] of models) {
    const Bound = model.bindKnex(knex);
    for (const run of uses(Bound, tableNamed(name))) await run().catch(() => undefined);
  }
  return recorder.statements;
}

/** One row for a SELECT of the table, so that what follows from it (eager loads) is asked for too. */
function answerFor(table: CorpusTable): [RegExp, Record<string, unknown>[]] {
  const pattern = new RegExp(`^(select (?!count).*from|insert into) (".*"\\.)?"${table.name}"`, 's');
  return [pattern, [rowOf(table, 1)]];
}

function modelOf(table: CorpusTable): ModelClass<Model> {
  const columns = columnsOf(table);
  return class extends Model {
    static override tableName = table.schema === undefined ? table.name : `${table.schema}.${table.name}`;
    static override idColumn = keyOf(table);
    static override columnNameMappers = null as never;
    static override async fetchTableMetadata() {
      return { columns };
    }
  };
}

function relate(models: ReadonlyMap<string, ModelClass<Model>>, table: CorpusTable): void {
  const model = models.get(table.name);
  if (model === undefined) return;
  const mappings: RelationMappings = {};
  for (const [column, target] of Object.entries(table.refers)) {
    const parent = models.get(target);
    if (parent === undefined) continue;
    const join = { from: `${model.tableName}.${column}`, to: `${parent.tableName}.${keyOf(tableNamed(target))}` };
    mappings[`the_${target}`] = { relation: Model.BelongsToOneRelation, modelClass: parent, join };
    const back = {
      ...parent.relationMappings,
      [`all_${table.name}`.replaceAll(' ', '_')]: {
        relation: Model.HasManyRelation,
        modelClass: model,
        join: { from: join.to, to: join.from },
      },
    };
    parent.relationMappings = back as RelationMappings;
  }
  model.relationMappings = { ...model.relationMappings, ...mappings } as RelationMappings;
}

function uses(model: ModelClass<Model>, table: CorpusTable): (() => Promise<unknown>)[] {
  const [key, text, number] = [keyOf(table), columnOf(table, 'text'), columnOf(table, 'numeric', 'integer')];
  const relations = Object.keys(model.relationMappings ?? {});
  const row = rowOf(table, 1);
  const of = async (query: PromiseLike<unknown>): Promise<unknown> => query;
  return [
    () => of(model.query().findById(1)),
    () => of(model.query().findByIds([1, 2])),
    () => of(model.query().findOne({ [text]: 'x' })),
    () => of(model.query().select(key).where(number, '>', 3).orderBy(key).page(2, 10)),
    () => of(model.query().resultSize()),
    () => of(model.query().whereNotNull(text).range(0, 9)),
    () => of(model.query().insert(row as never)),
    () => of(model.query().insert([row, rowOf(table, 2)] as never)),
    () => of(model.query().insertAndFetch(row as never)),
    () =>
      of(
        model
          .query()
          .insert(row as never)
          .onConflict(key)
          .merge(),
      ),
    () =>
      of(
        model
          .query()
          .patch({ [text]: 'y' } as never)
          .where(key, 1),
      ),
    () => of(model.query().patchAndFetchById(1, { [text]: 'y' } as never)),
    () => of(model.query().updateAndFetchById(1, row as never)),
    () => of(model.query().increment(number, 1).findById(3)),
    () => of(model.query().deleteById(1)),
    () => of(model.query().delete().where(text, 'x').returning('*')),
    () => of(model.query().upsertGraph({ ...row } as never, { insertMissing: true })),
    () => of(model.query().insertGraph([row] as never)),
    () => of(model.query().whereIn(key, model.query().select(key).where(number, 3))),
    () => model.transaction(async (trx) => model.query(trx).forUpdate().findById(4)),
    ...relations.flatMap((relation) => [
      () => of(model.query().withGraphFetched(relation)),
      () => of(model.query().withGraphJoined(relation).where(`${model.tableName}.${key}`, 1)),
      () => of(model.query().withGraphFetched(`[${relation} as again]`).limit(2)),
      () => of(model.query().joinRelated(relation)),
      () =>
        of(
          model
            .query()
            .leftJoinRelated(relation)
            .countDistinct(`${relation}.${key} as n`)
            .groupBy(`${model.tableName}.${key}`),
        ),
      () => of(model.query().whereExists(model.relatedQuery(relation))),
      () => of(model.query().select(model.relatedQuery(relation).count().as('n'))),
      () => of(model.relatedQuery(relation).for([1, 2])),
      () =>
        of(
          model
            .relatedQuery(relation)
            .for(model.query().where(text, 'x'))
            .patch({ [text]: 'z' } as never),
        ),
      () => of(model.relatedQuery(relation).for(1).delete()),
    ]),
  ];
}
