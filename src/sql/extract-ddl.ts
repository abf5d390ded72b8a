import { createSchema } from './extract-create-schema.js';
import { alterSchema, drop, grant, named, publishedSchemas, RELATIONS } from './extract-named.js';
import { QueryWalk } from './extract-query.js';
import { type Facts, NO_FUNCTIONS } from './facts.js';
import { tableOf, tableOfParts } from './names.js';
import type { Statement, StatementKind, TableName } from './statement.js';
import { inside, isNode, listOf, nodeOf, stringsOf, type TreeNode, tagOf, textOf } from './tree.js';

type Extract = (statement: unknown) => Statement;

/** Effects that a statement inside a definition has when it is run one day, not now. */
const HAPPENS_NOW = new Set(['create-temp', 'create-relation', 'create-schema', 'drop-table', 'execute']);

/** DDL that runs expressions itself; in all other they are parts of a definition, which is run one day. */
const EVALUATES = new Set([
  'CreateStmt',
  'CreateForeignTableStmt',
  'CreateSchemaStmt',
  'AlterTableStmt',
  'AlterDomainStmt',
  'IndexStmt',
]);

/** Commands of ALTER TABLE that go through the rows of the table. */
const REWRITES = new Set(['AT_AddColumn', 'AT_AddConstraint', 'AT_AlterColumnType', 'AT_SetExpression']);

/**
 * DDL: every relation that is named is written, but for what queries, foreign keys and LIKE clauses only look
 * at. A tag that is not treated here is walked, so that what it names is found. A definition is not run: of what
 * it calls and changes nothing is kept.
 */
export function ddl(facts: Facts, tag: string, node: TreeNode, extract: Extract): StatementKind {
  facts.writesData = true;
  definition(facts, tag, node, extract);
  // CREATE TABLE AS runs its query unless told WITH NO DATA.
  if (tag === 'CreateTableAsStmt' && nodeOf(node.into).skipData !== true) return 'ddl';
  if (tag !== 'CreateSchemaStmt') facts.changes.clear();
  if (!EVALUATES.has(tag)) facts.cutFunctions(NO_FUNCTIONS);
  facts.effects.splice(0, Infinity, ...facts.effects.filter((effect) => HAPPENS_NOW.has(effect.type)));
  return 'ddl';
}

function definition(facts: Facts, tag: string, node: TreeNode, extract: Extract): void {
  const walk = new QueryWalk(facts, true);
  switch (tag) {
    case 'CreateStmt':
    case 'CreateForeignTableStmt':
      createTable(facts, walk, tag === 'CreateStmt' ? node : nodeOf(node.base));
      return;
    case 'CreateTableAsStmt':
      createTableAs(facts, walk, node, extract);
      return;
    case 'ViewStmt':
      define(facts, node.view, true);
      walk.walk(node.query, null);
      return;
    case 'IndexStmt':
      createIndex(facts, walk, node);
      return;
    case 'CreateSeqStmt':
    case 'AlterSeqStmt':
      sequence(facts, tag, node);
      return;
    case 'DropStmt':
      drop(facts, node);
      return;
    case 'CommentStmt':
    case 'SecLabelStmt':
    case 'AlterExtensionContentsStmt':
      named(facts, node.objtype, node.object);
      return;
    case 'CreateTrigStmt':
      facts.write(tableOf(nodeOf(node.relation)));
      new QueryWalk(facts).walk([node.constrrel, node.whenClause], null);
      return;
    case 'CreateSchemaStmt':
      createSchema(facts, node, extract);
      return;
    case 'RenameStmt':
    case 'AlterObjectSchemaStmt':
    case 'AlterOwnerStmt':
    case 'AlterTableStmt':
      alterRelation(facts, walk, node);
      return;
    case 'GrantStmt':
      grant(facts, node);
      return;
    case 'CreatePublicationStmt':
    case 'AlterPublicationStmt':
      publishedSchemas(facts, node);
      walkDefinition(facts, walk, node.pubobjects);
      return;
    // The relation of a composite type is no table; IMPORT's names are the foreign server's; what ALTER DEFAULT
    // PRIVILEGES says of a schema is for tables that are not there yet.
    case 'CompositeTypeStmt':
    case 'ImportForeignSchemaStmt':
    case 'AlterDefaultPrivilegesStmt':
      return;
    default:
      walkDefinition(facts, walk, node);
  }
}

function define(facts: Facts, rangeVar: unknown, follows: boolean): void {
  const relation = nodeOf(rangeVar);
  if (relation.relname !== undefined) facts.define(tableOf(relation), relation.relpersistence === 't', follows);
}

/** Of a table's definition only the bounds of a partition are evaluated: it has no rows yet. */
function createTable(facts: Facts, walk: QueryWalk, node: TreeNode): void {
  define(facts, node.relation, node.inhRelations !== undefined);
  walk.walk(node.inhRelations, null);
  walkDefinition(facts, walk, node.tableElts);
  walkDefinition(facts, walk, [node.constraints, node.partspec]);
  facts.cutFunctions(NO_FUNCTIONS);
  walkDefinition(facts, walk, node.partbound);
}

function createTableAs(facts: Facts, walk: QueryWalk, node: TreeNode, extract: Extract): void {
  define(facts, nodeOf(node.into).rel, node.objtype === 'OBJECT_MATVIEW');
  const query = node.query;
  if (inside(query, 'ExecuteStmt') === null) {
    walk.walk(query, null);
    return;
  }
  const executed = extract(query);
  facts.add(executed);
  facts.effects.push(...executed.effects);
}

/** An index lies in the schema of its table. */
function createIndex(facts: Facts, walk: QueryWalk, node: TreeNode): void {
  const { only: _only, ...table } = tableOf(nodeOf(node.relation));
  walkDefinition(facts, walk, node);
  if (typeof node.idxname === 'string') facts.create({ ...table, name: node.idxname }, true);
}

/** Walks a definition: LIKE and REFERENCES only look at the table that they name. */
function walkDefinition(facts: Facts, walk: QueryWalk, root: unknown): void {
  const reading = new QueryWalk(facts);
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (Array.isArray(value)) {
      for (let at = value.length - 1; at >= 0; at -= 1) stack.push(value[at]);
    } else if (isNode(value)) {
      const tag = tagOf(value);
      if (tag === 'TableLikeClause') reading.walk(value, null);
      else if (tag === 'Constraint') constraint(facts, reading, nodeOf(value[tag]));
      else if (tag === 'SelectStmt' || tag === 'FuncCall' || typeof value.relname === 'string') walk.walk(value, null);
      else if (tag !== null && QUERY_TAGS.has(tag)) walk.walk(value, null);
      else stack.push(...Object.values(value).reverse());
    }
  }
}

/** Nodes that a query's walk understands better than a plain descent. */
const QUERY_TAGS = new Set([
  'RangeVar',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'TypeCast',
  'A_Expr',
  'A_Const',
  'BoolExpr',
  'ColumnRef',
  'SQLValueFunction',
]);

function constraint(facts: Facts, reading: QueryWalk, node: TreeNode): void {
  if (node.pktable !== undefined) facts.reads.add(tableOf(nodeOf(node.pktable)));
  reading.walk([node.raw_expr, node.where_clause, node.exclusions], null);
}

/** ALTER and its kin on whatever has a `relation`, and on schemas. */
function alterRelation(facts: Facts, walk: QueryWalk, node: TreeNode): void {
  alterSchema(facts, node);
  const objectType = textOf(node.renameType ?? node.objectType ?? node.objtype);
  const relation = nodeOf(node.relation);
  if (relation.relname !== undefined) {
    const table = tableOf(relation);
    if (objectType === 'OBJECT_SEQUENCE') facts.sequences.add(table);
    // ALTER TYPE ... ATTRIBUTE: a composite type.
    else if (objectType !== 'OBJECT_TYPE' && objectType !== 'OBJECT_ATTRIBUTE') facts.write(table);
    if (RELATIONS.has(objectType)) otherName(facts, table, node);
  }
  for (const item of listOf(node.cmds)) {
    const before = facts.functionsSoFar();
    walkDefinition(facts, walk, item);
    if (!REWRITES.has(textOf(inside(item, 'AlterTableCmd')?.subtype))) facts.cutFunctions(before);
  }
}

/** RENAME TO and SET SCHEMA: the relation is gone under its name, and there under another. */
function otherName(facts: Facts, { only: _only, ...table }: TableName, node: TreeNode): void {
  const { newname, newschema } = node;
  if (typeof newname !== 'string' && typeof newschema !== 'string') return;
  facts.effects.push({ type: 'drop-table', table });
  facts.create(
    typeof newname === 'string' ? { ...table, name: newname } : { ...table, schema: textOf(newschema) },
    true,
  );
}

/** CREATE and ALTER SEQUENCE: the owner, where one is named, is a table that the sequence belongs to. */
function sequence(facts: Facts, tag: string, node: TreeNode): void {
  const relation = nodeOf(node.sequence);
  const name = tableOf(relation);
  const owner = ownerOf(node.options);
  const temporary = relation.relpersistence === 't' || name.schema === 'pg_temp';
  if (!(tag === 'CreateSeqStmt' && temporary)) facts.sequences.add(name);
  if (tag === 'CreateSeqStmt') {
    if (temporary) facts.define(name, true);
    else facts.create(name, owner !== null);
  }
  if (owner !== null) facts.write(owner);
}

function ownerOf(options: unknown): TableName | null {
  const owned = listOf(options).find((item) => inside(item, 'DefElem')?.defname === 'owned_by');
  const parts = stringsOf(inside(inside(owned, 'DefElem')?.arg, 'List')?.items);
  return tableOfParts(parts.slice(0, -1));
}
