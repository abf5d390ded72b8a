import type { TableName } from '../../src/sql/statement.js';
import type { Case } from './case-files.js';
import { locksRows, writes } from './locks.js';
import type { Played, PlayedStatement } from './play.js';
import type { Relation, Relations } from './relations.js';

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
}

/**
 * Compares what pgfig says with what the server did.
 *
 * @param used the excuses of the case that were needed are added here
 */
export function compare(of: Case, played: Played, said: Said, used: Set<string>): Difference {
  const first = played.statements[0]?.before;
  const last = played.statements.at(-1)?.after;
  const difference: Difference = { missing: [], notWritten: [], notLocked: [], notPlanned: [], beyond: [] };
  if (first === undefined || last === undefined) return difference;
  const named = new Set([...said.read, ...said.written]);
  const touched = new Set<string>();
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
    // What a statement makes and drops again (a new heap for REFRESH) has no name. A type has no rows.
    if (relation === undefined || relation.system || relation.kind === 'c') continue;
    // A relation that was renamed has two names; whoever names its table, its parent or its owner means it.
    const names = [first, last].flatMap((relations) => relations.above(lock.oid).map(({ key }) => key));
    for (const name of names) touched.add(name);
    // A route does not name sequences. An index is locked with its table.
    if (relation.kind === 'S' && said.locked === null) continue;
    if (isIndex(relation) && lockedOids.has(relation.owner ?? 0)) continue;
    const { key } = relation;
    const isParent = isAbove(relation, named, [first, last]);
    const checksKey =
      (locksRows(lock) || defines) &&
      [relation, last.get(lock.oid) ?? relation].some(({ keys }) => keys.some((oid) => changed.has(oid)));
    if (!names.some((name) => named.has(name)) && !isParent) {
      if (!checksKey && !excused(of.unseen, key) && !said.opaque)
        difference.missing.push(`${key} ${lock.modes.join()}`);
    } else if (
      writes(lock) &&
      relation.kind !== 'S' &&
      !isParent &&
      !names.some((name) => said.written.has(name)) &&
      !checksKey
    ) {
      if (!excused(of.onlyRead, key) && !said.opaque) difference.notWritten.push(`${key} ${lock.modes.join()}`);
    } else if (locksRows(lock) && !checksKey && said.locked !== null) {
      const says = names.some((name) => said.locked?.has(name) === true || said.written.has(name));
      if (!says && !excused(of.onlyRead, key)) difference.notLocked.push(key);
    }
  }
  for (const statement of played.statements) {
    difference.notPlanned.push(...unplanned(statement, named).filter((key) => !excused(of.unseen, key)));
  }
  for (const name of named) if (!touched.has(name) && !excused(of.beyond, name)) difference.beyond.push(name);
  return difference;
}

const isIndex = ({ kind }: Relation): boolean => kind === 'i' || kind === 'I';

/** Who uses a partition looks at its parents' definition; who makes or drops one changes it. */
function isAbove({ oid, kind }: Relation, named: ReadonlySet<string>, times: readonly Relations[]): boolean {
  if (!['r', 'p', 'I'].includes(kind)) return false;
  return times.some((relations) => relations.below(oid).some(({ key }) => named.has(key)));
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

/** Sequences that the statements name: a route does not name them. */
export function sequencesOf(played: Played): Set<string> {
  const found = new Set<string>();
  for (const one of played.statements) {
    const { statement, before, after, schemas, schemasAfter } = one;
    for (const name of statement.sequences) add(found, name, one);
    for (const name of statement.writes) {
      const relation = before.find(name.schema, name.name, schemas) ?? after.find(name.schema, name.name, schemasAfter);
      if (relation?.kind === 'S') found.add(relation.key);
    }
  }
  return found;
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
  else if (!relation.system) into.add(tableOf(relation, [before, after]).key);
}

/** Whoever names an index means its table. */
function tableOf(relation: Relation, times: readonly Relations[]): Relation {
  if (!isIndex(relation) || relation.owner === null) return relation;
  const { owner } = relation;
  return times.map((relations) => relations.get(owner)).find((table) => table !== undefined) ?? relation;
}
