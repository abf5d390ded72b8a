import type { TableName } from '../../src/sql/statement.js';
import type { Case } from './case-files.js';
import { type Lock, locksRows, writes } from './locks.js';
import type { Played, PlayedStatement } from './play.js';
import type { Relation } from './relations.js';

/** What pgfig says that a case touches, as 'schema.name'. */
export interface Said {
  readonly read: ReadonlySet<string>;
  readonly written: ReadonlySet<string>;
  /** Locked with FOR UPDATE and its kin; null: not told apart from what is read. */
  readonly locked: ReadonlySet<string> | null;
  /** It says that it could not see through all of it. */
  readonly opaque: boolean;
}

/** Where pgfig and the server differ; all empty: they agree. */
export interface Difference {
  /** Locked by the server, not named by pgfig: a hole. */
  readonly missing: string[];
  /** Locked for writing, named only as read. */
  readonly notWritten: string[];
  /** Locked FOR UPDATE or the like, named only as read. */
  readonly notLocked: string[];
  /** In EXPLAIN's plan, not named by pgfig. */
  readonly notPlanned: string[];
  /** Named by pgfig, not locked by the server. */
  readonly beyond: string[];
  /** Excuses that nothing needs. */
  readonly idle: string[];
}

/** Compares what pgfig says with what the server did. */
export function compare(of: Case, played: Played, said: Said): Difference {
  const first = played.statements[0]?.before;
  const last = played.statements.at(-1)?.after;
  const difference: Difference = { missing: [], notWritten: [], notLocked: [], notPlanned: [], beyond: [], idle: [] };
  if (first === undefined || last === undefined) return difference;
  const named = new Set([...said.read, ...said.written]);
  const touched = new Set<string>();
  const used = new Set<string>();
  const excused = (excuses: ReadonlyMap<string, string>, key: string): boolean => {
    const excuse = excuses.has(key) ? key : excuses.has('*') ? '*' : null;
    if (excuse !== null) used.add(excuse);
    return excuse !== null;
  };
  const defines = played.statements.some(({ statement }) => statement.kind === 'ddl');
  const lockedOids = new Set(played.locks.map(({ oid }) => oid));
  const changed = new Set(played.locks.filter(writes).map(({ oid }) => oid));
  for (const lock of played.locks) {
    const relation = first.get(lock.oid) ?? last.get(lock.oid);
    // What a statement makes and drops again (a new heap for REFRESH) has no name. A type has no rows. An index is
    // locked with its table.
    if (
      relation === undefined ||
      relation.system ||
      relation.kind === 'c' ||
      (isIndex(relation) && lockedOids.has(relation.owner ?? 0))
    )
      continue;
    // A relation that was renamed has two names; whoever names its table, its parent or its owner means it.
    const names = [first, last].flatMap((relations) => relations.above(lock.oid).map(({ key }) => key));
    for (const name of names) touched.add(name);
    const { key } = relation;
    const checksKey = (locksRows(lock) || defines) && relation.keys.some((oid) => changed.has(oid));
    if (!names.some((name) => named.has(name)) && !below(lock, relation, named, last)) {
      if (!checksKey && !excused(of.unseen, key) && !said.opaque)
        difference.missing.push(`${key} ${lock.modes.join()}`);
    } else if (writes(lock) && relation.kind !== 'S' && !names.some((name) => said.written.has(name)) && !checksKey) {
      if (!excused(of.onlyRead, key) && !said.opaque) difference.notWritten.push(`${key} ${lock.modes.join()}`);
    } else if (locksRows(lock) && !checksKey && said.locked !== null) {
      const says = names.some((name) => said.locked?.has(name) === true || said.written.has(name));
      if (!says && !excused(of.onlyRead, key)) difference.notLocked.push(key);
    }
  }
  for (const statement of played.statements) difference.notPlanned.push(...unplanned(statement, named));
  for (const name of named) if (!touched.has(name) && !excused(of.beyond, name)) difference.beyond.push(name);
  for (const name of [...of.beyond.keys(), ...of.unseen.keys(), ...of.onlyRead.keys()]) {
    if (!used.has(name)) difference.idle.push(name);
  }
  return difference;
}

export const isSame = (difference: Difference): boolean => Object.values(difference).every((list) => list.length === 0);

const isIndex = ({ kind }: Relation): boolean => kind === 'i' || kind === 'I';

/** Who uses a partition looks at its parents' definition; who makes or drops one changes it. */
function below(lock: Lock, relation: Relation, named: ReadonlySet<string>, last: PlayedStatement['after']): boolean {
  if (!['r', 'p', 'I'].includes(relation.kind)) return false;
  return last.below(lock.oid).some(({ key }) => named.has(key));
}

function unplanned({ planned, before }: PlayedStatement, named: ReadonlySet<string>): string[] {
  return planned.flatMap(([schema, name]) => {
    const relation = before.find(schema, name, []);
    if (relation === undefined || relation.system) return [];
    return before.above(relation.oid).some(({ key }) => named.has(key)) ? [] : [relation.key];
  });
}

/** The facts of the statements alone, each name found as the server finds it. */
export function saidByStatements(played: Played): Said {
  const read = new Set<string>();
  const written = new Set<string>();
  const locked = new Set<string>();
  let opaque = false;
  for (const one of played.statements) {
    const { statement } = one;
    for (const name of [...statement.reads, ...statement.sequences]) add(read, name, one);
    for (const name of statement.writes) add(written, name, one);
    for (const name of statement.locks) add(locked, name, one);
    for (const effect of statement.effects) if (effect.type === 'create-temp') written.add(`pg_temp.${effect.table}`);
    opaque ||= statement.opaque !== null;
  }
  return { read, written, locked, opaque };
}

/** A name that means a system catalog is left out; one that means nothing stays as it is written. */
function add(into: Set<string>, table: TableName, played: PlayedStatement): void {
  const { before, after, schemas, schemasAfter, statement } = played;
  const isMade = statement.effects.some(
    (effect) =>
      effect.type === 'create-relation' && effect.table.name === table.name && effect.table.schema === table.schema,
  );
  const old = before.find(table.schema, table.name, schemas);
  const made = after.find(table.schema, table.name, schemasAfter);
  const relation = (isMade ? made : old) ?? old ?? made;
  if (relation === undefined) into.add(`?${table.schema ?? ''}.${table.name}`);
  else if (!relation.system)
    into.add(
      (
        after.get(isIndex(relation) ? (relation.owner ?? 0) : 0) ??
        before.get(isIndex(relation) ? (relation.owner ?? 0) : 0) ??
        relation
      ).key,
    );
}
