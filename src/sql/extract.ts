import { ddl } from './extract-ddl.js';
import { QueryWalk } from './extract-query.js';
import {
  closeCursor,
  deallocate,
  declareCursor,
  discard,
  fetchCursor,
  listen,
  notify,
  unlisten,
  variableSet,
} from './extract-session.js';
import { transaction } from './extract-transaction.js';
import { copy, execute, explain, lock, maintenance, prepare, topSelect, truncate } from './extract-utility.js';
import { Facts } from './facts.js';
import type { Statement, StatementKind } from './statement.js';
import { inside, isNode, nodeOf, type TreeNode, tagOf } from './tree.js';

/** Statements whose tag says all, or whose facts stand in the tag's own node. */
const SIMPLE: Readonly<Record<string, (facts: Facts, node: TreeNode) => StatementKind>> = {
  TransactionStmt: transaction,
  VariableSetStmt: variableSet,
  VariableShowStmt: () => 'show',
  DiscardStmt: discard,
  ConstraintsSetStmt: () => 'set-constraints',
  ListenStmt: listen,
  UnlistenStmt: unlisten,
  NotifyStmt: notify,
  LoadStmt: () => 'load',
  CheckPointStmt: () => 'checkpoint',
  FetchStmt: fetchCursor,
  ClosePortalStmt: closeCursor,
  DeallocateStmt: deallocate,
};

/** Statements that hold queries, expressions or relations. */
const WALKED: Readonly<Record<string, (walk: QueryWalk, node: TreeNode) => StatementKind>> = {
  SelectStmt: (walk, node) => {
    walk.select(node, null, true);
    return node.valuesLists === undefined ? 'select' : 'values';
  },
  InsertStmt: change('InsertStmt', 'insert'),
  UpdateStmt: change('UpdateStmt', 'update'),
  DeleteStmt: change('DeleteStmt', 'delete'),
  MergeStmt: change('MergeStmt', 'merge'),
  CopyStmt: copy,
  LockStmt: lock,
  TruncateStmt: truncate,
  ExecuteStmt: execute,
  DeclareCursorStmt: (walk, node) => {
    const kind = declareCursor(walk.facts, node);
    topSelect(walk, node.query);
    return kind;
  },
  CallStmt: (walk, node) => {
    walk.facts.writesData = true;
    walk.walk(node.funccall, null);
    return 'call';
  },
};

const MAINTENANCE = new Set(['VacuumStmt', 'ClusterStmt', 'ReindexStmt', 'RefreshMatViewStmt']);

function change(tag: string, kind: StatementKind): (walk: QueryWalk, node: TreeNode) => StatementKind {
  return (walk, node) => {
    walk.change(tag, node, null);
    return kind;
  };
}

/**
 * The facts of one statement, from libpg-query's tree of it (`{"SelectStmt":{...}}`). Pure. A tag that is not
 * listed is taken for DDL: whatever names a relation in it is written. DO is not for here: its text is a program
 * (do-block.ts).
 */
export function extractStatement(statement: unknown): Statement {
  const explained = inside(statement, 'ExplainStmt');
  if (explained !== null) return explain(explained, extractStatement);
  const prepared = inside(statement, 'PrepareStmt');
  if (prepared !== null) return prepare(prepared, extractStatement);
  const facts = new Facts();
  return facts.finish(fill(facts, statement));
}

function fill(facts: Facts, statement: unknown): StatementKind {
  const tag = isNode(statement) ? tagOf(statement) : null;
  if (!isNode(statement) || tag === null) {
    facts.writesData = true;
    return 'other';
  }
  const node = nodeOf(statement[tag]);
  const simple = SIMPLE[tag];
  if (simple !== undefined) return simple(facts, node);
  const walked = WALKED[tag];
  if (walked !== undefined) return walked(new QueryWalk(facts), node);
  if (MAINTENANCE.has(tag)) return maintenance(new QueryWalk(facts, true), node);
  return ddl(facts, tag, node, extractStatement);
}
