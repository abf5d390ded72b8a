import { UndirectedGraph } from 'graphology';
import louvainModule from 'graphology-communities-louvain';
import type { Tie } from './ties.js';

// CommonJS: to the compiler, what it exports as default is one level further in than at run time.
const louvain = louvainModule as unknown as typeof louvainModule.default;

export interface Communities {
  /** Sorted tables; those that tie to nothing are in none. Sorted by size, then by name. */
  readonly groups: readonly (readonly string[])[];
  /** Newman and Girvan's Q of this partition, with weights; 0 where there are no ties. */
  readonly modularity: number;
}

/** Louvain depends on the order in which it looks at nodes: the best of so many is taken. */
const TRIES = 16;
/**
 * A group that comes apart this well by itself is several: modularity of the whole does not see parts that are small
 * against it (Fortunato and Barthelemy 2007, the resolution limit).
 */
const COMES_APART = 0.35;
const SMALLEST_SPLIT = 6;

/**
 * Groups of tables that are tied to each other more than to others: Louvain's method (Blondel et al. 2008) on the
 * weighted ties, repeated with other random orders and again within each group. Louvain may leave a group in pieces that
 * only hang together through others (Traag et al. 2019); those are taken apart. The same ties give the same groups.
 */
export function communitiesOf(ties: readonly Tie[]): Communities {
  const graph = new UndirectedGraph();
  for (const { a, b, weight } of ties) {
    graph.mergeNode(a);
    graph.mergeNode(b);
    graph.mergeEdge(a, b, { weight });
  }
  if (graph.size === 0) return { groups: [], modularity: 0 };
  const groups = split(graph).flatMap((group) => refine(graph, group));
  groups.sort((x, y) => y.length - x.length || ((x[0] ?? '') < (y[0] ?? '') ? -1 : 1));
  return { groups, modularity: modularity(ties, groups) };
}

/** The best partition of a graph into connected groups. */
function split(graph: UndirectedGraph): readonly (readonly string[])[] {
  let best: { readonly modularity: number; readonly communities: Record<string, number> } | null = null;
  for (let seed = 1; seed <= TRIES; seed++) {
    const found = louvain.detailed(graph, { getEdgeWeight: 'weight', rng: random(seed) });
    // A difference in the last digits is none, and would hang on the machine.
    if (best === null || found.modularity > best.modularity + 1e-9) best = found;
  }
  const byNumber = new Map<number, string[]>();
  for (const [table, number] of Object.entries(best?.communities ?? {})) {
    byNumber.set(number, [...(byNumber.get(number) ?? []), table]);
  }
  return [...byNumber.values()].flatMap((group) => connected(graph, group));
}

/** A group, or its parts where it comes apart by itself. */
function refine(graph: UndirectedGraph, group: readonly string[]): readonly (readonly string[])[] {
  if (group.length < SMALLEST_SPLIT) return [group];
  const inside = new Set(group);
  const part = new UndirectedGraph();
  const ties: Tie[] = [];
  for (const table of group) part.addNode(table);
  graph.forEachEdge((_edge, { weight }, a, b) => {
    if (!inside.has(a) || !inside.has(b)) return;
    part.mergeEdge(a, b, { weight });
    ties.push({ a, b, weight, joins: 0, transactions: 0, definitions: [], foreignKeys: 0 });
  });
  const parts = split(part);
  if (parts.length < 2 || modularity(ties, parts) < COMES_APART) return [group];
  return parts.flatMap((smaller) => refine(graph, smaller));
}

/** The pieces of a group that hang together within it; each sorted. */
function connected(graph: UndirectedGraph, group: readonly string[]): readonly (readonly string[])[] {
  const left = new Set(group.toSorted());
  const pieces: string[][] = [];
  for (const start of left) {
    const piece: string[] = [];
    const queue = [start];
    left.delete(start);
    for (let table = queue.pop(); table !== undefined; table = queue.pop()) {
      piece.push(table);
      for (const next of graph.neighbors(table)) if (left.delete(next)) queue.push(next);
    }
    pieces.push(piece.sort());
  }
  return pieces;
}

/** Q = sum over groups of (weight within / all) - (weight of its ends / all ends) squared. */
export function modularity(ties: readonly Tie[], groups: readonly (readonly string[])[]): number {
  const groupOf = new Map(groups.flatMap((group, at) => group.map((table) => [table, at] as const)));
  const within = new Float64Array(groups.length);
  const ends = new Float64Array(groups.length);
  let all = 0;
  for (const { a, b, weight } of ties) {
    const [one, other] = [groupOf.get(a) ?? -1, groupOf.get(b) ?? -1];
    all += weight;
    if (one === other && one >= 0) within[one] = (within[one] as number) + weight;
    for (const end of [one, other]) if (end >= 0) ends[end] = (ends[end] as number) + weight;
  }
  if (all === 0) return 0;
  return groups.reduce(
    (sum, _group, at) => sum + (within[at] as number) / all - ((ends[at] as number) / (2 * all)) ** 2,
    0,
  );
}

/** A generator of numbers from 0 to 1 that a seed decides (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
