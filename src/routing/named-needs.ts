import { splitKey } from '../rules/table-name.js';
import { nameKey } from '../sql/names.js';
import type { Statement, TableName } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import { type Need, tableNeed } from './need.js';
import { comingRelation, creationSchema, type ResolvedTable, resolveTable } from './resolve.js';

/** What the statement itself names: what it writes first, then what it reads, then sequences and what belongs to the default database. */
export function namedNeeds(statement: Statement, context: RoutingContext): readonly Need[] {
  const coming = comingRelations(statement, context);
  const written = statement.writes
    .filter((name) => !coming.has(nameKey(name)))
    .map((name): Need => tableNeed(resolveTable(name, context), 'write'));
  for (const table of coming.values()) written.push(tableNeed(table, 'write'));
  const locks = new Set(statement.locks.map(nameKey));
  const read = statement.reads.map((name) =>
    tableNeed(resolveTable(name, context), locks.has(nameKey(name)) ? 'lock' : 'read'),
  );
  const advances = statement.effects.some((effect) => effect.type === 'sequence');
  const sequences = statement.sequences
    .filter((name) => !coming.has(nameKey(name)))
    .map((name): Need => {
      const sequence: ResolvedTable = { ...resolveTable(name, context), nature: 'sequence' };
      return tableNeed(sequence, advances ? 'write' : 'read');
    });
  return [...written, ...read, ...sequences, ...schemaNeeds(statement, context), ...defaultOnly(statement, context)];
}

/** Relations that the statement makes and that come to be where it runs: temporary ones, views, parts of a table. */
function comingRelations(statement: Statement, context: RoutingContext): ReadonlyMap<string, ResolvedTable> {
  const coming = new Map<string, ResolvedTable>();
  for (const effect of statement.effects) {
    if (effect.type === 'create-temp' && !context.tempTables.has(effect.table)) {
      const table: TableName = { name: effect.table };
      coming.set(nameKey(table), comingRelation(table, context, true));
    } else if (effect.type === 'create-relation' && makesTemporary(effect.table, context)) {
      coming.set(nameKey(effect.table), comingRelation(effect.table, context, true));
    } else if (effect.type === 'create-relation' && effect.follows === true) {
      const found = resolveTable(effect.table, context);
      if (found.domain === null) coming.set(nameKey(effect.table), comingRelation(effect.table, context, false));
    }
  }
  return coming;
}

/** CREATE TABLE makes a temporary one where search_path begins with pg_temp. */
export function makesTemporary({ schema }: TableName, context: RoutingContext): boolean {
  return schema === undefined && creationSchema(context) === 'pg_temp';
}

/**
 * DDL on a whole schema (DROP SCHEMA, GRANT ... ON ALL TABLES IN SCHEMA) concerns every table in it that a rule names:
 * where these are in several databases, no one of them has it all.
 */
function schemaNeeds(statement: Statement, context: RoutingContext): readonly Need[] {
  const { schemas } = statement;
  if (schemas === undefined || schemas.length === 0) return [];
  const needs = schemas.map((schema) => atDefault(`schema ${schema}`, 'schema', context));
  for (const key of context.rules.tables.keys()) {
    const ref = splitKey(key);
    if (schemas.includes(ref.schema))
      needs.push(tableNeed(resolveTable(ref, context), 'write', `schema ${ref.schema}`));
  }
  return needs;
}

/** Advisory locks and large objects must mean the same for all services, so they stay in one database. */
function defaultOnly(statement: Statement, context: RoutingContext): readonly Need[] {
  const kinds = new Set<string>(statement.effects.map((effect) => effect.type));
  const needs: Need[] = [];
  if (kinds.has('advisory-lock')) needs.push(atDefault('an advisory lock', 'pinned', context));
  if (kinds.has('large-object')) needs.push(atDefault('a large object', 'pinned', context));
  return needs;
}

function atDefault(what: string, sort: 'schema' | 'pinned', context: RoutingContext): Need {
  const access = sort === 'schema' ? 'write' : 'read';
  return { what, sort, access, homes: [context.rules.defaultDatabase], table: null, via: null };
}
