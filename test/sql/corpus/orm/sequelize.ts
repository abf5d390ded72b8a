import { DataTypes, type Model, type ModelAttributes, type ModelStatic, Op, QueryTypes, Sequelize } from 'sequelize';
import { Recorder } from '../recorder.js';
import { type ColumnType, type CorpusTable, columnOf, columnsOf, keyOf, rowOf, TABLES, tableNamed } from '../tables.js';

const TYPES: Readonly<Record<ColumnType, ModelAttributes[string]>> = {
  integer: DataTypes.INTEGER,
  bigint: DataTypes.BIGINT,
  text: DataTypes.TEXT,
  numeric: DataTypes.DECIMAL(10, 2),
  timestamp: DataTypes.DATE,
  boolean: DataTypes.BOOLEAN,
  json: DataTypes.JSONB,
} as never;

/** What sequelize sends: finders with includes, paging, upserts, paranoid deletes, sync and its introspection. */
export async function fromSequelize(): Promise<string[]> {
  const recorder = new Recorder();
  const sequelize = new Sequelize({ dialect: 'postgres', dialectModule: recorder.module(), logging: false });
  const models = new Map(TABLES.map((table) => [table.name, define(sequelize, table)]));
  for (const table of TABLES) {
    for (const [column, target] of Object.entries(table.refers)) {
      const [child, parent] = [models.get(table.name), models.get(target)];
      child?.belongsTo(parent as ModelStatic<Model>, { foreignKey: column, as: `the ${target}`, constraints: false });
      parent?.hasMany(child as ModelStatic<Model>, { foreignKey: column, as: `all ${table.name}`, constraints: false });
    }
  }
  for (const [name, model] of models) {
    for (const run of uses(sequelize, model, tableNamed(name))) await run().catch(() => undefined);
  }
  await sequelize.sync({ alter: true }).catch(() => undefined);
  await sequelize.query('SELECT * FROM users WHERE id = ?', { replacements: [1], type: QueryTypes.SELECT });
  await sequelize.getQueryInterface().showAllTables();
  await sequelize.close();
  return recorder.statements;
}

function define(sequelize: Sequelize, table: CorpusTable): ModelStatic<Model> {
  const attributes: ModelAttributes = {};
  for (const [i, name] of columnsOf(table).entries()) {
    const type = TYPES[table.columns[name] ?? 'text'];
    attributes[name] = { type: type as never, ...(i === 0 ? { primaryKey: true } : {}) };
  }
  return sequelize.define(table.name, attributes, {
    tableName: table.name,
    timestamps: table.name === 'BlogPost',
    paranoid: table.name === 'BlogPost',
    ...(table.schema === undefined ? {} : { schema: table.schema }),
  });
}

function uses(sequelize: Sequelize, of: ModelStatic<Model>, table: CorpusTable): (() => Promise<unknown>)[] {
  const [key, text, number] = [keyOf(table), columnOf(table, 'text'), columnOf(table, 'numeric', 'integer')];
  const row: Record<string, unknown> = rowOf(table, 1);
  const model = of as ModelStatic<Model<Record<string, unknown>, Record<string, unknown>>>;
  const associations = Object.keys(model.associations);
  return [
    () => model.findByPk(1),
    () => model.findOne({ where: sequelize.where(sequelize.cast(sequelize.col(text), 'text'), { [Op.iLike]: '%x%' }) }),
    () =>
      model.findAll({
        where: { [Op.or]: [{ [key]: 1 }, { [text]: { [Op.in]: [row[text], null] } }] },
        order: [[key, 'DESC']],
        limit: 10,
        offset: 20,
      }),
    () =>
      model.findAll({
        attributes: [text, [sequelize.fn('COUNT', sequelize.col(key)), 'n']],
        group: [text],
        having: sequelize.where(sequelize.fn('COUNT', '*'), Op.gt, 3),
      }),
    () => model.findAll({ attributes: { include: [[sequelize.literal('(SELECT count(*) FROM "users")'), 'users']] } }),
    () => model.findAndCountAll({ where: { [number]: { [Op.between]: [1, 9] } }, limit: 5 }),
    () => model.count({ distinct: true, col: key }),
    () => model.max(number as never),
    () => model.sum(number as never, { where: { [text]: row[text] } }),
    () => model.create(row),
    () => model.bulkCreate([row, rowOf(table, 2)], { ignoreDuplicates: true }),
    () => model.bulkCreate([row], { updateOnDuplicate: [text], returning: true }),
    () => model.upsert(row),
    () => model.findOrCreate({ where: { [key]: 7 }, defaults: row }),
    () => model.update({ [text]: row[text] }, { where: { [key]: [1, 2] }, returning: true }),
    () => model.increment(number as never, { by: 2, where: { [key]: 1 } }),
    () => model.destroy({ where: { [key]: 3 } }),
    () => model.destroy({ where: {}, force: true, limit: 3 }),
    () => model.destroy({ truncate: true, cascade: true, restartIdentity: true }),
    () => model.restore({ where: { [key]: 3 } }),
    () =>
      sequelize.transaction(async (transaction) =>
        model.findAll({ lock: transaction.LOCK.UPDATE, skipLocked: true, transaction }),
      ),
    () => model.sync(),
    () => model.drop({ cascade: true }),
    () =>
      sequelize
        .getQueryInterface()
        .addColumn(table.name, 'extra', { type: DataTypes.INTEGER, references: { model: 'users', key: 'id' } }),
    () => sequelize.getQueryInterface().removeColumn(table.name, text),
    () =>
      sequelize
        .getQueryInterface()
        .addIndex(table.name, [text], { name: `${table.name} index`, unique: true, concurrently: true }),
    () =>
      sequelize.getQueryInterface().changeColumn(table.name, text, { type: DataTypes.STRING(40), allowNull: false }),
    () =>
      sequelize
        .getQueryInterface()
        .addConstraint(table.name, { type: 'check', fields: [number], where: { [number]: { [Op.gt]: 0 } } }),
    () => sequelize.getQueryInterface().renameTable(table.name, `${table.name}_old`),
    () => sequelize.getQueryInterface().describeTable(table.name),
    ...associations.flatMap((as) => [
      () => model.findAll({ include: [{ association: as }] }),
      () =>
        model.findAll({
          include: [{ association: as, required: true, where: { [Op.not]: { id: null } } }],
          limit: 4,
          order: [[{ model: model.associations[as]?.target as never, as }, 'id', 'ASC']],
        }),
      () =>
        model.findAll({
          include: [{ association: as, separate: as.startsWith('all'), attributes: [] }],
          subQuery: false,
          limit: 2,
        }),
      () => model.findAndCountAll({ include: { all: true, nested: true } as never, limit: 3 }),
      () =>
        (model.build(row as never) as unknown as Record<string, () => Promise<unknown>>)[
          `get${as.charAt(0).toUpperCase()}${as.slice(1)}`
        ]?.() ?? Promise.resolve(),
    ]),
  ];
}
