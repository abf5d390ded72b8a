import { splitKey } from '../rules/table-name.js';
import { nameKey } from '../sql/names.js';
import type { Statement, TableName } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import { type Need, tableNeed } from './need.js';
import { comingRelation, creationSchema, nameAsMade, type ResolvedTable, resolveTable } from './resolve.js';
import { type NameUse, strangersOf } from './same-name.js';
import { servedAt } from './served-views.js';

/** What the statement itself names: what it writes first, then what it reads, then sequences and what belongs to the default database. */
export function namedNeeds(statement: Statement, context: RoutingContext): readonly Need[] {
  const coming = comingRelations(statement, context);
  const made = new Set(madeRelations(statement).map(nameKey));
  const written = statement.writes
    .filter((name) => !coming.has(nameKey(name)))
    .map((name): Need => namedNeed(name, 'write', made.has(nameKey(name)) ? 'made' : 'found', context));
  for (const table of coming.values()) written.push(tableNeed(table, 'write'));
  const locks = new Set(statement.locks.map(nameKey));
  const read = statement.reads.map((name) =>
    namedNeed(name, locks.has(nameKey(name)) ? 'lock' : 'read', 'found', context),
  );
  const advances = statement.effects.some((effect) => effect.type === 'sequence');
  const sequences = statement.sequences
    .filter((name) => !coming.has(nameKey(name)))
    .map((name): Need => {
      const need = namedNeed(name, advances ? 'write' : 'read', made.has(nameKey(name)) ? 'made' : 'found', context);
      return need.table === null ? need : asSequence(need, { ...need.table, nature: 'sequence' });
    });
  return [...written, ...read, ...sequences, ...schemaNeeds(statement, context), ...defaultOnly(statement, context)];
}

/** Relations that the statement makes; what stood under their names before, an older view for one, does not matter. */
export const madeRelations = ({ effects }: Statement): readonly TableName[] =>
  effects.flatMap((effect) => (effect.type === 'create-relation' ? [effect.table] : []));

/** A table that the statement names, in those of its homes where the name means it. */
function namedNeed(name: TableName, access: Need['access'], use: NameUse, context: RoutingContext): Need {
  const made = use === 'made' ? nameAsMade(name, context) : name;
  const table = resolveTable(made, context);
  const found = tableNeed(table, access);
  const need = table.nature === 'sequence' ? asSequence(found, table) : found;
  if (name.schema !== undefined || need.table === null || need.homes === null) return need;
  const strangers = strangersOf(name.name, need.table, use, need.homes, context);
  if (strangers.size === 0) return need;
  const note = [...strangers].map(([database, means]) => `in ${database} that name means ${means}`).join(', ');
  return { ...need, homes: need.homes.filter((database) => !strangers.has(database)), note };
}

/**
 * A sequence counts, and currval() remembers, where the table is written: that reads of it go elsewhere already changes
 * nothing of that.
 */
function asSequence(need: Need, table: ResolvedTable): Need {
  const homes = need.homes?.filter((database) => table.writes?.includes(database)) ?? null;
  return { ...need, homes, table };
}

/**
 * Relations that the statement makes and that come to be where it runs: temporary ones, views, parts of a table. A view
 * that is read somewhere is replaced there: a second one elsewhere would leave the first to answer.
 */
function comingRelations(statement: Statement, context: RoutingContext): ReadonlyMap<string, ResolvedTable> {
  const coming = new Map<string, ResolvedTable>();
  for (const effect of statement.effects) {
    if (effect.type === 'create-temp') {
      // Where one of that name is already, it is for that server to refuse.
      const table: TableName = { schema: 'pg_temp', name: effect.table };
      coming.set(nameKey(table), resolveTable(table, context));
    } else if (effect.type === 'create-relation' && makesTemporary(effect.table, context)) {
      coming.set(nameKey(effect.table), temporaryByPath(effect.table.name, context));
    } else if (effect.type === 'create-relation' && effect.follows === true) {
      const found = resolveTable(nameAsMade(effect.table, context), context);
      if (found.domain === null && !isInTheWay(found, context)) {
        const served = found.nature === 'view' ? servedAt(found, context) : [];
        const bound = { ...found, reads: served, writes: served };
        coming.set(nameKey(effect.table), served.length > 0 ? bound : comingRelation(effect.table, context));
      }
    }
  }
  return coming;
}

/**
 * A table of that name makes the server refuse the new one; elsewhere, the same name would come to be twice. So would
 * that of a view which this session has just made.
 */
function isInTheWay({ nature, ref, key }: ResolvedTable, { catalog, rules, ownRelations }: RoutingContext): boolean {
  if (nature !== 'table' || ref === null) return false;
  return ownRelations?.has(key) === true || catalog?.hasRelation(rules.defaultDatabase, ref.schema, ref.name) === true;
}

/** Where a schema before pg_temp in the path is there, the same words make a table that is not temporary. */
function temporaryByPath(name: string, context: RoutingContext): ResolvedTable {
  const table = resolveTable({ schema: 'pg_temp', name }, context);
  const places = table.writes ?? context.rules.databases;
  const strangers = strangersOf(name, table, 'made', places, context);
  return strangers.size === 0 ? table : { ...table, writes: places.filter((database) => !strangers.has(database)) };
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
