import { inside, listOf, nodeOf, type TreeNode, textOf } from './tree.js';

/** The WITH names that a place in the statement sees, innermost first. A name in it is never a table. */
export interface CteScope {
  readonly name: string;
  readonly outer: CteScope | null;
}

export function seesCte(scope: CteScope | null, name: string): boolean {
  for (let at = scope; at !== null; at = at.outer) if (at.name === name) return true;
  return false;
}

/**
 * Walks the queries of a WITH clause and returns the scope of what follows it. Without RECURSIVE a query
 * sees the names before it; with it, all of the list, later ones too (parse_cte.c sorts them afterwards).
 */
export function openCteScope(
  withClause: unknown,
  outer: CteScope | null,
  walk: (query: unknown, scope: CteScope | null) => void,
): CteScope | null {
  const clause: TreeNode = nodeOf(withClause);
  const expressions = listOf(clause.ctes).map((item) => inside(item, 'CommonTableExpr') ?? {});
  let scope = outer;
  if (clause.recursive === true) {
    for (const cte of expressions) scope = { name: textOf(cte.ctename), outer: scope };
    for (const cte of expressions) walk(cte.ctequery, scope);
    return scope;
  }
  for (const cte of expressions) {
    walk(cte.ctequery, scope);
    scope = { name: textOf(cte.ctename), outer: scope };
  }
  return scope;
}
