/**
 * What the router knows of the relations that exist, per database; read by `backend/catalog` and handed
 * in as a value. Without one (offline), a name without a schema is looked up in the rules along the
 * search_path alone.
 */
export interface CatalogView {
  readonly version: number;
  /** Whether `schema.name` exists as a relation in that database; null when not known. */
  hasRelation(database: string, schema: string, name: string): boolean | null;
  /** Whether the schema exists there; null, or no such method: not known. Unknown names are taken to be in the first that does. */
  hasSchema?(database: string, schema: string): boolean | null;
  /** search_path that a session of this role starts with in that database (role and database settings), or null for the server's default. */
  initialSearchPath(database: string, role: string): readonly string[] | null;
  /** Name of the type where its binary values carry OIDs of other user types (composites, arrays); else null. */
  nestedType?(database: string, oid: number): string | null;
  /** Whether the database has any such type. */
  hasNestedTypes?(database: string): boolean;
  /** OID that the user type `oid` of one database has in another, by schema and name; null when it is not there. */
  translateType?(database: string, oid: number, toDatabase: string): number | null;
}
