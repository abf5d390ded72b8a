import type { CatalogView } from '../routing/catalog-view.js';
import type { RoutingContext } from '../routing/plan.js';
import { buildRuleSet } from '../rules/build.js';
import type { SessionEffect, Statement } from '../sql/statement.js';

/** Most contexts that are remembered; sessions with the same names share one, and with it the plans of their texts. */
const MOST = 1000;

/** Routing contexts of recorded sessions: all alike but for search_path and temporary tables. */
export class NameContexts {
  readonly #base: RoutingContext;
  readonly #known = new Map<string, RoutingContext>();
  readonly #paths = new Map<string, readonly string[]>();

  /** @param database the one that is studied, by its name in pgfig.yaml */
  constructor(database: string, catalog: CatalogView | null) {
    // One server holds all that its sessions touch, wherever tables have moved since: there are no rules.
    const rules = buildRuleSet([], { defaultDatabase: database, version: 1 });
    this.#base = { rules, catalog, searchPath: [], tempTables: new Map(), service: '' };
  }

  /** The search_path that a session of this user begins with. */
  initialPath(user: string): readonly string[] {
    let path = this.#paths.get(user);
    if (path === undefined) {
      const { catalog, rules } = this.#base;
      const configured = catalog?.initialSearchPath(rules.defaultDatabase, user) ?? SERVER_DEFAULT;
      // Without a catalog it is not known whether there is a schema of the user's name; most often there is none.
      const known = catalog === null ? configured.filter((schema) => schema !== '$user') : configured;
      path = known.map((schema) => (schema === '$user' ? user : schema));
      this.#paths.set(user, path);
    }
    return path;
  }

  of(searchPath: readonly string[], temporary: readonly string[]): RoutingContext {
    const key = `${searchPath.join('\0')}\0\0${temporary.join('\0')}`;
    let context = this.#known.get(key);
    if (context === undefined) {
      const database = this.#base.rules.defaultDatabase;
      context = { ...this.#base, searchPath, tempTables: new Map(temporary.map((name) => [name, database])) };
      if (this.#known.size >= MOST) this.#known.clear();
      this.#known.set(key, context);
    }
    return context;
  }
}

const SERVER_DEFAULT: readonly string[] = ['$user', 'public'];

interface Names {
  readonly searchPath: readonly string[];
  /** Sorted. */
  readonly temporary: readonly string[];
  readonly standardConformingStrings: boolean;
}

/** What names mean in one session, by the statements of its log: SET, temporary tables, and what a rollback undoes. */
export class SessionNames {
  readonly #contexts: NameContexts;
  readonly #initial: Names;
  /** What holds when the transaction is rolled back, when it is committed, and now (SET LOCAL). */
  #before: Names;
  #after: Names;
  #now: Names;
  #context: RoutingContext;

  constructor(contexts: NameContexts, searchPath: readonly string[]) {
    this.#contexts = contexts;
    this.#initial = { searchPath, temporary: [], standardConformingStrings: true };
    this.#before = this.#initial;
    this.#after = this.#initial;
    this.#now = this.#initial;
    this.#context = contexts.of(searchPath, []);
  }

  get context(): RoutingContext {
    return this.#context;
  }

  get standardConformingStrings(): boolean {
    return this.#now.standardConformingStrings;
  }

  /** A statement was carried out. */
  did({ effects }: Statement): void {
    for (const effect of effects) this.#apply(effect);
  }

  /** The transaction is over. */
  end(committed: boolean): void {
    const names = committed ? this.#after : this.#before;
    this.#before = names;
    this.#after = names;
    this.#set(names);
  }

  #apply(effect: SessionEffect): void {
    switch (effect.type) {
      case 'set':
        return this.#setting(effect);
      case 'reset-all':
        return this.#change({ searchPath: this.#initial.searchPath, standardConformingStrings: true });
      case 'discard':
        if (effect.what === 'all') this.#change(this.#initial);
        if (effect.what === 'temp') this.#change({ temporary: [] });
        return;
      case 'create-temp':
        return this.#change({ temporary: [...new Set([...this.#now.temporary, effect.table])].sort() });
      case 'drop-table':
        if (!this.#now.temporary.includes(effect.table.name)) return;
        return this.#change({ temporary: this.#now.temporary.filter((name) => name !== effect.table.name) });
      default:
        return;
    }
  }

  #setting({ name, value, local }: Extract<SessionEffect, { readonly type: 'set' }>): void {
    if (name === 'search_path') this.#change({ searchPath: value ?? this.#initial.searchPath }, local);
    if (name === 'standard_conforming_strings') {
      this.#change({ standardConformingStrings: !OFF.has(value?.[0]?.toLowerCase() ?? 'on') }, local);
    }
  }

  #change(names: Partial<Names>, local = false): void {
    if (!local) this.#after = { ...this.#after, ...names };
    this.#set({ ...this.#now, ...names });
  }

  #set(names: Names): void {
    if (names === this.#now) return;
    this.#now = names;
    this.#context = this.#contexts.of(names.searchPath, names.temporary);
  }
}

const OFF: ReadonlySet<string> = new Set(['off', 'false', 'no', '0', 'f', 'n']);
