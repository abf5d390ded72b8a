import { buildRuleSet } from '../rules/build.js';
import type { RuleSet } from '../rules/rule-set.js';
import { tableKey } from '../rules/table-name.js';
import type { Touches } from '../sql/statement.js';
import { NO_TOUCHES } from '../sql/touches.js';
import type { CatalogObjects, RelationFacts, RelationRef } from './catalog-view.js';
import type { RoutingContext } from './context.js';
import { Follower } from './follow.js';
import { functionText } from './functions.js';

/** A definition that a move of domains cuts in two, or leaves behind. */
export interface Crossing {
  /** The database whose definition it is. */
  readonly database: string;
  /** 'view public.v', 'function public.f()', 'trigger t on public.orders', 'foreign key k of public.a to public.b' */
  readonly what: string;
  /** Database -> the tables that are there once every domain has moved. */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** It crosses by the phases as they are now: statements that use it are refused. */
  readonly now: boolean;
  /** All that it touches moves to this database, which does not have it yet; null where it crosses. */
  readonly missingIn: string | null;
}

/** What stands in a definition and cannot be seen through. */
export interface Unseen {
  readonly database: string;
  readonly what: string;
  readonly why: string;
}

export interface CrossingReport {
  readonly crossings: readonly Crossing[];
  readonly unseen: readonly Unseen[];
}

/**
 * Finds the views, functions, triggers, rules, policies and foreign keys whose tables belong to several databases,
 * by the phases as they are or once all domains have moved: what traffic would find later, one refusal at a time.
 */
export function findCrossings(catalog: CatalogObjects, rules: RuleSet): CrossingReport {
  const finder = new Finder(catalog, rules);
  for (const database of catalog.databases) finder.look(database);
  return { crossings: finder.crossings, unseen: finder.unseen };
}

/** The rules as they will be at the end of the road. */
function allMoved(rules: RuleSet): RuleSet {
  const domains = rules.domains.map((domain) =>
    domain.database === rules.defaultDatabase ? domain : { ...domain, phase: 'write-new' as const },
  );
  return buildRuleSet(domains, { defaultDatabase: rules.defaultDatabase, version: rules.version });
}

class Finder {
  readonly crossings: Crossing[] = [];
  readonly unseen: Unseen[] = [];
  readonly #catalog: CatalogObjects;
  readonly #now: RoutingContext;
  readonly #then: RoutingContext;

  constructor(catalog: CatalogObjects, rules: RuleSet) {
    this.#catalog = catalog;
    const context = (set: RuleSet): RoutingContext => ({
      rules: set,
      catalog,
      searchPath: ['public'],
      tempTables: new Map(),
      service: '',
    });
    this.#now = context(rules);
    this.#then = context(allMoved(rules));
  }

  look(database: string): void {
    const { defaultDatabase } = this.#now.rules;
    const path = this.#catalog.initialSearchPath(database, '') ?? ['public'];
    for (const [ref, facts] of this.#catalog.relations(database)) this.#relation(database, ref, facts, path);
    for (const facts of this.#catalog.allFunctions(database)) {
      const what = `function ${functionText(facts)}`;
      const { body } = facts;
      if (body.opaque !== null && database === defaultDatabase) this.unseen.push({ database, what, why: body.opaque });
      const missing = (place: string): boolean =>
        this.#catalog.functions?.(place, facts.schema, facts.name)?.length === 0;
      this.#definition(database, what, body, facts.searchPath ?? path, { missing });
    }
    for (const key of this.#catalog.foreignKeys(database)) {
      const reads = [key.table, key.references];
      const what = `foreign key ${key.name} of ${textOf(key.table)} to ${textOf(key.references)}`;
      this.#definition(database, what, { ...NO_TOUCHES, reads }, [], {});
    }
  }

  #relation(database: string, ref: RelationRef, facts: RelationFacts, path: readonly string[]): void {
    if (facts.definition !== null) {
      const missing = (place: string): boolean => this.#catalog.hasRelation(place, ref.schema, ref.name) === false;
      this.#definition(database, `view ${textOf(ref)}`, facts.definition, [], { missing });
    }
    if (facts.children.length > 0) {
      this.#definition(
        database,
        `partitions and children of ${textOf(ref)}`,
        { ...NO_TOUCHES, reads: [ref] },
        path,
        {},
      );
    }
    for (const work of facts.hidden) {
      // Foreign keys are told by their own list.
      if (work.what.startsWith('foreign key')) continue;
      const touches = { ...work.touches, reads: [...work.touches.reads, ref] };
      this.#definition(database, `${work.what} on ${textOf(ref)}`, touches, path, {});
    }
  }

  #definition(
    database: string,
    what: string,
    touches: Touches,
    path: readonly string[],
    { missing }: { readonly missing?: (place: string) => boolean },
  ): void {
    const places = this.#places(database, what, touches, path, this.#then);
    if (places.size === 0) return;
    if (places.size > 1) {
      const now = this.#places(database, what, touches, path, this.#now).size > 1;
      this.crossings.push({ database, what, places, now, missingIn: null });
      return;
    }
    const [place = database] = places.keys();
    if (place === database || missing?.(place) !== true) return;
    this.crossings.push({ database, what, places, now: false, missingIn: place });
  }

  /** Where the tables of a definition are, by the rules of that context. */
  #places(
    database: string,
    what: string,
    touches: Touches,
    path: readonly string[],
    context: RoutingContext,
  ): ReadonlyMap<string, readonly string[]> {
    const follower = new Follower(database, context, []);
    follower.definition(touches, path, what);
    const places = new Map<string, string[]>();
    for (const { sort, homes, what: table } of follower.result().all) {
      const home = homes?.[0];
      if (sort !== 'table' || home === undefined) continue;
      const there = places.get(home) ?? [];
      if (!there.includes(table)) there.push(table);
      places.set(home, there);
    }
    return places;
  }
}

const textOf = ({ schema, name }: RelationRef): string => tableKey(schema, name);
