import { isSystemSchema, tableKey } from '../rules/table-name.js';
import type { RoutingContext } from './context.js';
import type { ResolvedTable } from './resolve.js';
import { schemaExists } from './schemas.js';

/**
 * The relation that the server of that database finds for a name without a schema: the text goes there as it is, and
 * it is the server that looks the name up. 'schema.name'; null: it finds none, or it is not known which.
 */
export function meantAt(database: string, name: string, context: RoutingContext): string | null {
  const { catalog, ownRelations, searchPath, tempTables } = context;
  for (const schema of searchPath.includes('pg_temp') ? searchPath : ['pg_temp', ...searchPath]) {
    const key = tableKey(schema, name);
    if (schema === 'pg_temp' && tempTables.get(name) === database) return key;
    if (isSystemSchema(schema)) continue;
    if (ownRelations?.get(key) === database) return key;
    const there = catalog?.hasRelation(database, schema, name) ?? null;
    if (there === null) return null;
    if (there) return key;
  }
  return null;
}

/** The schema that the server of that database makes a relation in whose name has none; null: not known. */
export function madeInAt(database: string, context: RoutingContext): string | null {
  for (const schema of context.searchPath) {
    if (schema === 'pg_temp') return schema;
    if (isSystemSchema(schema)) continue;
    const there = schemaExists(database, schema, context);
    if (there === null) return null;
    if (there) return schema;
  }
  return null;
}

/** How a name without a schema is used: one that is there is looked up, a new one is made. */
export type NameUse = 'found' | 'made';

/**
 * Databases where the name does not mean the table that it was resolved to, with what it means there: the schemas of
 * the search_path do not hold the same in each.
 */
export function strangersOf(
  name: string,
  found: ResolvedTable,
  use: NameUse,
  databases: readonly string[],
  context: RoutingContext,
): ReadonlyMap<string, string> {
  const strangers = new Map<string, string>();
  const { key, nature } = found;
  if (nature === 'system') return strangers;
  for (const database of databases) {
    if (use === 'found') {
      const means = meantAt(database, name, context);
      if (means !== null && means !== key) strangers.set(database, means);
    } else {
      const schema = madeInAt(database, context);
      const makes = schema === null ? key : tableKey(schema, name);
      if (makes !== key) strangers.set(database, makes);
    }
  }
  return strangers;
}
