import type { SessionLink } from '../session-link.js';

const NONE: ReadonlyMap<string, string> = new Map();

/**
 * The session's temporary relations: tables, views and sequences. They are never computed from statements (ON COMMIT
 * DROP, savepoints, renames, functions): when something may have changed them, the link where that happened is asked
 * before the next statement is planned.
 */
export class TempRelations {
  /** By exact name, and the database whose link holds it. */
  tables: ReadonlyMap<string, string> = NONE;
  readonly #ask = new Set<SessionLink>();

  get unsure(): boolean {
    return this.#ask.size > 0;
  }

  /** They may have changed there. */
  outdated(link: SessionLink): void {
    this.#ask.add(link);
  }

  /** The links to ask. */
  takeAsks(): SessionLink[] {
    if (this.#ask.size === 0) return [];
    const links = [...this.#ask];
    this.#ask.clear();
    return links;
  }

  /** @returns whether the link's database holds others than was known */
  learn(database: string, names: readonly string[]): boolean {
    const known = [...this.tables].filter(([, on]) => on === database).map(([name]) => name);
    if (known.length === names.length && names.every((name) => this.tables.get(name) === database)) return false;
    const tables = new Map(this.tables);
    for (const name of known) tables.delete(name);
    for (const name of names) tables.set(name, database);
    this.tables = tables.size === 0 ? NONE : tables;
    return true;
  }

  /** DISCARD TEMP. @returns whether there were any */
  forget(): boolean {
    this.#ask.clear();
    if (this.tables.size === 0) return false;
    this.tables = NONE;
    return true;
  }
}

/** All of them on the link asked, by the index on what depends on its schema. Toast tables and indexes are not named. */
export const TEMP_RELATIONS = `SELECT c.relname FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.objid
  WHERE d.refclassid OPERATOR(pg_catalog.=) 2615 AND d.refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
    AND d.classid OPERATOR(pg_catalog.=) 1259`;
