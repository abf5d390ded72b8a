import { PgfigError } from '../../errors/pgfig-error.js';
import type { RoutingContext } from '../../routing/context.js';
import { planStatement } from '../../routing/plan.js';
import type { Route } from '../../routing/route.js';
import { madeInAt } from '../../routing/same-name.js';
import { tableKey } from '../../rules/table-name.js';
import type { ParsedText, SessionEffect, Statement, TableName } from '../../sql/statement.js';
import { bareNames } from '../names/own-relations.js';
import { splitPath } from '../names/split-path.js';

/** What the statements of a string so far have made of the names in it. */
interface Names {
  readonly context: RoutingContext;
  /** Temporary relations that come to be wherever the string runs. */
  readonly coming: ReadonlySet<string>;
  /** What changed search_path in a way that cannot be told beforehand; null: nothing. */
  readonly unsure: string | null;
}

/**
 * The routes of a query string's statements, each in the context that those before it make: SET search_path, CREATE
 * TEMP TABLE, a write. The session can only be asked once the whole string has run.
 */
export function planString(parsed: ParsedText, context: RoutingContext): readonly Route[] {
  const { statements } = parsed;
  if (statements.length < 2) {
    return statements.map((statement) => planStatement(statement, context));
  }
  let names: Names = { context, coming: new Set(), unsure: null };
  return statements.map((statement) => {
    const route = refuseUnsure(statement, planStatement(without(statement, names.coming), names.context), names);
    names = after(statement, route, names);
    return route;
  });
}

/** The temporary tables that the string itself makes bind a statement to nothing. */
function without(statement: Statement, coming: ReadonlySet<string>): Statement {
  if (coming.size === 0) return statement;
  const others = (list: readonly TableName[]): readonly TableName[] =>
    list.filter(({ schema, name }) => (schema !== undefined && schema !== 'pg_temp') || !coming.has(name));
  const left = {
    ...statement,
    reads: others(statement.reads),
    writes: others(statement.writes),
    locks: others(statement.locks),
    sequences: others(statement.sequences),
    changes: statement.changes.filter(({ table }) => others([table]).length > 0),
  };
  const named = left.reads.length + left.writes.length + left.sequences.length + left.functions.length;
  const hadNames = statement.reads.length + statement.writes.length + statement.sequences.length;
  // With nothing left to bind it, it goes where the rest goes.
  return named === 0 && hadNames > 0 ? { ...left, kind: 'select', writesData: false } : left;
}

/** A name that rules know must not be guessed. */
function refuseUnsure(statement: Statement, route: Route, { context, coming, unsure }: Names): Route {
  // With one database a wrong guess is counted for the wrong table, and nothing more.
  if (unsure === null || route.error !== null || context.rules.databases.length < 2) return route;
  const known = bareNames(context.rules);
  const doubtful = [...statement.reads, ...statement.writes, ...statement.sequences].find(
    ({ schema, name }) => schema === undefined && !coming.has(name) && known.has(name),
  );
  if (doubtful === undefined) return route;
  const error = new PgfigError(
    'NOT_OVER_SEVERAL_DATABASES',
    `which table "${doubtful.name}" is cannot be told in a query string that ${unsure} before it`,
    { hint: 'Send that as a statement of its own, or write the name with its schema.' },
  );
  return Object.freeze({ ...route, target: 'refused', database: null, homes: [], error, reason: error.message });
}

function after(statement: Statement, route: Route, names: Names): Names {
  const written = route.writtenDomains.filter((domain) => names.context.readsNew?.has(domain));
  const { context } = names;
  let next: Names = route.movesNames ? { ...names, unsure: 'runs a function that may set search_path' } : names;
  if (written.length > 0) {
    next = { ...next, context: { ...context, written: new Set([...(context.written ?? []), ...written]) } };
  }
  for (const effect of statement.effects) next = afterEffect(statement, effect, route, next);
  return next;
}

function afterEffect(statement: Statement, effect: SessionEffect, route: Route, names: Names): Names {
  const { context } = names;
  switch (effect.type) {
    case 'begin':
    case 'set-transaction':
      return effect.isolation === 'repeatable read' || effect.isolation === 'serializable'
        ? { ...names, context: { ...context, oneSnapshot: true } }
        : names;
    case 'set':
      return afterSet(statement, effect.name, effect.value, names);
    case 'set-unknown':
      return { ...names, unsure: 'sets what its text does not name' };
    case 'reset-all':
      return { ...names, unsure: 'resets search_path' };
    case 'create-temp':
      if (route.database === null) return { ...names, coming: new Set([...names.coming, effect.table]) };
      return withTemps(names, new Map([...context.tempTables, [effect.table, route.database]]));
    case 'create-relation': {
      if (route.database === null) return names;
      const { database } = route;
      const schema = effect.table.schema ?? madeInAt(database, context) ?? 'public';
      const made: [string, string] = [tableKey(schema, effect.table.name), database];
      return { ...names, context: { ...context, ownRelations: new Map([...(context.ownRelations ?? []), made]) } };
    }
    case 'create-schema': {
      const database = route.database ?? context.rules.defaultDatabase;
      const made: [string, string] = [effect.schema, database];
      return { ...names, context: { ...context, ownSchemas: new Map([...(context.ownSchemas ?? []), made]) } };
    }
    case 'drop-table': {
      const { schema, name } = effect.table;
      if (schema !== undefined && !schema.startsWith('pg_temp')) return names;
      const left = withTemps(names, new Map([...context.tempTables].filter(([temp]) => temp !== name)));
      return { ...left, coming: new Set([...names.coming].filter((temp) => temp !== name)) };
    }
    default:
      return names;
  }
}

const withTemps = (names: Names, tempTables: ReadonlyMap<string, string>): Names => ({
  ...names,
  context: { ...names.context, tempTables },
});

function afterSet(statement: Statement, name: string, value: readonly string[] | null, names: Names): Names {
  const { context } = names;
  if (name === 'search_path') {
    // SET takes a list of names, set_config() a text that holds one.
    const path = statement.kind === 'set' ? value : (value?.flatMap(splitPath) ?? null);
    if (path === null || path.includes('$user')) return { ...names, unsure: 'changes search_path' };
    return { ...names, unsure: null, context: { ...context, searchPath: path } };
  }
  if (name !== 'role' && name !== 'session_authorization') return names;
  const [role] = value ?? [];
  const noSchema = role !== undefined && context.catalog?.hasSchema?.(context.rules.defaultDatabase, role) === false;
  // "$user" is this role from now on, which only matters where it has a schema.
  return noSchema ? names : { ...names, unsure: 'changes the role, and with it the schema "$user",' };
}
