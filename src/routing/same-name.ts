import { isSystemSchema, tableKey } from '../rules/table-name.js';
import type { RoutingContext } from './context.js';
import type { ResolvedTable } from './resolve.js';

/**
 * The relation that the server of that database finds for a name without a schema: the text goes there as it is, and
 * it is the server that looks the name up. 'schema.name'; null: it finds none, or it is not known which.
 */
export function meantAt(database: string, name: string, context: RoutingContext): string | null {
  const { catalog, ownRelations, searchPath } = context;
  for (const schema of searchPath) {
    if (isSystemSchema(schema)) continue;
    const key = tableKey(schema, name);
    if (ownRelations?.get(key) === database) return key;
    const there = catalog?.hasRelation(database, schema, name) ?? null;
    if (there === null) return null;
    if (there) return key;
  }
  return null;
}

/** The schema that the server of that database makes a relation in whose name has none; null: not known. */
export function madeInAt(database: string, { catalog, searchPath }: RoutingContext): string | null {
  for (const schema of searchPath) {
    if (isSystemSchema(schema)) continue;
    const there = catalog?.hasSchema?.(database, schema) ?? null;
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
  found: ResolvedTable,
  use: NameUse,
  databases: readonly string[],
  context: RoutingContext,
): ReadonlyMap<string, string> {
  const strangers = new Map<string, string>();
  const { ref, key, nature } = found;
  if (ref === null || nature === 'system' || nature === 'temp') return strangers;
  for (const database of databases) {
    if (use === 'found') {
      const means = meantAt(database, ref.name, context);
      if (means !== null && means !== key) strangers.set(database, means);
    } else {
      const schema = madeInAt(database, context);
      if (schema !== null && schema !== ref.schema) strangers.set(database, tableKey(schema, ref.name));
    }
  }
  return strangers;
}
