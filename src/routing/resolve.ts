import { homesOf } from '../rules/phases.js';
import type { Domain, RuleSet } from '../rules/rule-set.js';
import { isSystemSchema, tableKey } from '../rules/table-name.js';
import type { TableName } from '../sql/statement.js';
import type { RoutingContext } from './context.js';

/** A table of a statement, found. */
export interface ResolvedTable {
  /** 'schema.table' */
  readonly key: string;
  /** Databases where it may be read, the best first; null: in each (system catalogs, a temporary table to come). */
  readonly reads: readonly string[] | null;
  readonly writes: readonly string[] | null;
  readonly domain: Domain | null;
  readonly nature: 'table' | 'temp' | 'system' | 'sequence';
  /** false: neither a rule nor the catalog knows the name. */
  readonly known: boolean;
}

/**
 * Finds the table that a name means, as Postgres would: temporary tables, then pg_catalog, then the schemas of the
 * search_path in order, each asked of the rules, then of the catalog. A name that nobody knows is taken to be in the
 * first schema of the path, in the default database. A sequence `<table>_<column>_seq` belongs to a table with a rule.
 *
 * A three-part name is found by its last two: Postgres refuses a catalog other than its own, so a wrong one ends in
 * an error of the table's home, never in rows of an old copy.
 */
export function resolveTable(table: TableName, context: RoutingContext): ResolvedTable {
  if (table.schema !== undefined) return resolveQualified(table.schema, table.name, context);
  const temp = context.tempTables.get(table.name.toLowerCase());
  if (temp !== undefined) return tempTable(table.name, temp);

  const path = context.searchPath;
  if (!path.includes('pg_catalog') && isSystemTable(table.name, path, context))
    return systemTable('pg_catalog', table.name);
  for (const schema of path) {
    const found = isSystemSchema(schema)
      ? isSystemTable(table.name, [], context) && systemTable(schema, table.name)
      : findIn(schema, table.name, context);
    if (found) return found;
  }
  const schema = path.find((candidate) => !isSystemSchema(candidate) && mayExist(candidate, context)) ?? 'public';
  return atHomeOf(null, tableKey(schema, table.name), context.rules, false);
}

/** As Postgres does, a schema of the path that does not exist (most often that of "$user") is passed over. */
function mayExist(schema: string, { catalog, rules }: RoutingContext): boolean {
  return catalog?.hasSchema?.(rules.defaultDatabase, schema) !== false;
}

function resolveQualified(schema: string, name: string, context: RoutingContext): ResolvedTable {
  if (schema === 'pg_temp' || schema.startsWith('pg_temp_')) {
    return tempTable(name, context.tempTables.get(name.toLowerCase()) ?? null);
  }
  if (isSystemSchema(schema)) return systemTable(schema, name);
  const found = findIn(schema, name, context);
  if (found !== null) return found;
  const known =
    context.catalog === null || context.catalog.hasRelation(context.rules.defaultDatabase, schema, name) !== false;
  return atHomeOf(null, tableKey(schema, name), context.rules, known);
}

/** The table of that schema, if a rule or the catalog knows it; the rules come first, since they say what has moved. */
function findIn(schema: string, name: string, context: RoutingContext): ResolvedTable | null {
  const { rules, catalog } = context;
  const key = tableKey(schema, name);
  const domain = rules.tables.get(key);
  if (domain !== undefined) return atHomeOf(domain, key, rules, true);
  const owner = ownerOfSequence(schema, name, rules);
  if (owner !== null) return atHomeOf(owner, key, rules, true);
  return catalog?.hasRelation(rules.defaultDatabase, schema, name) === true ? atHomeOf(null, key, rules, true) : null;
}

/** serial and identity columns name their sequence `<table>_<column>_seq`; the longest table name that fits owns it. */
function ownerOfSequence(schema: string, name: string, rules: RuleSet): Domain | null {
  if (!name.endsWith('_seq')) return null;
  let end = name.length - '_seq'.length;
  for (end = name.lastIndexOf('_', end - 1); end > 0; end = name.lastIndexOf('_', end - 1)) {
    const domain = rules.tables.get(tableKey(schema, name.slice(0, end)));
    if (domain !== undefined) return domain;
  }
  return null;
}

/** Names that begin with pg_ are the system's, unless a rule gives that name to a table on the path. */
function isSystemTable(name: string, path: readonly string[], { rules, catalog }: RoutingContext): boolean {
  const known = catalog?.hasRelation(rules.defaultDatabase, 'pg_catalog', name) ?? null;
  return known ?? (name.startsWith('pg_') && !path.some((schema) => rules.tables.has(tableKey(schema, name))));
}

function atHomeOf(domain: Domain | null, key: string, rules: RuleSet, known: boolean): ResolvedTable {
  return { key, ...homesOf(domain, rules.defaultDatabase), domain, nature: 'table', known };
}

function systemTable(schema: string, name: string): ResolvedTable {
  return { key: tableKey(schema, name), reads: null, writes: null, domain: null, nature: 'system', known: true };
}

function tempTable(name: string, database: string | null): ResolvedTable {
  const homes = database === null ? null : [database];
  return { key: tableKey('pg_temp', name), reads: homes, writes: homes, domain: null, nature: 'temp', known: true };
}

/** A temporary table that the statement itself makes: it comes to be where the statement runs. */
export function comingTempTable(name: string): ResolvedTable {
  return tempTable(name, null);
}
