import type { RoutingContext } from './context.js';

/** Whether the database has the schema, one that this session has just made included; null: not known. */
export function schemaExists(database: string, schema: string, context: RoutingContext): boolean | null {
  if (context.ownSchemas?.get(schema) === database) return true;
  return context.catalog?.hasSchema?.(database, schema) ?? null;
}
