import { QueryWalk } from './extract-query.js';
import type { Facts } from './facts.js';
import { functionOfParts, tableOf, tableOfParts } from './names.js';
import type { StatementKind } from './statement.js';
import { inside, isNode, listOf, nodeOf, stringsOf, type TreeNode, tagOf, textOf } from './tree.js';

/** Objects that are relations: their names stand in `pg_class`. */
const RELATIONS = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_INDEX',
  'OBJECT_SEQUENCE',
]);

/** Objects named `table.object`: the table is what counts. */
const PARTS_OF_TABLE = new Set([
  'OBJECT_COLUMN',
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
  'OBJECT_TABCONSTRAINT',
]);

/** Effects that a statement inside a definition has when it is run one day, not now. */
const HAPPENS_NOW = new Set(['create-temp', 'drop-table', 'execute']);

/**
 * DDL: every relation that is named is written, but for what queries, foreign keys and LIKE clauses only look
 * at. A tag that is not treated here is walked, so that what it names is found.
 */
export function ddl(facts: Facts, tag: string, node: TreeNode, runNested: (statement: unknown) => void): StatementKind {
  facts.writesData = true;
  const effectsBefore = facts.effects.length;
  definition(facts, tag, node, runNested);
  const kept = facts.effects.splice(effectsBefore).filter((effect) => keepsEffect(tag, node, effect.type));
  facts.effects.push(...kept);
  return 'ddl';
}

/** CREATE TABLE AS runs its query unless told WITH NO DATA. */
function keepsEffect(tag: string, node: TreeNode, type: string): boolean {
  const runs = tag === 'CreateTableAsStmt' && nodeOf(node.into).skipData !== true;
  return runs || HAPPENS_NOW.has(type);
}

function definition(facts: Facts, tag: string, node: TreeNode, runNested: (statement: unknown) => void): void {
  const walk = new QueryWalk(facts, true);
  switch (tag) {
    case 'CreateStmt':
    case 'CreateForeignTableStmt':
      createTable(facts, walk, tag === 'CreateStmt' ? node : nodeOf(node.base));
      return;
    case 'CreateTableAsStmt':
      createTableAs(facts, walk, node, runNested);
      return;
    case 'ViewStmt':
      define(facts, node.view);
      walk.walk(node.query, null);
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
      named(facts, node.objtype, node.object);
      return;
    case 'CreateTrigStmt':
      facts.functions.add(functionOfParts(stringsOf(node.funcname)));
      facts.write(tableOf(nodeOf(node.relation)));
      new QueryWalk(facts).walk([node.constrrel, node.whenClause], null);
      return;
    case 'CreateSchemaStmt':
      for (const element of listOf(node.schemaElts)) runNested(element);
      return;
    case 'RenameStmt':
    case 'AlterObjectSchemaStmt':
    case 'AlterOwnerStmt':
    case 'AlterTableStmt':
      alterRelation(facts, walk, node);
      return;
    case 'GrantStmt':
      if (node.objtype === 'OBJECT_SEQUENCE') sequenceList(facts, node.objects);
      else walk.walk(node.objects, null);
      return;
    // The relation of a composite type is no table; IMPORT's names are the foreign server's.
    case 'CompositeTypeStmt':
    case 'ImportForeignSchemaStmt':
      return;
    default:
      walkDefinition(facts, walk, node);
  }
}

function define(facts: Facts, rangeVar: unknown): void {
  const relation = nodeOf(rangeVar);
  if (relation.relname !== undefined) facts.define(tableOf(relation), relation.relpersistence === 't');
}

function createTable(facts: Facts, walk: QueryWalk, node: TreeNode): void {
  define(facts, node.relation);
  walk.walk(node.inhRelations, null);
  walkDefinition(facts, walk, node.tableElts);
  walkDefinition(facts, walk, [node.constraints, node.partbound, node.partspec]);
}

function createTableAs(facts: Facts, walk: QueryWalk, node: TreeNode, runNested: (statement: unknown) => void): void {
  define(facts, nodeOf(node.into).rel);
  const query = node.query;
  if (inside(query, 'ExecuteStmt') !== null) runNested(query);
  else walk.walk(query, null);
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

/** ALTER and its kin on whatever has a `relation`. */
function alterRelation(facts: Facts, walk: QueryWalk, node: TreeNode): void {
  const objectType = textOf(node.renameType ?? node.objectType ?? node.objtype);
  const relation = nodeOf(node.relation);
  if (relation.relname !== undefined) {
    if (objectType === 'OBJECT_SEQUENCE') facts.sequences.add(tableOf(relation));
    // ALTER TYPE ... ATTRIBUTE: a composite type.
    else if (objectType !== 'OBJECT_TYPE' && objectType !== 'OBJECT_ATTRIBUTE') facts.write(tableOf(relation));
  }
  for (const item of listOf(node.cmds)) walkDefinition(facts, walk, item);
}

/** CREATE and ALTER SEQUENCE: the owner, where one is named, is a table that the sequence belongs to. */
function sequence(facts: Facts, tag: string, node: TreeNode): void {
  const relation = nodeOf(node.sequence);
  const name = tableOf(relation);
  if (tag === 'CreateSeqStmt' && relation.relpersistence === 't') facts.define(name, true);
  else facts.sequences.add(name);
  for (const item of listOf(node.options)) {
    const option = inside(item, 'DefElem');
    if (option?.defname !== 'owned_by') continue;
    const owner = tableOfParts(stringsOf(inside(option.arg, 'List')?.items).slice(0, -1));
    if (owner !== null) facts.write(owner);
  }
}

function sequenceList(facts: Facts, relations: unknown): void {
  for (const item of listOf(relations)) {
    const relation = inside(item, 'RangeVar');
    if (relation !== null) facts.sequences.add(tableOf(relation));
  }
}

function drop(facts: Facts, node: TreeNode): void {
  const type = textOf(node.removeType);
  for (const object of listOf(node.objects)) {
    named(facts, type, object);
    const table = RELATIONS.has(type) ? tableOfParts(stringsOf(inside(object, 'List')?.items)) : null;
    if (table !== null && type !== 'OBJECT_INDEX') facts.effects.push({ type: 'drop-table', table });
  }
}

/** An object by type and name list, as DROP, COMMENT and SECURITY LABEL give it. */
function named(facts: Facts, objectType: unknown, object: unknown): void {
  const type = textOf(objectType);
  const parts = stringsOf(inside(object, 'List')?.items);
  if (RELATIONS.has(type)) {
    const relation = tableOfParts(parts);
    if (relation === null) return;
    if (type === 'OBJECT_SEQUENCE') facts.sequences.add(relation);
    else facts.write(relation);
  } else if (PARTS_OF_TABLE.has(type)) {
    const table = tableOfParts(parts.slice(0, -1));
    if (table !== null) facts.write(table);
  }
}
