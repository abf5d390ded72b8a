import type { Discovery } from './discovery.js';

/** What the matrix says of one table, over all services. */
export interface TableFacts {
  /** Statements that touch it. */
  readonly statements: number;
  /** Statements that write it, by service; the busiest first. */
  readonly writers: ReadonlyMap<string, number>;
  readonly writes: number;
  /** Services that read it. */
  readonly readers: ReadonlySet<string>;
}

const NOTHING: TableFacts = { statements: 0, writers: new Map(), writes: 0, readers: new Set() };

/** By 'schema.table': every table of the matrix or the catalog; views are none. */
export function tableFacts({ matrix, graph }: Discovery): ReadonlyMap<string, TableFacts> {
  const views = new Set(graph?.views);
  const facts = new Map<
    string,
    { statements: number; writers: Map<string, number>; writes: number; readers: Set<string> }
  >();
  const of = (table: string) => {
    let known = facts.get(table);
    if (known === undefined) {
      known = { statements: 0, writers: new Map(), writes: 0, readers: new Set() };
      facts.set(table, known);
    }
    return known;
  };
  for (const table of graph?.tables ?? []) of(table);
  for (const { table, service, access, statements, refused } of matrix.cells) {
    const count = statements + refused;
    if (access === 'opaque' || access === 'ddl' || count === 0 || views.has(table)) continue;
    const fact = of(table);
    fact.statements += count;
    if (access === 'read') fact.readers.add(service);
    else {
      fact.writes += count;
      fact.writers.set(service, (fact.writers.get(service) ?? 0) + count);
    }
  }
  return new Map([...facts].map(([table, fact]) => [table, { ...fact, writers: busiestFirst(fact.writers) }]));
}

export const factsOf = (facts: ReadonlyMap<string, TableFacts>, table: string): TableFacts =>
  facts.get(table) ?? NOTHING;

export function busiestFirst(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
