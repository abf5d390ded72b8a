import { type CteScope, openCteScope, seesCte } from './cte-scope.js';
import type { Facts } from './facts.js';
import { tableOf } from './names.js';
import { inside, listOf, nodeOf, type TreeNode, textOf } from './tree.js';

/**
 * FOR UPDATE, NO KEY UPDATE, SHARE, KEY SHARE of a SELECT. The names after OF are aliases of its FROM; without
 * OF all of FROM is meant. A sub-select in FROM passes the lock on to its own tables, a WITH query does not
 * (transformLockingClause in analyze.c).
 */
export function lockingClause(facts: Facts, clause: unknown, select: TreeNode, scope: CteScope | null): void {
  const relations = listOf(inside(clause, 'LockingClause')?.lockedRels);
  const of = relations.map((relation) => textOf(inside(relation, 'RangeVar')?.relname));
  lockFrom(facts, select, of.length === 0 ? null : new Set(of), scope);
}

function lockFrom(facts: Facts, select: TreeNode, of: ReadonlySet<string> | null, scope: CteScope | null): void {
  for (const item of listOf(select.fromClause)) lockItem(facts, item, of, scope);
  // FOR UPDATE over a set operation is refused by the server, one that stands in a sub-select's operand is its own.
}

function lockItem(facts: Facts, item: unknown, of: ReadonlySet<string> | null, scope: CteScope | null): void {
  const join = inside(item, 'JoinExpr');
  if (join !== null) {
    lockItem(facts, join.larg, of, scope);
    lockItem(facts, join.rarg, of, scope);
    return;
  }
  const sample = inside(item, 'RangeTableSample');
  if (sample !== null) {
    lockItem(facts, sample.relation, of, scope);
    return;
  }
  const relation = inside(item, 'RangeVar');
  if (relation !== null) {
    const table = tableOf(relation);
    const isCte = table.schema === undefined && seesCte(scope, table.name);
    if (!isCte && isMeant(of, relation, table.name)) facts.locks.add(table);
    return;
  }
  const subselect = inside(item, 'RangeSubselect');
  const query = inside(subselect?.subquery, 'SelectStmt');
  if (subselect === null || query === null || !isMeant(of, subselect, null)) return;
  lockFrom(
    facts,
    query,
    null,
    openCteScope(query.withClause, scope, () => undefined),
  );
}

function isMeant(of: ReadonlySet<string> | null, item: TreeNode, name: string | null): boolean {
  if (of === null) return true;
  const alias = nodeOf(item.alias).aliasname;
  const called = typeof alias === 'string' ? alias : name;
  return called !== null && of.has(called);
}
