/**
 * What the router knows of the relations that exist, per database; read by `backend/catalog` and handed
 * in as a value. Without one (offline), a name without a schema is looked up in the rules along the
 * search_path alone.
 */
export interface CatalogView {
  readonly version: number;
  /** Whether `schema.name` exists as a relation in that database; null when not known. */
  hasRelation(database: string, schema: string, name: string): boolean | null;
  /** search_path that a session of this role starts with in that database (role and database settings), or null for the server's default. */
  initialSearchPath(database: string, role: string): readonly string[] | null;
}
