import { homesOf } from '../rules/phases.js';
import type { Domain, RuleSet } from '../rules/rule-set.js';
import { isSystemSchema, tableKey } from '../rules/table-name.js';
import type { TableName } from '../sql/statement.js';
import type { RelationFacts, RelationRef } from './catalog-view.js';
import type { RoutingContext } from './context.js';
import { schemaExists } from './schemas.js';

/** A table of a statement, found. */
export interface ResolvedTable {
  /** 'schema.table' */
  readonly key: string;
  /** null for a temporary table. */
  readonly ref: RelationRef | null;
  /** Databases where it may be read, the best first; null: in each (system catalogs, a temporary table to come). */
  readonly reads: readonly string[] | null;
  readonly writes: readonly string[] | null;
  readonly domain: Domain | null;
  /** 'view': one without a rule of its own, which is wherever it and all that it reads are. */
  readonly nature: 'table' | 'view' | 'temp' | 'system' | 'sequence';
  /** false: neither a rule nor the catalog knows the name. */
  readonly known: boolean;
  /** The catalog of the default database, where it would be, says that there is no such relation. */
  readonly missing?: true;
}

/** Where a name stands, which decides what it means. */
export interface NameScope {
  readonly context: RoutingContext;
  /** Schemas in order: the session's, or those that a function's definition sets. */
  readonly searchPath: readonly string[];
  /** The database in whose catalog the name is looked up first: that of the definition; the default one for a statement. */
  readonly database: string;
  /** The name stands in a definition (view, function) and not in the statement itself. */
  readonly inDefinition: boolean;
}

export function statementScope(context: RoutingContext): NameScope {
  return {
    context,
    searchPath: context.searchPath,
    database: context.rules.defaultDatabase,
    inDefinition: false,
  };
}

/**
 * Finds the table that a name means, as Postgres would: temporary tables, then pg_catalog, then the schemas of the
 * search_path in order, each asked of the rules, then of the catalog. A partition or child is found by its root, a
 * sequence or an index by its table. null: nobody knows the name.
 *
 * A three-part name is found by its last two: Postgres refuses a catalog other than its own, so a wrong one ends in
 * an error of the table's home, never in rows of an old copy.
 */
export function findTable(table: TableName, scope: NameScope): ResolvedTable | null {
  if (table.schema !== undefined) return findQualified(table.schema, table.name, scope);
  // What its own database knows is meant first: a view that another has gets the name only where that one has nothing.
  // A rule may name a table that is not there (yet).
  return (
    findAlong(table.name, scope, { isThere: mayBe, databases: [scope.database] }) ??
    findAlong(table.name, scope, { isThere: mayBe, databases: placesOf(scope) }) ??
    findAlong(table.name, scope, { isThere: () => true, databases: placesOf(scope) })
  );
}

/** Databases whose relations a name may mean: what a definition's own one lacks is in the default one, if anywhere. */
function placesOf({ context: { rules }, database, inDefinition }: NameScope): readonly string[] {
  return inDefinition ? [database, rules.defaultDatabase] : rules.databases;
}

interface Search {
  readonly isThere: (schema: string, name: string, scope: NameScope) => boolean;
  /** Whose catalogs are asked. */
  readonly databases: readonly string[];
}

function findAlong(name: string, scope: NameScope, { isThere, databases }: Search): ResolvedTable | null {
  const { context, searchPath } = scope;
  for (const schema of wholePath(searchPath)) {
    if (schema === 'pg_temp') {
      const temp = context.tempTables.get(name);
      if (temp !== undefined) return tempTable(name, temp);
    } else if (isSystemSchema(schema)) {
      if (isSystemTable(schema, name, searchPath, context)) return systemTable(schema, name);
    } else if (isThere(schema, name, scope)) {
      const found = findIn(schema, name, scope, databases);
      if (found !== null) return found;
    }
  }
  return null;
}

/** pg_temp and pg_catalog are searched first, in this order, unless the path puts them elsewhere. */
function wholePath(path: readonly string[]): readonly string[] {
  return [...['pg_temp', 'pg_catalog'].filter((schema) => !path.includes(schema)), ...path];
}

/** Whether the relation may be there: in a definition's own database; for a statement, where its rule puts it or in the default one. */
function mayBe(schema: string, name: string, { context, database, inDefinition }: NameScope): boolean {
  const { rules, catalog, ownRelations } = context;
  const key = tableKey(schema, name);
  if (catalog === null || ownRelations?.has(key) === true) return true;
  if (inDefinition) return catalog.hasRelation(database, schema, name) !== false;
  const domain = rules.tables.get(key);
  return (
    domain === undefined ||
    [rules.defaultDatabase, domain.database].some((one) => catalog.hasRelation(one, schema, name) !== false)
  );
}

/** The same for a name of the statement itself: one that nobody knows is taken to be in the default database, in the first schema of the path. */
export function resolveTable(table: TableName, context: RoutingContext): ResolvedTable {
  const found = findTable(table, statementScope(context));
  if (found !== null) return found;
  const { catalog, rules, searchPath } = context;
  const schema = table.schema ?? searchPath.find((name) => isPossible(name, context)) ?? 'public';
  // Where the catalog cannot tell, a qualified name is taken at its word.
  const told = catalog?.hasRelation(rules.defaultDatabase, schema, table.name) ?? null;
  const known = table.schema !== undefined && told === null;
  const home = atHomeOf(null, { schema, name: table.name }, context, known);
  return told === false ? { ...home, missing: true } : home;
}

/** The name under which a new relation comes to be. */
export function nameAsMade({ schema, name }: TableName, context: RoutingContext): RelationRef {
  return { schema: schema ?? creationSchema(context), name };
}

/**
 * The schema that a new relation without one would be made in: the first of the path that exists, as Postgres takes
 * it. 'pg_temp' makes it temporary.
 */
export function creationSchema(context: RoutingContext): string {
  const first = context.searchPath.find((schema) => schema === 'pg_temp' || isPossible(schema, context));
  return first ?? 'public';
}

/** Most often the schema of "$user" does not exist, and is passed over. */
function isPossible(schema: string, context: RoutingContext): boolean {
  return !isSystemSchema(schema) && schemaExists(context.rules.defaultDatabase, schema, context) !== false;
}

function findQualified(schema: string, name: string, scope: NameScope): ResolvedTable | null {
  if (schema === 'pg_temp' || schema.startsWith('pg_temp_')) {
    return tempTable(name, scope.context.tempTables.get(name) ?? null);
  }
  return isSystemSchema(schema) ? systemTable(schema, name) : findIn(schema, name, scope, placesOf(scope));
}

/** The table of that schema, if a rule or a catalog knows it; the rules come first, since they say what has moved. */
function findIn(schema: string, name: string, scope: NameScope, databases: readonly string[]): ResolvedTable | null {
  const { context } = scope;
  const { rules, catalog } = context;
  // Each database has a schema pgfig of its own, which its triggers write.
  if (schema === 'pgfig' && scope.inDefinition) return systemTable(schema, name);
  const ref = { schema, name };
  const key = tableKey(schema, name);
  if (scope.inDefinition && isLocal(key, scope)) return atDatabase(scope.database, ref, 'table');
  const domain = rules.tables.get(key);
  if (domain !== undefined) return atHomeOf(domain, ref, context, true);
  const own = context.ownRelations?.get(key);
  if (own !== undefined) return atDatabase(own, ref, 'table');
  // A catalog that tells no owners would take the sequence of a moved table for one of the default database's own.
  const byName = catalog?.relation === undefined ? ownerByName(schema, name, rules) : null;
  if (byName !== null) return atHomeOf(byName, ref, context, true);
  for (const database of databases) {
    const found = findAt(database, ref, scope);
    if (found !== null) return found;
  }
  const owner = databases.some((one) => (catalog?.hasRelation(one, schema, name) ?? null) === null)
    ? ownerByName(schema, name, rules)
    : null;
  return owner === null ? null : atHomeOf(owner, ref, context, true);
}

/** An audit log and its like: the rules say that the database has one of its own. */
function isLocal(key: string, { context, database }: NameScope): boolean {
  return context.rules.domains.some((domain) => domain.database === database && domain.local?.includes(key) === true);
}

/** The relation as one database's catalog has it. */
function findAt(database: string, ref: RelationRef, scope: NameScope): ResolvedTable | null {
  const { context } = scope;
  const { rules, catalog } = context;
  const facts = catalog?.relation?.(database, ref.schema, ref.name) ?? null;
  const part = facts === null ? null : partOf(database, ref, facts, scope);
  if (part !== null) return part;
  if (facts !== null && isView(facts)) return viewOf(ref, context);
  if (catalog?.hasRelation(database, ref.schema, ref.name) !== true) return null;
  if (database === rules.defaultDatabase) return atHomeOf(null, ref, context, true);
  if (!scope.inDefinition) return null;
  // A definition may use tables that only its own database has; what the default database has too is at home there.
  const elsewhere = catalog.hasRelation(rules.defaultDatabase, ref.schema, ref.name) !== false;
  return elsewhere ? atHomeOf(null, ref, context, true) : atDatabase(database, ref, 'table');
}

const isView = ({ kind }: RelationFacts): boolean => kind === 'view' || kind === 'materialized-view';

/** What belongs to another table is where that is: partitions, children, sequences, indexes. null: it stands alone. */
function partOf(
  database: string,
  ref: RelationRef,
  facts: RelationFacts,
  scope: NameScope,
  depth = 0,
): ResolvedTable | null {
  const { context } = scope;
  const wholes = facts.owner === null ? facts.parents : [facts.owner];
  for (const whole of wholes) {
    const domain = context.rules.tables.get(tableKey(whole.schema, whole.name));
    const found =
      domain === undefined ? furtherUp(database, whole, scope, depth) : atHomeOf(domain, whole, context, true);
    if (found === null || found.domain === null) continue;
    // A leftover of another database's own does not tell where this one is.
    if (database !== context.rules.defaultDatabase && !found.writes?.includes(database)) continue;
    return {
      ...found,
      key: tableKey(ref.schema, ref.name),
      ref,
      nature: facts.kind === 'sequence' ? 'sequence' : 'table',
    };
  }
  return null;
}

/** Inheritance is never this deep; a catalog read amid a change might show a ring. */
const DEEPEST = 32;

function furtherUp(database: string, ref: RelationRef, scope: NameScope, depth: number): ResolvedTable | null {
  const facts = scope.context.catalog?.relation?.(database, ref.schema, ref.name) ?? null;
  return facts === null || depth > DEEPEST ? null : partOf(database, ref, facts, scope, depth + 1);
}

/**
 * A view without a rule: every database that has it, as a view, is a home as far as the view itself goes. A table of
 * that name in another database is not the same thing.
 */
function viewOf(ref: RelationRef, { catalog, rules }: RoutingContext): ResolvedTable {
  const homes = rules.databases.filter((database) => {
    if (catalog?.hasRelation(database, ref.schema, ref.name) === false) return false;
    const facts = catalog?.relation?.(database, ref.schema, ref.name) ?? null;
    return facts === null || isView(facts);
  });
  return {
    key: tableKey(ref.schema, ref.name),
    ref,
    reads: homes,
    writes: homes,
    domain: null,
    nature: 'view',
    known: true,
  };
}

/**
 * Where a catalog is not known: serial and identity columns name their sequence `<table>_<column>_seq`; the longest
 * table name that fits owns it.
 */
function ownerByName(schema: string, name: string, rules: RuleSet): Domain | null {
  if (!name.endsWith('_seq')) return null;
  let end = name.length - '_seq'.length;
  for (end = name.lastIndexOf('_', end - 1); end > 0; end = name.lastIndexOf('_', end - 1)) {
    const domain = rules.tables.get(tableKey(schema, name.slice(0, end)));
    if (domain !== undefined) return domain;
  }
  return null;
}

/** Where no catalog tells, names that begin with pg_ are the system's, unless a rule gives that name to a table on the path. */
function isSystemTable(
  schema: string,
  name: string,
  path: readonly string[],
  { rules, catalog }: RoutingContext,
): boolean {
  const known = catalog?.hasRelation(rules.defaultDatabase, schema, name) ?? null;
  if (known !== null) return known;
  return (
    schema === 'pg_catalog' && name.startsWith('pg_') && !path.some((one) => rules.tables.has(tableKey(one, name)))
  );
}

function atHomeOf(domain: Domain | null, ref: RelationRef, context: RoutingContext, known: boolean): ResolvedTable {
  const facts = {
    readsNew: domain !== null && readsNew(domain, context),
    inStep: domain !== null && context.inStep?.has(domain.name) === true,
  };
  const homes = homesOf(domain, context.rules.defaultDatabase, facts);
  return { key: tableKey(ref.schema, ref.name), ref, ...homes, domain, nature: 'table', known };
}

/** In phase `read-new`: whether this session, in this transaction, reads the domain from the new database. */
export function readsNew(domain: Domain, context: RoutingContext): boolean {
  if (context.readsNew?.has(domain.name) !== true) return false;
  return context.oneSnapshot !== true && context.written?.has(domain.name) !== true;
}

function atDatabase(database: string, ref: RelationRef, nature: ResolvedTable['nature']): ResolvedTable {
  const homes = [database];
  return {
    key: tableKey(ref.schema, ref.name),
    ref,
    reads: homes,
    writes: homes,
    domain: null,
    nature,
    known: true,
  };
}

function systemTable(schema: string, name: string): ResolvedTable {
  return {
    key: tableKey(schema, name),
    ref: { schema, name },
    reads: null,
    writes: null,
    domain: null,
    nature: 'system',
    known: true,
  };
}

function tempTable(name: string, database: string | null): ResolvedTable {
  const homes = database === null ? null : [database];
  return {
    key: tableKey('pg_temp', name),
    ref: null,
    reads: homes,
    writes: homes,
    domain: null,
    nature: 'temp',
    known: true,
  };
}

/**
 * A relation that the statement itself makes, and that comes to be where the statement runs: a view, a part of a table.
 * Where one of that name is already it is replaced, or in the way, if what it is made of is there too.
 */
export function comingRelation(table: TableName, context: RoutingContext): ResolvedTable {
  const { catalog, ownRelations, rules } = context;
  const ref = nameAsMade(table, context);
  const made = atDatabase(rules.defaultDatabase, ref, 'view');
  const there = rules.databases.filter(
    (one) => ownRelations?.get(made.key) === one || catalog?.hasRelation(one, ref.schema, ref.name) === true,
  );
  if (there.length === 0) return { ...made, reads: null, writes: null };
  return { ...made, reads: there, writes: [...new Set([...there, ...rules.databases])] };
}
