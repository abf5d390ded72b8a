import type { Statement, StatementKind } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import type { Choice } from './make-route.js';
import type { Need, Needs } from './need.js';

/** The session answers or steers these itself; on a link, any will do. */
const SESSION_KINDS: Readonly<Partial<Record<StatementKind, string>>> = {
  begin: 'begins a transaction, which each database joins with its first statement',
  commit: 'ends the transaction on every database that takes part',
  rollback: 'ends the transaction on every database that takes part',
  savepoint: 'sets a savepoint on every database that takes part',
  release: 'releases a savepoint on every database that takes part',
  'rollback-to': 'goes back to a savepoint on every database that takes part',
  'set-transaction': 'sets the modes of the transaction, on every database that takes part',
  'set-constraints': 'sets when constraints are checked, where the transaction writes',
  set: 'changes a setting of the session, which follows it to every database',
  reset: 'resets a setting of the session, on every database',
  show: 'shows a setting of the session',
  load: 'loads a library into the session',
  fetch: 'reads from a cursor, where it was opened',
  close: 'closes a cursor, where it was opened',
  execute: 'runs a prepared statement, where its tables are',
  deallocate: 'forgets a prepared statement',
};

/** Without a table, these say nothing of where they belong. */
const DEFAULT_KINDS: Readonly<Partial<Record<StatementKind, string>>> = {
  'prepare-transaction': 'two-phase commit is for the default database alone',
  'commit-prepared': 'two-phase commit is for the default database alone',
  'rollback-prepared': 'two-phase commit is for the default database alone',
  checkpoint: 'a checkpoint without a table named is the default database’s',
  ddl: 'DDL that names no table is run in the default database',
  maintenance: 'maintenance that names no table is run in the default database',
  call: 'the procedure touches no table, so it is run in the default database',
  do: 'a DO block that touches no table is run in the default database',
  other: 'what this statement touches is not known, so it goes to the default database',
  'copy-from': 'it names no table, so it goes to the default database',
  'copy-to': 'it names no table, so it goes to the default database',
};

/** The choice for a statement whose place does not hang on tables, whatever lies behind what it names. null: it does. */
export function fixedChoice(statement: Statement, named: readonly Need[], context: RoutingContext): Choice | null {
  const chosen = chosenByKind(statement, named, context);
  if (chosen !== null) return chosen;
  return isUnbound(named) ? chosenByEffect(statement, named, context) : null;
}

const isUnbound = (needs: readonly Need[]): boolean => needs.every((need) => need.homes === null);

/** Kinds whose place does not depend on tables. */
function chosenByKind(statement: Statement, needs: readonly Need[], context: RoutingContext): Choice | null {
  const { kind, effects } = statement;
  const snapshot = effects.some((effect) => effect.type === 'set-transaction' && effect.snapshot);
  if (kind === 'unparsable') {
    return {
      ...toDefault(context, 'the statement cannot be parsed, so it goes to the default database as a write'),
      writes: true,
    };
  }
  if (kind === 'set-transaction' && snapshot) return toDefault(context, 'a snapshot is one of the default database');
  if (kind === 'notify') {
    const choice = toDefault(
      context,
      'a notification is sent where the transaction writes, else in the default database',
    );
    return { ...choice, homes: context.rules.databases };
  }
  const everywhere = effects.some(
    (effect) =>
      effect.type === 'reset-all' ||
      (effect.type === 'close-cursor' && effect.name === null) ||
      (effect.type === 'deallocate' && effect.name === null),
  );
  if (everywhere || kind === 'listen' || kind === 'unlisten' || kind === 'discard') {
    return every(context, 'it concerns the session on every database');
  }
  const session = SESSION_KINDS[kind];
  return session !== undefined && isUnbound(needs) ? any(context, session) : null;
}

/** Sequences that are not told by name. */
function chosenByEffect(statement: Statement, named: readonly Need[], context: RoutingContext): Choice | null {
  const { effects, functions } = statement;
  if (named.length === 0 && effects.some((effect) => effect.type === 'sequence')) {
    return toDefault(context, 'which sequence is meant is not known, so it goes to the default database');
  }
  // As lastval(), it asks of what this session did: elsewhere it fails, never lies.
  if (functions.length > 0 && functions.every((f) => f.schema === 'pg_catalog' && f.name === 'currval')) {
    return any(context, 'it asks of a sequence that this session used, so it goes where the session last was');
  }
  return null;
}

/**
 * The choice for a statement that needs nothing which only some databases have.
 *
 * @param first the first database that has the functions that it calls; `everywhere`: all have them
 */
export function unboundChoice(
  statement: Statement,
  { all: needs, opaque }: Needs,
  { first, everywhere }: { readonly first: string; readonly everywhere: boolean },
  context: RoutingContext,
): Choice {
  if (opaque !== null) {
    const isDefault = first === context.rules.defaultDatabase;
    return to(first, `${opaque}, so it goes to ${isDefault ? 'the default database' : `${first}, which has it`}`);
  }
  const choice = chosenUnbound(statement, needs, context);
  if (everywhere || choice.database === first) return choice;
  return to(first, `the functions that it calls are in ${first}`);
}

function chosenUnbound(statement: Statement, needs: readonly Need[], context: RoutingContext): Choice {
  const { kind } = statement;
  const system = needs.some((need) => need.table?.nature === 'system');
  if (system && needs.every((need) => need.access === 'read' || need.table?.nature === 'temp')) {
    const home = context.home ?? context.rules.defaultDatabase;
    return to(home, `system catalogs are read from the session’s home database ${home}`);
  }
  if (system) return toDefault(context, 'changes to system catalogs are the default database’s');
  if (needs.some((need) => need.table?.nature === 'view')) {
    return toDefault(context, 'what it defines binds it to no database, so it is made in the default one');
  }
  if (needs.length > 0) return any(context, 'a temporary table is made where the session last was');
  const byDefault = DEFAULT_KINDS[kind];
  if (byDefault !== undefined) return toDefault(context, byDefault);
  if (statement.functions.length > 0)
    return any(context, 'it calls functions that touch no table, so it goes where the session last was');
  if (statement.writesData)
    return toDefault(context, 'what it changes is not known, so it goes to the default database');
  return any(context, 'it touches no table, so it goes where the session last was');
}

const to = (database: string, reason: string): Choice => ({ target: 'database', database, homes: [database], reason });

const toDefault = (context: RoutingContext, reason: string): Choice => to(context.rules.defaultDatabase, reason);

const any = (context: RoutingContext, reason: string): Choice => ({
  target: 'any',
  database: null,
  homes: context.rules.databases,
  reason,
});

const every = (context: RoutingContext, reason: string): Choice => ({ ...any(context, reason), target: 'every' });
