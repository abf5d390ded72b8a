import { setTransaction } from './extract-transaction.js';
import type { Facts } from './facts.js';
import type { StatementKind } from './statement.js';
import { constantOf, inside, listOf, type TreeNode, textOf } from './tree.js';

/** CURSOR_OPT_HOLD of parsenodes.h */
const CURSOR_HOLD = 0x20;

/** SET, RESET, SET ROLE, SET TIME ZONE ... (VariableSetStmt). */
export function variableSet(facts: Facts, node: TreeNode): StatementKind {
  const name = textOf(node.name).toLowerCase();
  const local = node.is_local === true;
  switch (node.kind) {
    case 'VAR_SET_MULTI':
      return setTransaction(facts, node);
    case 'VAR_RESET_ALL':
      facts.effects.push({ type: 'reset-all' });
      return 'reset';
    case 'VAR_RESET':
      facts.effects.push({ type: 'set', name, value: null, local: false });
      return 'reset';
    case 'VAR_SET_VALUE':
      facts.effects.push({ type: 'set', name, value: settingOf(node.args), local });
      return 'set';
    default:
      facts.effects.push({ type: 'set', name, value: null, local });
      return 'set';
  }
}

/** null where a part is not a plain constant: SET TIME ZONE INTERVAL '2' HOUR. */
function settingOf(args: unknown): readonly string[] | null {
  const values: string[] = [];
  for (const argument of listOf(args)) {
    const value = inside(argument, 'TypeCast') === null ? constantOf(argument) : null;
    if (value === null) return null;
    values.push(value);
  }
  return values;
}

export function discard(facts: Facts, node: TreeNode): StatementKind {
  const what = textOf(node.target).replace('DISCARD_', '').toLowerCase();
  const known = (['all', 'plans', 'sequences', 'temp'] as const).find((word) => word === what) ?? 'all';
  facts.effects.push({ type: 'discard', what: known });
  return 'discard';
}

export function deallocate(facts: Facts, node: TreeNode): StatementKind {
  facts.effects.push({ type: 'deallocate', name: nameOrAll(node.name) });
  return 'deallocate';
}

export function closeCursor(facts: Facts, node: TreeNode): StatementKind {
  facts.effects.push({ type: 'close-cursor', name: nameOrAll(node.portalname) });
  return 'close';
}

export function unlisten(facts: Facts, node: TreeNode): StatementKind {
  facts.effects.push({ type: 'unlisten', channel: nameOrAll(node.conditionname) });
  return 'unlisten';
}

export function listen(facts: Facts, node: TreeNode): StatementKind {
  facts.effects.push({ type: 'listen', channel: textOf(node.conditionname) });
  return 'listen';
}

export function notify(facts: Facts, node: TreeNode): StatementKind {
  facts.effects.push({ type: 'notify', channel: textOf(node.conditionname) });
  return 'notify';
}

/** FETCH and MOVE. */
export function fetchCursor(facts: Facts, node: TreeNode): StatementKind {
  facts.effects.push({ type: 'use-cursor', name: textOf(node.portalname) });
  return 'fetch';
}

export function declareCursor(facts: Facts, node: TreeNode): StatementKind {
  const options = typeof node.options === 'number' ? node.options : 0;
  const hold = (options & CURSOR_HOLD) !== 0;
  facts.effects.push({ type: 'declare-cursor', name: textOf(node.portalname), hold });
  return 'declare';
}

function nameOrAll(name: unknown): string | null {
  return typeof name === 'string' ? name : null;
}
