import type {
  CatalogObjects,
  ForeignKey,
  FunctionFacts,
  RelationFacts,
  RelationKind,
  RelationRef,
} from '../../routing/catalog-view.js';
import { CatalogPart } from './catalog-part.js';
import type { TypeRow } from './rows.js';
import { sameSections } from './section.js';
import { readWireText, wireText } from './wire-text.js';

/** Relations, functions, role settings and types of all databases, as of the last time each could be read. */
export class Catalog implements CatalogObjects {
  readonly version: number;
  readonly #parts: ReadonlyMap<string, CatalogPart>;

  constructor(version: number, parts: ReadonlyMap<string, CatalogPart>) {
    this.version = version;
    this.#parts = parts;
  }

  get databases(): readonly string[] {
    return [...this.#parts.keys()];
  }

  hasRelation(database: string, schema: string, name: string): boolean | null {
    const part = this.#parts.get(database);
    // Temporary relations belong to a session, and are not read.
    if (part === undefined || schema.startsWith('pg_temp')) return null;
    return part.kindOf(schema, name) !== null;
  }

  /** pg_class.relkind, or null when it does not exist or the database is not known. */
  relationKind(database: string, schema: string, name: string): string | null {
    return this.#parts.get(database)?.kindOf(schema, name) ?? null;
  }

  hasSchema(database: string, schema: string): boolean | null {
    return this.#parts.get(database)?.schemas.has(schema) ?? null;
  }

  relation(database: string, schema: string, name: string): RelationFacts | null {
    return this.#parts.get(database)?.facts(schema, name) ?? null;
  }

  functions(database: string, schema: string, name: string): readonly FunctionFacts[] | null {
    return this.#parts.get(database)?.functions.named(schema, name) ?? null;
  }

  /**
   * The most specific setting wins: role in this database, role, database, all
   * (PostgreSQL documentation, ALTER ROLE, notes).
   */
  initialSearchPath(database: string, role: string): readonly string[] | null {
    const settings = this.#parts.get(database)?.sections.settings.value;
    if (settings === undefined) return null;
    const of = (wanted: string | null, thisDatabase: boolean): readonly string[] | undefined =>
      settings.searchPaths.find((setting) => setting.role === wanted && setting.thisDatabase === thisDatabase)?.path;
    return of(role, true) ?? of(role, false) ?? of(null, true) ?? of(null, false) ?? settings.serverSearchPath;
  }

  translateType(database: string, oid: number, toDatabase: string): number | null {
    const to = this.#parts.get(toDatabase)?.types;
    return to === undefined ? null : (this.#parts.get(database)?.types.translate(oid, to) ?? null);
  }

  nestedType(database: string, oid: number): string | null {
    return this.#parts.get(database)?.types.nested(oid) ?? null;
  }

  hasNestedTypes(database: string): boolean {
    return this.#parts.get(database)?.types.hasNested ?? false;
  }

  types(database: string): readonly TypeRow[] {
    return this.#parts.get(database)?.types.rows ?? [];
  }

  /** Relations of which more is known than that they exist: views, parts of others, those with hidden work. */
  relations(database: string): Iterable<readonly [RelationRef, RelationFacts]> {
    return this.#parts.get(database)?.allFacts() ?? [];
  }

  roots(database: string): Iterable<readonly [RelationRef, RelationKind]> {
    return this.#parts.get(database)?.roots() ?? [];
  }

  sharedSequences(database: string): readonly (readonly [RelationRef, readonly RelationRef[]])[] {
    return this.#parts.get(database)?.sharedSequences() ?? [];
  }

  allFunctions(database: string): Iterable<FunctionFacts> {
    return this.#parts.get(database)?.functions.all() ?? [];
  }

  foreignKeys(database: string): readonly ForeignKey[] {
    return this.#parts.get(database)?.foreignKeys() ?? [];
  }

  part(database: string): CatalogPart | null {
    return this.#parts.get(database) ?? null;
  }

  /**
   * Text for `fromText` in another process (see wire-text.ts for its form).
   * @param known what the other process has: sections that it holds are only named
   */
  toText(known: Catalog | null = null): string {
    const parts = new Map([...this.#parts].map(([database, part]) => [database, part.sections]));
    return wireText(this.version, parts, keysOf(known));
  }

  /**
   * Takes the text without looking inside: what it holds is parsed when asked for. Parts that are as in `before` are
   * the same objects.
   * @param before the catalog that this process has until now
   */
  static fromText(text: string, before: Catalog | null = null): Catalog {
    const { version, parts } = readWireText(text, sectionsOf(before));
    const taken = [...parts].map(([database, sections]): [string, CatalogPart] => {
      const old = before?.part(database) ?? null;
      return [database, old !== null && sameSections(old.sections, sections) ? old : new CatalogPart(sections)];
    });
    return new Catalog(version, new Map(taken));
  }
}

const keysOf = (catalog: Catalog | null): ReadonlySet<string> =>
  new Set(sectionsOf(catalog).flatMap((sections) => Object.values(sections).map((section) => section.key)));

const sectionsOf = (catalog: Catalog | null): readonly CatalogPart['sections'][] =>
  (catalog?.databases ?? []).flatMap((database) => catalog?.part(database)?.sections ?? []);

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
    const same = old !== null && (old === found || sameSections(old.sections, found.sections));
    parts.set(database, same ? old : found);
    if (!same) changed = true;
  }
  if (before !== null && !changed) return before;
  return new Catalog(Math.max(Date.now(), (before?.version ?? 0) + 1), parts);
}
