import type { Facts } from './facts.js';
import { tableOf } from './names.js';
import { inside, listOf, nodeOf, type TreeNode, textOf } from './tree.js';

/** What INSERT, UPDATE, DELETE and MERGE do to their target; the rest of the statement is the walk's. */
export function changeTarget(facts: Facts, tag: string, node: TreeNode): void {
  const table = tableOf(nodeOf(node.relation));
  switch (tag) {
    case 'InsertStmt': {
      facts.change(table, 'insert');
      const conflict = nodeOf(node.onConflictClause);
      if (conflict.action === 'ONCONFLICT_UPDATE') facts.change(table, 'update', columnsSet(conflict.targetList));
      return;
    }
    case 'UpdateStmt':
      facts.change(table, 'update', columnsSet(node.targetList));
      return;
    case 'DeleteStmt':
      facts.change(table, 'delete');
      return;
    default:
      // WHEN ... THEN DO NOTHING alone changes nothing, and is a write for Postgres nevertheless.
      facts.write(table);
      for (const item of listOf(node.mergeWhenClauses)) {
        const clause = inside(item, 'MergeWhenClause') ?? {};
        if (clause.commandType === 'CMD_INSERT') facts.change(table, 'insert');
        else if (clause.commandType === 'CMD_UPDATE') facts.change(table, 'update', columnsSet(clause.targetList));
        else if (clause.commandType === 'CMD_DELETE') facts.change(table, 'delete');
      }
  }
}

/** `SET a = 1, (b, c) = ..., d[1] = 2, e.f = 3`: whole columns, whatever part of one is set. */
function columnsSet(targets: unknown): string[] {
  return [...new Set(listOf(targets).map((target) => textOf(inside(target, 'ResTarget')?.name)))];
}
