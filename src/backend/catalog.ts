import type pg from 'pg';
import type { Config, DatabaseConfig } from '../config/config.js';
import type { CatalogView } from '../routing/catalog-view.js';
import { connectPg } from './pg-client.js';

/** [schema, name, kind]; kind as in pg_class.relkind: r p v m f S. */
export type RelationRow = readonly [schema: string, name: string, kind: string];
/** [oid, schema, name, kind]; kind as in pg_type.typtype. */
export type TypeRow = readonly [oid: number, schema: string, name: string, kind: string];
/** search_path of a role in this database; null: of every role, or in every database. */
export interface SearchPathSetting {
  readonly role: string | null;
  readonly thisDatabase: boolean;
  readonly path: readonly string[];
}

/** What is known of one database; plain values, so that it can cross a pipe as JSON. */
export interface CatalogPart {
  readonly relations: readonly RelationRow[];
  /**
   * Types with OIDs from 16384 up: these differ between databases. The row types of tables are left out:
   * a big schema has two for each table, and hardly anyone asks for one.
   */
  readonly types: readonly TypeRow[];
  readonly searchPaths: readonly SearchPathSetting[];
  /** search_path of the server's configuration, where it is known and not the built-in one. */
  readonly serverSearchPath: readonly string[] | null;
}

/** An array's name begins with an underscore (PostgreSQL documentation, CREATE TYPE, array types). */
const isNested = ([, , name, kind]: TypeRow): boolean => kind === 'c' || (kind === 'b' && name.startsWith('_'));

/** Relations, role settings and types of all databases, as of the last time each could be read. */
export class Catalog implements CatalogView {
  readonly version: number;
  readonly #parts: ReadonlyMap<string, CatalogPart>;
  readonly #relations = new Map<string, ReadonlyMap<string, string>>();
  readonly #schemas = new Map<string, ReadonlySet<string>>();
  readonly #typeNames = new Map<string, ReadonlyMap<string, number>>();
  readonly #typeOids = new Map<string, ReadonlyMap<number, string>>();

  constructor(version: number, parts: ReadonlyMap<string, CatalogPart>) {
    this.version = version;
    this.#parts = parts;
    for (const [database, part] of parts) {
      this.#schemas.set(database, new Set(part.relations.map(([schema]) => schema)));
      this.#typeOids.set(database, new Map(part.types.map(([oid, schema, name]) => [oid, relationKey(schema, name)])));
      this.#typeNames.set(database, new Map(part.types.map(([oid, schema, name]) => [relationKey(schema, name), oid])));
      this.#relations.set(
        database,
        new Map(part.relations.map(([schema, name, kind]) => [relationKey(schema, name), kind])),
      );
    }
  }

  get databases(): readonly string[] {
    return [...this.#parts.keys()];
  }

  hasRelation(database: string, schema: string, name: string): boolean | null {
    const relations = this.#relations.get(database);
    // Temporary relations belong to a session, and are not read.
    if (relations === undefined || schema.startsWith('pg_temp')) return null;
    return relations.has(relationKey(schema, name));
  }

  /** pg_class.relkind, or null when it does not exist or the database is not known. */
  relationKind(database: string, schema: string, name: string): string | null {
    return this.#relations.get(database)?.get(relationKey(schema, name)) ?? null;
  }

  /**
   * The most specific setting wins: role in this database, role, database, all
   * (PostgreSQL documentation, ALTER ROLE, notes).
   */
  initialSearchPath(database: string, role: string): readonly string[] | null {
    const part = this.#parts.get(database);
    if (part === undefined) return null;
    const of = (wanted: string | null, thisDatabase: boolean): readonly string[] | undefined =>
      part.searchPaths.find((setting) => setting.role === wanted && setting.thisDatabase === thisDatabase)?.path;
    return of(role, true) ?? of(role, false) ?? of(null, true) ?? of(null, false) ?? part.serverSearchPath;
  }

  /** Whether the schema holds any relation there; null when the database is not known. */
  hasSchema(database: string, schema: string): boolean | null {
    return this.#schemas.get(database)?.has(schema) ?? null;
  }

  /** By schema and name, as OIDs from 16384 up differ between databases; null where it has no counterpart. */
  translateType(database: string, oid: number, toDatabase: string): number | null {
    const name = this.#typeOids.get(database)?.get(oid);
    return name === undefined ? null : (this.#typeNames.get(toDatabase)?.get(name) ?? null);
  }

  /** Composites and arrays of user types: their binary values hold type OIDs, which differ between databases. */
  nestedType(database: string, oid: number): string | null {
    const type = this.types(database).find(([of]) => of === oid);
    return type !== undefined && isNested(type) ? `${type[1]}.${type[2]}` : null;
  }

  hasNestedTypes(database: string): boolean {
    return this.types(database).some(isNested);
  }

  types(database: string): readonly TypeRow[] {
    return this.#parts.get(database)?.types ?? [];
  }

  part(database: string): CatalogPart | null {
    return this.#parts.get(database) ?? null;
  }

  /** JSON text for `fromText` in another process. */
  toText(): string {
    return JSON.stringify({ version: this.version, parts: [...this.#parts] });
  }

  static fromText(text: string): Catalog {
    const wire: { version: number; parts: [string, CatalogPart][] } = JSON.parse(text);
    return new Catalog(wire.version, new Map(wire.parts));
  }
}

/** NUL cannot occur in a name. */
const relationKey = (schema: string, name: string): string => `${schema}\0${name}`;

/** Reads all databases at once. One that cannot be read is not in the result. Never throws. */
export async function readCatalog(config: Config): Promise<Catalog> {
  return mergeCatalog(null, await readCatalogParts(config));
}

/** One entry for each database of the configuration: what it holds, or why it could not be read. */
export async function readCatalogParts(config: Config): Promise<Map<string, CatalogPart | Error>> {
  const read = async (database: DatabaseConfig): Promise<[string, CatalogPart | Error]> => {
    try {
      return [database.name, await readPart(config, database)];
    } catch (error) {
      return [database.name, error instanceof Error ? error : new Error(String(error))];
    }
  };
  return new Map(await Promise.all([...config.databases.values()].map(read)));
}

/**
 * The catalog after a reading: unreadable databases keep what was last known of them. `before` itself
 * comes back when nothing has changed. Versions only grow, also over restarts of the process that
 * reads, for routes are cached by them.
 */
export function mergeCatalog(before: Catalog | null, read: ReadonlyMap<string, CatalogPart | Error>): Catalog {
  const parts = new Map<string, CatalogPart>();
  let changed = before === null;
  for (const [database, found] of read) {
    const old = before?.part(database) ?? null;
    if (found instanceof Error) {
      if (old !== null) parts.set(database, old);
      continue;
    }
    if (old !== null && JSON.stringify(old) === JSON.stringify(found)) {
      parts.set(database, old);
      continue;
    }
    parts.set(database, found);
    changed = true;
  }
  if (before !== null && !changed) return before;
  return new Catalog(Math.max(Date.now(), (before?.version ?? 0) + 1), parts);
}

/**
 * One round trip. SHOW comes first, while search_path is still the server's; it looks up no names, so
 * nothing that a user has put into a schema can run as pgfig. All after it is pinned to pg_catalog.
 */
const READ_PART = `
SHOW search_path;
SET search_path = pg_catalog;
SELECT rolname, setdatabase <> 0, setting
  FROM (SELECT setrole, setdatabase, unnest(setconfig) AS setting FROM pg_db_role_setting) s
  LEFT JOIN pg_roles r ON r.oid = s.setrole
 WHERE setting LIKE 'search_path=%'
   AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
 ORDER BY 1, 2;
SELECT current_user::text;
SELECT nspname, relname, relkind::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname !~ '^pg_(toast|temp)'
 ORDER BY 1, 2;
SELECT t.oid::bigint::text, nspname, t.typname, t.typtype::text
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
  LEFT JOIN pg_class c ON c.oid = coalesce(nullif(e.typrelid, 0), t.typrelid)
 WHERE t.oid >= 16384 AND nspname !~ '^pg_(toast|temp)' AND (c.oid IS NULL OR c.relkind = 'c')
 ORDER BY t.oid`;

async function readPart(config: Config, database: DatabaseConfig): Promise<CatalogPart> {
  const client = await connectPg(config, database, 'pgfig catalog');
  try {
    const query: pg.QueryArrayConfig = { text: READ_PART, rowMode: 'array' };
    // A string of several statements gives a list of results, which the driver's types do not tell.
    const results = (await client.query(query)) as unknown as pg.QueryArrayResult[];
    const rows = (at: number): unknown[][] => results[at]?.rows ?? [];
    const searchPaths = rows(2).map(
      ([role, here, setting]): SearchPathSetting => ({
        role: role === null ? null : String(role),
        thisDatabase: here === true,
        path: identifierList(String(setting).slice('search_path='.length)),
      }),
    );
    const me = String(rows(3)[0]?.[0]);
    return {
      relations: rows(4).map(([schema, name, kind]): RelationRow => [String(schema), String(name), String(kind)]),
      types: rows(5).map(
        ([oid, schema, name, kind]): TypeRow => [Number(oid), String(schema), String(name), String(kind)],
      ),
      searchPaths,
      serverSearchPath: serverSearchPath(String(rows(0)[0]?.[0]), me, searchPaths),
    };
  } finally {
    await client.end().catch(() => {});
  }
}

/** SHOW tells the server's own value only where no setting of role or database hides it. */
function serverSearchPath(shown: string, me: string, settings: readonly SearchPathSetting[]): readonly string[] | null {
  if (settings.some((setting) => setting.role === null || setting.role === me)) return null;
  return shown === '"$user", public' ? null : identifierList(shown);
}

/** Splits a list of identifiers as SplitIdentifierString does: folded, quotes taken off; `$user` stays. */
export function identifierList(text: string): string[] {
  const names: string[] = [];
  for (const [, quoted, plain] of text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,"\s]+))\s*(?:,|$)/g)) {
    if (quoted !== undefined) names.push(quoted.replaceAll('""', '"'));
    else if (plain !== undefined) names.push(plain.toLowerCase());
  }
  return names;
}
