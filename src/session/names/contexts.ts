import type { RoutingContext } from '../../routing/context.js';

/** What a routing context is made of, besides rules and catalog: the session's own part. */
export interface ContextFacts {
  readonly searchPath: readonly string[];
  readonly tempTables: ReadonlyMap<string, string>;
  readonly home: string;
  readonly readsNew: ReadonlySet<string>;
  readonly written: ReadonlySet<string>;
  readonly oneSnapshot: boolean;
  readonly ownRelations: ReadonlyMap<string, string>;
  readonly ownSchemas: ReadonlyMap<string, string>;
}

/** Most contexts that are remembered; beyond it the one that was made first is made anew when it is next asked for. */
const MOST = 1000;

/**
 * Routing contexts by what they hold: sessions for which the same names mean the same tables, and which read them in the
 * same places, share one object, and with it the plans on the statement cache's entries. What does not change a route
 * does not tell contexts apart: the service's name is not in the shared one.
 */
export class Contexts {
  readonly #shared = new Map<string, RoutingContext>();

  of(context: RoutingContext): RoutingContext {
    const key = keyOf(context);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = context;
      const oldest = this.#shared.size < MOST ? undefined : this.#shared.keys().next().value;
      if (oldest !== undefined) this.#shared.delete(oldest);
      this.#shared.set(key, shared);
    }
    return shared;
  }

  get size(): number {
    return this.#shared.size;
  }

  /** Rules or catalog have changed. */
  clear(): void {
    this.#shared.clear();
  }
}

/** A byte that no name of Postgres holds stands between the parts. */
function keyOf(context: RoutingContext): string {
  const { home, searchPath, tempTables, ownRelations, ownSchemas, readsNew, written, oneSnapshot } = context;
  const snapshot = oneSnapshot === true ? '1' : '';
  return [home ?? '', searchPath.join('\0'), sorted(readsNew), sorted(written), snapshot]
    .concat(pairs(tempTables), pairs(ownRelations), pairs(ownSchemas))
    .join('\0\0');
}

const sorted = (names: ReadonlySet<string> | undefined): string =>
  names === undefined || names.size === 0 ? '' : [...names].sort().join('\0');

const pairs = (names: ReadonlyMap<string, string> | undefined): string =>
  names === undefined || names.size === 0
    ? ''
    : [...names]
        .map(([name, database]) => `${name}\0${database}`)
        .sort()
        .join('\0');
