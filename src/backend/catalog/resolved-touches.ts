import type { RelationRef } from '../../routing/catalog-view.js';
import type { FunctionName, TableChange, TableName, Touches } from '../../sql/statement.js';
import type { TouchedOids } from './rows.js';

export const NOTHING: Touches = Object.freeze({
  reads: Object.freeze([]),
  writes: Object.freeze([]),
  locks: Object.freeze([]),
  changes: Object.freeze([]),
  sequences: Object.freeze([]),
  functions: Object.freeze([]),
  opaque: null,
});

/** What puts names in the place of OIDs; null or undefined for what is not there (any more), or does not matter. */
export interface OidNames {
  relation(oid: number): RelationRef | null;
  isSequence(oid: number): boolean;
  /** null too for a function that touches nothing. */
  callable(oid: number): FunctionName | null;
}

/** Touches with qualified names. */
export function namedTouches(oids: TouchedOids, names: OidNames): Touches {
  const { reads: touched = [], functions = [], changes: changed = [], opaque = null } = oids;
  const changes: TableChange[] = [];
  const writes = new Map<number, TableName>();
  for (const [oid, op] of changed) {
    const table = names.relation(oid);
    if (table === null) continue;
    writes.set(oid, table);
    changes.push({ table, op, columns: null, cascade: false });
  }
  const reads: TableName[] = [];
  const sequences: TableName[] = [];
  for (const oid of touched) {
    const table = writes.has(oid) ? null : names.relation(oid);
    if (table !== null) (names.isSequence(oid) ? sequences : reads).push(table);
  }
  const called = functions.map((oid) => names.callable(oid)).filter((name) => name !== null);
  return {
    reads,
    writes: [...writes.values()],
    locks: oids.locks === true ? reads : [],
    changes,
    sequences,
    functions: called,
    opaque,
  };
}

export function touchesNothing(touches: Touches): boolean {
  return (
    touches.opaque === null &&
    [touches.reads, touches.writes, touches.locks, touches.sequences, touches.functions].every(
      (list) => list.length === 0,
    )
  );
}
