import type { RoutingContext } from '../routing/context.js';

/**
 * Routing contexts by what they hold: sessions for which the same names mean the same tables share one object, and
 * with it the plans on the statement cache's entries. Contexts with temporary tables are a session's own.
 */
export class Contexts {
  readonly #shared = new Map<string, RoutingContext>();

  of(context: RoutingContext): RoutingContext {
    if (context.tempTables.size > 0) return context;
    const key = `${context.home ?? ''}\n${context.searchPath.join('\n')}`;
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = context;
      this.#shared.set(key, shared);
    }
    return shared;
  }

  /** Rules or catalog have changed. */
  clear(): void {
    this.#shared.clear();
  }
}
