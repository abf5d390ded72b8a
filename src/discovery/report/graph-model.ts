import type { Discovery, StaticEdge } from '../discovery.js';
import { compare } from './format.js';
import type { Group, Groups } from './groups.js';

export const NODES_AT_MOST = 150;
export const EDGES_AT_MOST = 400;

export interface GraphNode {
  readonly table: string;
  readonly group: Group;
  readonly isView: boolean;
  readonly statements: number;
}

export interface GraphEdge {
  readonly kind: 'join' | 'transaction' | 'static';
  /** Places in `GraphModel.nodes`, a < b. */
  readonly a: number;
  readonly b: number;
  /** Over all services; for a static edge the number of its definitions. */
  readonly count: number;
  /** The definitions of a static edge. */
  readonly names: readonly string[];
  /** Whether a cut between groups would sever it. */
  readonly crosses: boolean;
}

export interface GraphModel {
  /** By group, so that a circle of them has each group in one arc. */
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Of how many: what is left out is the lightest. */
  readonly nodesInAll: number;
  readonly edgesInAll: number;
}

interface Tie {
  readonly kind: GraphEdge['kind'];
  readonly a: string;
  readonly b: string;
  count: number;
  readonly names: string[];
}

export function graphModel(discovery: Discovery, groups: Groups): GraphModel {
  const ties = tiesOf(discovery);
  const statements = new Map<string, number>();
  for (const { a, b } of ties) for (const table of [a, b]) statements.set(table, 0);
  for (const cell of discovery.matrix.cells) {
    if (cell.access === 'opaque') continue;
    statements.set(cell.table, (statements.get(cell.table) ?? 0) + cell.statements);
  }
  const views = new Set(discovery.graph?.views ?? []);
  const nodes = [...statements]
    .sort((x, y) => y[1] - x[1] || compare(x[0], y[0]))
    .slice(0, NODES_AT_MOST)
    .map(([table, count]): GraphNode => {
      return { table, group: groups.of(table), isView: views.has(table), statements: count };
    })
    .sort((x, y) => x.group.index - y.group.index || y.statements - x.statements || compare(x.table, y.table));

  const places = new Map(nodes.map(({ table }, place) => [table, place]));
  const drawn = ties
    .filter(({ a, b }) => places.has(a) && places.has(b))
    .sort(heaviestFirst)
    .slice(0, EDGES_AT_MOST);
  const edges = drawn.map(({ kind, a, b, count, names }): GraphEdge => {
    const [from, to] = [places.get(a) ?? 0, places.get(b) ?? 0];
    const crosses = groups.parts(a, b);
    return { kind, a: Math.min(from, to), b: Math.max(from, to), count, names, crosses };
  });
  return { nodes, edges, nodesInAll: statements.size, edgesInAll: ties.length };
}

/** Traffic before definitions: those count no statements. */
function heaviestFirst(x: Tie, y: Tie): number {
  const definitions = Number(x.kind === 'static') - Number(y.kind === 'static');
  return definitions || y.count - x.count || compare(x.a, y.a) || compare(x.b, y.b) || compare(x.kind, y.kind);
}

/** One for each kind and two tables, over all services. */
function tiesOf({ matrix, graph }: Discovery): Tie[] {
  const byKey = new Map<string, Tie>();
  const add = (kind: Tie['kind'], one: string, other: string, count: number, name?: string): void => {
    if (one === other || count <= 0) return;
    const [a, b] = one < other ? [one, other] : [other, one];
    const key = `${kind}\0${a}\0${b}`;
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, { kind, a, b, count, names: name === undefined ? [] : [name] });
    else {
      known.count += count;
      if (name !== undefined) known.names.push(name);
    }
  };
  // A refused statement is a tie as well: it is what the service would do.
  for (const pair of matrix.pairs) add(pair.kind, pair.a, pair.b, pair.count + pair.refused);
  for (const edge of graph?.edges ?? []) add('static', edge.from, edge.to, 1, nameOf(edge));
  return [...byKey.values()];
}

/** The name of a view, a function or a trigger says what it is; a constraint's does not. */
const nameOf = ({ kind, name }: StaticEdge): string => (name.startsWith(`${kind} `) ? name : `${kind} ${name}`);
