import type { Discovery, StaticEdge } from './discovery.js';
import { factsOf, type TableFacts } from './table-facts.js';

/** All that ties two tables together. */
export interface Tie {
  /** 'schema.table'; `a` < `b`. */
  readonly a: string;
  readonly b: string;
  readonly weight: number;
  /** Statements that touch both, carried out or refused. */
  readonly joins: number;
  /** Transactions that wrote both, or were not allowed to. */
  readonly transactions: number;
  readonly definitions: readonly string[];
  readonly foreignKeys: number;
}

/** A transaction that is cut in two loses more than a join: nothing undoes its first half. */
const TRANSACTION = 2;
/** What a definition ties is tied even if it is rarely used. */
const DEFINITIONS: Readonly<Record<StaticEdge['kind'], number>> = {
  'foreign key': 0.2,
  cascade: 0.4,
  trigger: 0.4,
  rule: 0.4,
  policy: 0.2,
  view: 0.2,
  function: 0.2,
  sequence: 0.2,
};
/** Two tables that the same services write, in the same proportions. */
const SAME_WRITERS = 0.3;
/** A service that writes more tables than this ties none of them by that: it would tie everything. */
const MOST_WRITTEN = 30;
/** So many times seen, half is believed. */
const HALF_BELIEVED = 5;

interface Sum {
  joins: number;
  transactions: number;
  definitions: string[];
  foreignKeys: number;
  static: number;
  affinity: number;
}

/**
 * The ties between tables. The weight of one is the sum of
 *
 * - joins: n / min(s_a, s_b), the share of the statements on the less used table that touch the other too;
 * - transactions: 2 n / min(w_a, w_b), the same for those that write;
 * - definitions: 0.4 for a cascade, trigger or rule, 0.2 for a foreign key, view, function, policy or shared sequence;
 * - the same writers: 0.3 times the cosine of the two tables' writes by service.
 *
 * Shares, and not counts: one hot pair would drown all others, and a small context would never be seen beside a large
 * one. Each share is taken times n / (n + 5), since what was seen twice proves little.
 */
export function tiesOf(discovery: Discovery, facts: ReadonlyMap<string, TableFacts>): readonly Tie[] {
  const sums = new Map<string, Sum>();
  const sumOf = (one: string, other: string): Sum => {
    const key = one < other ? `${one}\0${other}` : `${other}\0${one}`;
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = { joins: 0, transactions: 0, definitions: [], foreignKeys: 0, static: 0, affinity: 0 };
      sums.set(key, sum);
    }
    return sum;
  };
  const isTable = (name: string): boolean => facts.has(name);
  for (const { kind, a, b, count, refused } of discovery.matrix.pairs) {
    if (!isTable(a) || !isTable(b)) continue;
    const sum = sumOf(a, b);
    if (kind === 'join') sum.joins += count + refused;
    else sum.transactions += count + refused;
  }
  for (const edge of betweenTables(discovery.graph?.edges ?? [], isTable)) {
    const sum = sumOf(edge.from, edge.to);
    if (sum.definitions.includes(edge.name)) continue;
    sum.definitions.push(edge.name);
    sum.static = Math.max(sum.static, DEFINITIONS[edge.kind]);
    if (edge.kind === 'foreign key' || edge.kind === 'cascade') sum.foreignKeys++;
  }
  for (const [a, b, likeness] of sameWriters(facts)) sumOf(a, b).affinity = SAME_WRITERS * likeness;
  return [...sums]
    .map(([key, sum]) => tieOf(key.split('\0') as [string, string], sum, facts))
    .filter(({ weight }) => weight > 0)
    .sort((x, y) => (x.a === y.a ? (x.b < y.b ? -1 : 1) : x.a < y.a ? -1 : 1));
}

function tieOf([a, b]: readonly [string, string], sum: Sum, facts: ReadonlyMap<string, TableFacts>): Tie {
  const [one, other] = [factsOf(facts, a), factsOf(facts, b)];
  const weight =
    share(sum.joins, Math.min(one.statements, other.statements)) +
    TRANSACTION * share(sum.transactions, Math.min(one.writes, other.writes)) +
    sum.static +
    sum.affinity;
  const { joins, transactions, definitions, foreignKeys } = sum;
  return { a, b, weight, joins, transactions, definitions, foreignKeys };
}

/** A statement that only the pairs know of would make more than all. */
const share = (count: number, of: number): number =>
  count === 0 ? 0 : Math.min(1, count / Math.max(of, 1)) * (count / (count + HALF_BELIEVED));

/** A view is no table: what it reads is tied together instead. */
function* betweenTables(edges: readonly StaticEdge[], isTable: (name: string) => boolean): Iterable<StaticEdge> {
  const behind = new Map<string, StaticEdge[]>();
  for (const edge of edges) {
    if (isTable(edge.from) && isTable(edge.to)) yield edge;
    else if (edge.kind === 'view' && isTable(edge.to)) {
      const others = behind.get(edge.from) ?? [];
      for (const other of others) yield { ...edge, from: other.to };
      behind.set(edge.from, [...others, edge]);
    }
  }
}

function* sameWriters(facts: ReadonlyMap<string, TableFacts>): Iterable<readonly [string, string, number]> {
  const byService = new Map<string, string[]>();
  for (const [table, { writers }] of facts) {
    for (const service of writers.keys()) byService.set(service, [...(byService.get(service) ?? []), table]);
  }
  const seen = new Set<string>();
  for (const tables of byService.values()) {
    if (tables.length > MOST_WRITTEN) continue;
    for (const [at, a] of tables.entries()) {
      for (const b of tables.slice(at + 1)) {
        const key = a < b ? `${a}\0${b}` : `${b}\0${a}`;
        if (seen.has(key)) continue;
        seen.add(key);
        yield [a, b, cosine(factsOf(facts, a).writers, factsOf(facts, b).writers)];
      }
    }
  }
}

function cosine(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  const length = (counts: ReadonlyMap<string, number>): number =>
    Math.sqrt([...counts.values()].reduce((sum, count) => sum + count * count, 0));
  const product = [...one].reduce((sum, [service, count]) => sum + count * (other.get(service) ?? 0), 0);
  return product === 0 ? 0 : product / (length(one) * length(other));
}
