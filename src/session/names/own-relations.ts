import type { CatalogView } from '../../routing/catalog-view.js';
import type { RoutingContext } from '../../routing/context.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { decidesByNames } from '../../rules/statement-mirror.js';
import { splitKey, tableKey } from '../../rules/table-name.js';
import type { TableName } from '../../sql/statement.js';

/** A relation, or a schema, that this session has made. */
export interface OwnRelation {
  readonly database: string;
  /** Version of the catalog that did not show it last, and how many have not. */
  readonly catalog: number | null;
  readonly misses: number;
}

/** By 'schema.name'; 'schema.' is the schema itself. */
export type OwnRelations = ReadonlyMap<string, OwnRelation>;

/**
 * So many catalogs later the relation is taken to be gone. The first may have been read before it was made, the second
 * for another database.
 */
const MOST_MISSES = 4;

/**
 * Whether it makes a difference that the router hears of a new relation at once. It does not for a name that nobody
 * else bears, in the default database: that is where unknown names are taken to be.
 */
export function matters(table: TableName, database: string, { rules, catalog, searchPath }: RoutingContext): boolean {
  if (!decidesByNames(rules)) return false;
  if (database !== rules.defaultDatabase || bareNames(rules).has(table.name)) return true;
  return searchPath.some((schema) => catalog?.hasRelation(rules.defaultDatabase, schema, table.name) === true);
}

const namesByRules = new WeakMap<RuleSet, ReadonlySet<string>>();

/** Names of tables with a rule, without their schemas. */
export function bareNames(rules: RuleSet): ReadonlySet<string> {
  let names = namesByRules.get(rules);
  if (names === undefined) {
    names = new Set([...rules.tables.keys()].map((key) => splitKey(key).name));
    namesByRules.set(rules, names);
  }
  return names;
}

export function withRelation(own: OwnRelations, schema: string, name: string, relation: OwnRelation): OwnRelations {
  return new Map(own).set(tableKey(schema, name), relation);
}

export const withSchema = (own: OwnRelations, schema: string, relation: OwnRelation): OwnRelations =>
  withRelation(own, schema, '', relation);

/** Without the schemas, and what is in them. */
export function withoutSchemas(own: OwnRelations, schemas: readonly string[]): OwnRelations {
  const left = [...own].filter(([key]) => !schemas.includes(splitKey(key).schema));
  return left.length === own.size ? own : new Map(left);
}

/** Without the relation that a DROP of this name has dropped: the first on the path where none is named. */
export function withoutRelation(own: OwnRelations, table: TableName, searchPath: readonly string[]): OwnRelations {
  if (own.size === 0) return own;
  const schemas = table.schema === undefined ? searchPath : [table.schema];
  const dropped = schemas.map((schema) => tableKey(schema, table.name)).find((key) => own.has(key));
  if (dropped === undefined) return own;
  const left = new Map(own);
  left.delete(dropped);
  return left;
}

/** Those that the catalog does not show yet. */
export function stillUnknown(own: OwnRelations, catalog: CatalogView | null): OwnRelations {
  if (own.size === 0 || catalog === null) return own;
  const left = new Map<string, OwnRelation>();
  for (const [key, relation] of own) {
    const { schema, name } = splitKey(key);
    const { database } = relation;
    const shown = name === '' ? catalog.hasSchema?.(database, schema) : catalog.hasRelation(database, schema, name);
    if (shown === true) continue;
    const misses = relation.misses + (relation.catalog === catalog.version ? 0 : 1);
    if (misses < MOST_MISSES) left.set(key, { ...relation, catalog: catalog.version, misses });
  }
  return left;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** As the routing context has them. */
export function databasesOf(own: OwnRelations): {
  readonly ownRelations: ReadonlyMap<string, string>;
  readonly ownSchemas: ReadonlyMap<string, string>;
} {
  if (own.size === 0) return { ownRelations: NONE, ownSchemas: NONE };
  const ownRelations = new Map<string, string>();
  const ownSchemas = new Map<string, string>();
  for (const [key, { database }] of own) {
    const { schema, name } = splitKey(key);
    if (name === '') ownSchemas.set(schema, database);
    else ownRelations.set(key, database);
  }
  return { ownRelations, ownSchemas };
}
