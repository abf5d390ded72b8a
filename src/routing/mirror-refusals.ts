import type { Domain } from '../rules/rule-set.js';
import { isMirroredByStatement } from '../rules/statement-mirror.js';
import { splitKey, tableKey } from '../rules/table-name.js';
import { nameKey } from '../sql/names.js';
import type { ColumnFill, Statement } from '../sql/statement.js';
import type { RelationFacts, UnsteadyFact } from './catalog-view.js';
import type { RoutingContext } from './context.js';
import { isSetOff } from './follow.js';
import { functionsAt, functionText } from './functions.js';
import { domainOf, isSystemName } from './mirrored-tables.js';
import { resolveTable, statementScope } from './resolve.js';
import type { Route } from './route.js';

/** Why a statement is not run on the new database; docs/statement-mirror.md says what each means and what helps. */
export type MirrorRefusalCode =
  | 'opaque'
  | 'definition'
  | 'procedure'
  | 'explain'
  | 'kind'
  | 'several-databases'
  | 'server-file'
  | 'cursor'
  | 'unsteady'
  | 'function'
  | 'catalog'
  | 'trigger'
  | 'rule'
  | 'cascade'
  | 'other-table'
  | 'temporary-table'
  | 'system-table'
  | 'default'
  | 'insert-select'
  | 'string'
  | 'execute'
  | 'type';

export interface MirrorRefusal {
  readonly code: MirrorRefusalCode;
  /** For people; a sentence's end: 'it calls now()'. */
  readonly why: string;
}

export interface MirrorFacts {
  readonly domains: readonly Domain[];
  /** Mirrored tables that are written. */
  readonly tables: readonly string[];
  readonly context: RoutingContext;
}

type Check = (statement: Statement, route: Route, facts: MirrorFacts) => MirrorRefusal | null;

/** The first reason not to run the statement on the new database; null: there is none. */
export function refusalOf(statement: Statement, route: Route, facts: MirrorFacts): MirrorRefusal | null {
  for (const check of CHECKS) {
    const refusal = check(statement, route, facts);
    if (refusal !== null) return refusal;
  }
  return null;
}

const refuse = (code: MirrorRefusalCode, why: string): MirrorRefusal => Object.freeze({ code, why });

const RUNS: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'merge', 'truncate', 'copy-from', 'select']);
const OTHERS: Readonly<Record<string, MirrorRefusal>> = {
  ddl: refuse('definition', 'it changes a definition: change it in the new database by hand'),
  call: refuse('procedure', 'what a procedure does is not repeated'),
  do: refuse('procedure', 'what a DO block does is not repeated'),
  explain: refuse('explain', 'it is an EXPLAIN ANALYZE'),
};

const kindOf: Check = ({ kind }) =>
  RUNS.has(kind) ? null : (OTHERS[kind] ?? refuse('kind', `a statement of kind ${kind} is not repeated`));

const opaque: Check = (_statement, route) =>
  route.opaque === null ? null : refuse('opaque', `part of it cannot be seen through: ${route.opaque}`);

const severalDatabases: Check = (_statement, _route, { domains }) => {
  const databases = [...new Set(domains.map(({ database }) => database))];
  return databases.length < 2 ? null : refuse('several-databases', `it writes for ${databases.join(' and ')} at once`);
};

const serverFile: Check = ({ kind, copyStream }) =>
  kind === 'copy-from' && copyStream === null
    ? refuse('server-file', 'it reads a file or program of its server')
    : null;

const cursor: Check = ({ effects }) =>
  effects.some(({ type }) => type === 'use-cursor')
    ? refuse('cursor', 'WHERE CURRENT OF names a row of a cursor')
    : null;

const unsteady: Check = (statement) => {
  const { deterministic, unsteady: what } = statement;
  return deterministic && what === undefined ? null : refuse('unsteady', `it uses ${what ?? 'more than the rows'}`);
};

/** A function may do anything that its body says, and give another result elsewhere, unless it is IMMUTABLE. */
const functions: Check = (statement, _route, { context }) => {
  for (const name of statement.functions) {
    const found = functionsAt(name, context.rules.defaultDatabase, statementScope(context));
    if (found === null || found.length === 0 || !found.every(({ immutable }) => immutable === true)) {
      return refuse('function', `it calls ${functionText(name)}, which is not known to be IMMUTABLE`);
    }
  }
  return null;
};

const catalogRead: Check = (_statement, _route, { tables, context }) => {
  for (const table of tables) {
    if (factsOf(table, context.rules.defaultDatabase, context) === null) {
      return refuse('catalog', `the catalog does not tell what ${table} is`);
    }
  }
  return null;
};

/** Triggers run in the monolith; whether they do the same in the new database, nobody knows. */
const triggers: Check = (statement, route, { domains, context }) => {
  const databases = [context.rules.defaultDatabase, ...domains.map(({ database }) => database)];
  const written = route.touches.filter(({ access, view }) => access === 'write' && !view);
  for (const { table } of written) {
    for (const database of databases) {
      const found = triggerOf(table, database, statement, context);
      if (found !== null) return refuse('trigger', `it sets off trigger ${found} of ${table} in ${database}`);
    }
  }
  return null;
};

function triggerOf(table: string, database: string, statement: Statement, context: RoutingContext): string | null {
  const facts = factsOf(table, database, context);
  for (const one of facts?.unsteady ?? []) {
    if (one.sort !== 'trigger') continue;
    const ops = opsOn(table, statement, context);
    // A table that only a cascade writes: which operation it is, the statement does not say.
    if (ops.size === 0 || one.on.some((op) => ops.has(op))) return one.name;
  }
  for (const { schema, name } of facts?.children ?? []) {
    const found = triggerOf(tableKey(schema, name), database, statement, context);
    if (found !== null) return found;
  }
  return null;
}

const opsOn = (table: string, statement: Statement, context: RoutingContext): ReadonlySet<string> =>
  new Set(statement.changes.filter(({ table: name }) => resolveTable(name, context).key === table).map(({ op }) => op));

/** Rules of a table rewrite the statement; actions of foreign keys must be the same in the new database. */
const hiddenWork: Check = (statement, _route, { domains, context }) => {
  const [first] = domains;
  for (const change of statement.changes) {
    const { key } = resolveTable(change.table, context);
    const here = factsOf(key, context.rules.defaultDatabase, context);
    const there = first === undefined ? null : factsOf(key, first.database, context);
    const set = here?.hidden.filter((work) => isSetOff(work, change, here)) ?? [];
    const rule = set.find(({ what }) => what.startsWith('rule '));
    if (rule !== undefined) return refuse('rule', `${rule.what} of ${key} rewrites it`);
    for (const work of set) {
      if (work.touches.changes.length === 0 || !work.what.startsWith('foreign key ')) continue;
      const same = there?.hidden.some((other) => actionOf(other.touches.changes) === actionOf(work.touches.changes));
      if (same !== true) return refuse('cascade', `${work.what} of ${key} is not known in ${first?.database}`);
    }
  }
  return null;
};

const actionOf = (changes: Statement['changes']): string =>
  changes.map(({ table, op }) => `${op} ${nameKey(table)}`).join();

const ownTables: Check = (statement, route, { domains, context }) => {
  const [database] = domains.map((domain) => domain.database);
  for (const { schema, name } of [...statement.reads, ...statement.writes]) {
    if (schema === 'pg_temp' || (schema === undefined && context.tempTables.has(name))) {
      return refuse('temporary-table', `${name} is a temporary table`);
    }
    if (isSystemName(schema, name))
      return refuse('system-table', `it reads ${name}, which each database has for itself`);
  }
  for (const { table, view } of route.touches) {
    if (view) continue;
    const domain = domainOf(table, context);
    if (domain === null || !isMirroredByStatement(domain) || domain.database !== database) {
      return refuse('other-table', `it uses ${table}, which is not mirrored by statement to ${database}`);
    }
  }
  return null;
};

const defaults: Check = (statement, _route, { context }) => {
  for (const fill of statement.fills ?? []) {
    const { key } = resolveTable(fill.table, context);
    for (const one of factsOf(key, context.rules.defaultDatabase, context)?.unsteady ?? []) {
      if (one.sort !== 'default' || !isLeftOut(one, fill)) continue;
      return refuse('default', `column ${one.column} of ${key} gets its default (${one.what}), which differs anew`);
    }
  }
  return null;
};

function isLeftOut({ column, place }: Extract<UnsteadyFact, { sort: 'default' }>, fill: ColumnFill): boolean {
  if ('defaults' in fill) return fill.defaults.includes(column);
  if (fill.given === 'all') return false;
  return fill.given === 'unknown' || !(fill.given.includes(column) || fill.given.includes(place));
}

/** Rows that are read without being locked may be others by the time that the new database reads them. */
const insertSelect: Check = ({ kind, reads }) =>
  kind === 'insert' && reads.length > 0
    ? refuse('insert-select', 'the rows that INSERT ... SELECT reads may be others a moment later')
    : null;

const CHECKS: readonly Check[] = [
  kindOf,
  opaque,
  severalDatabases,
  serverFile,
  cursor,
  unsteady,
  functions,
  catalogRead,
  triggers,
  hiddenWork,
  ownTables,
  defaults,
  insertSelect,
];

function factsOf(key: string, database: string, { catalog }: RoutingContext): RelationFacts | null {
  const { schema, name } = splitKey(key);
  return catalog?.relation?.(database, schema, name) ?? null;
}
