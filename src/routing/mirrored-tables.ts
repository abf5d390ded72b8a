import type { Domain } from '../rules/rule-set.js';
import { isSystemSchema, splitKey, tableKey } from '../rules/table-name.js';
import type { RoutingContext } from './context.js';

/** The domain of a table, or of the whole that it is a partition or child of. */
export function domainOf(key: string, context: RoutingContext): Domain | null {
  const { rules, catalog } = context;
  const seen = new Set<string>();
  for (let at: string | undefined = key; at !== undefined && !seen.has(at); ) {
    const own = rules.tables.get(at);
    if (own !== undefined) return own;
    seen.add(at);
    const { schema, name } = splitKey(at);
    const parent: { schema: string; name: string } | undefined = catalog?.relation?.(
      rules.defaultDatabase,
      schema,
      name,
    )?.parents[0];
    at = parent === undefined ? undefined : tableKey(parent.schema, parent.name);
  }
  return null;
}

/** A relation that each database has for itself. */
export const isSystemName = (schema: string | undefined, name: string): boolean =>
  schema === undefined ? name.startsWith('pg_') : isSystemSchema(schema);
