import type { CatalogObjects, ForeignKey, RelationFacts, RelationRef } from '../routing/catalog-view.js';
import type { RoutingContext } from '../routing/context.js';
import { Follower } from '../routing/follow.js';
import { functionText } from '../routing/functions.js';
import { buildRuleSet } from '../rules/build.js';
import { isSystemSchema, tableKey } from '../rules/table-name.js';
import type { Touches } from '../sql/statement.js';
import type { StaticEdge, StaticGraph } from './discovery.js';

/** What stands first in a HiddenWork's words, and the kind of edge that it makes. */
const KINDS: readonly (readonly [start: string, kind: StaticEdge['kind']])[] = [
  ['trigger ', 'trigger'],
  ['rule ', 'rule'],
  ['policy ', 'policy'],
];

/** A function over more tables than these ties them to its first one only: it is a report, or a migration. */
const MOST_PAIRED = 8;

/**
 * What the definitions of one database tie together: foreign keys and their cascades, views, triggers, rules, policies,
 * functions, and sequences that several tables draw from. Definitions are followed as the router follows them.
 */
export function staticGraph(catalog: CatalogObjects, database: string): StaticGraph {
  const builder = new Builder(catalog, database);
  builder.build();
  return { tables: builder.tables, views: builder.views, edges: [...builder.edges.values()] };
}

class Builder {
  readonly tables: string[] = [];
  readonly views: string[] = [];
  readonly edges = new Map<string, StaticEdge>();
  readonly #catalog: CatalogObjects;
  readonly #database: string;
  readonly #context: RoutingContext;
  readonly #path: readonly string[];
  readonly #isTable = new Set<string>();

  constructor(catalog: CatalogObjects, database: string) {
    this.#catalog = catalog;
    this.#database = database;
    const rules = buildRuleSet([], { defaultDatabase: database, version: 1 });
    this.#path = catalog.initialSearchPath(database, '') ?? ['public'];
    this.#context = { rules, catalog, searchPath: this.#path, tempTables: new Map(), service: '' };
  }

  build(): void {
    for (const [ref, kind] of this.#catalog.roots(this.#database)) {
      if (isSystemSchema(ref.schema) || ref.schema === 'pgfig') continue;
      const isView = kind === 'view' || kind === 'materialized-view';
      (isView ? this.views : this.tables).push(keyOf(ref));
      if (!isView) this.#isTable.add(keyOf(ref));
    }
    this.tables.sort();
    this.views.sort();
    for (const key of this.#catalog.foreignKeys(this.#database)) this.#foreignKey(key);
    for (const [ref, facts] of this.#catalog.relations(this.#database)) this.#relation(ref, facts);
    for (const facts of this.#catalog.allFunctions(this.#database)) {
      const tables = this.#touched(facts.body, facts.searchPath ?? this.#path);
      this.#together('function', tables, `function ${functionText(facts)}`);
    }
    // One that a single table draws from ties nothing: it goes where the table goes.
    for (const [sequence, tables] of this.#catalog.sharedSequences(this.#database)) {
      this.#together('sequence', tables.map(keyOf).sort(), `sequence ${keyOf(sequence)}`);
    }
  }

  #foreignKey({ name, table, references, onDelete, onUpdate }: ForeignKey): void {
    const cascades = [onDelete, onUpdate].some((action) => action !== 'no action' && action !== 'restrict');
    this.#edge(cascades ? 'cascade' : 'foreign key', keyOf(table), keyOf(references), name);
  }

  #relation(ref: RelationRef, facts: RelationFacts): void {
    const from = keyOf(ref);
    if (facts.definition !== null) {
      for (const table of this.#touched(facts.definition, [])) this.#edge('view', from, table, `view ${from}`);
    }
    for (const work of facts.hidden) {
      const kind = KINDS.find(([start]) => work.what.startsWith(start))?.[1];
      if (kind === undefined) continue;
      for (const table of this.#touched(work.touches, this.#path)) {
        this.#edge(kind, from, table, `${work.what} on ${from}`);
      }
    }
  }

  /** The tables behind a definition. */
  #touched(touches: Touches, path: readonly string[]): readonly string[] {
    const follower = new Follower(this.#database, this.#context, []);
    follower.definition(touches, path, 'it');
    const tables = follower.result().all.map(({ what }) => what);
    return [...new Set(tables)].filter((table) => this.#isTable.has(table));
  }

  #together(kind: StaticEdge['kind'], tables: readonly string[], name: string): void {
    const starts = tables.length > MOST_PAIRED ? tables.slice(0, 1) : tables;
    starts.forEach((from, at) => {
      for (const to of tables.slice(at + 1)) this.#edge(kind, from, to, name);
    });
  }

  #edge(kind: StaticEdge['kind'], from: string, to: string, name: string): void {
    if (from === to) return;
    const key = `${kind}\0${from}\0${to}\0${name}`;
    if (!this.edges.has(key)) this.edges.set(key, { kind, from, to, name });
  }
}

const keyOf = ({ schema, name }: RelationRef): string => tableKey(schema, name);
