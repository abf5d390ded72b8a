import type { Discovery } from './discovery.js';
import type { Context, Cut, Risk } from './proposal.js';
import { busiestFirst, factsOf, type TableFacts } from './table-facts.js';
import type { Tie } from './ties.js';

/** A context before it has its place in the order. */
export type Found = Omit<Context, 'reason'>;

/** A service owns what it writes this share of. */
const OWNS = 0.5;
/** Joins, keys and writers of this many make half of what many would. */
const HALF = 4;

/** What is to be said of each group of tables. */
export function contextsOf(
  groups: readonly (readonly string[])[],
  ties: readonly Tie[],
  facts: ReadonlyMap<string, TableFacts>,
  { domains }: Pick<Discovery, 'domains'>,
): readonly Found[] {
  const names = namesOf(groups, ties, facts, domains);
  const nameOf = new Map(groups.flatMap((group, at) => group.map((table) => [table, names[at] ?? ''] as const)));
  const writesInAll = [...facts.values()].reduce((sum, { writes }) => sum + writes, 0);
  return groups.map((group, at) => contextOf(names[at] ?? '', group, ties, facts, nameOf, writesInAll));
}

function contextOf(
  name: string,
  tables: readonly string[],
  ties: readonly Tie[],
  facts: ReadonlyMap<string, TableFacts>,
  nameOf: ReadonlyMap<string, string>,
  writesInAll: number,
): Found {
  const touching = ties.filter(({ a, b }) => nameOf.get(a) === name || nameOf.get(b) === name);
  const within = touching.filter(({ a, b }) => nameOf.get(a) === nameOf.get(b));
  const cuts = touching
    .filter(({ a, b }) => nameOf.get(a) !== nameOf.get(b))
    .map((tie) => cutOf(tie, name, nameOf))
    .sort((x, y) => y.weight - x.weight);
  const { writers, readers, owner } = servicesOf(tables, facts);
  const all = weightOf(touching);
  const cohesion = all === 0 ? 1 : weightOf(within) / all;
  const writes = tables.reduce((sum, table) => sum + factsOf(facts, table).writes, 0);
  const together = sum(within, ({ transactions }) => transactions);
  const foreignKeysCut =
    sum(touching, ({ foreignKeys }) => foreignKeys) - sum(within, ({ foreignKeys }) => foreignKeys);
  const figures = {
    cutShare: 1 - cohesion,
    transactionsCut: sum(cuts, ({ transactions }) => transactions),
    joinsCut: sum(cuts, ({ joins }) => joins),
    foreignKeysCut,
    otherWriters: writers.filter((service) => service !== owner).length,
    writeShare: writesInAll === 0 ? 0 : writes / writesInAll,
  };
  const risk = { ...figures, score: scoreOf(figures, together) };
  return { name, tables, owner, writers, readers, cohesion, cuts, risk };
}

/**
 * 0.4 for the share of the ties that is cut, 0.25 for the share of its transactions over several tables that is, 0.15 for
 * foreign keys, 0.1 for other services that write it, 0.1 for its share of all writes.
 */
function scoreOf(figures: Omit<Risk, 'score'>, together: number): number {
  const { cutShare, transactionsCut, foreignKeysCut, otherWriters, writeShare } = figures;
  const many = (count: number): number => count / (count + HALF);
  const transactions = transactionsCut === 0 ? 0 : transactionsCut / (transactionsCut + together);
  return (
    0.4 * cutShare + 0.25 * transactions + 0.15 * many(foreignKeysCut) + 0.1 * many(otherWriters) + 0.1 * writeShare
  );
}

function cutOf(tie: Tie, name: string, nameOf: ReadonlyMap<string, string>): Cut {
  const [table, other] = nameOf.get(tie.a) === name ? [tie.a, tie.b] : [tie.b, tie.a];
  const { weight, joins, transactions, definitions } = tie;
  return { table, other, otherContext: nameOf.get(other) ?? '', weight, joins, transactions, definitions };
}

function servicesOf(
  tables: readonly string[],
  facts: ReadonlyMap<string, TableFacts>,
): { readonly writers: readonly string[]; readonly readers: readonly string[]; readonly owner: string | null } {
  const written = new Map<string, number>();
  const read = new Set<string>();
  for (const table of tables) {
    const { writers, readers } = factsOf(facts, table);
    for (const [service, count] of writers) written.set(service, (written.get(service) ?? 0) + count);
    for (const service of readers) read.add(service);
  }
  const writers = busiestFirst(written);
  const all = [...writers.values()].reduce((total, count) => total + count, 0);
  const [first] = writers;
  const owner = first !== undefined && first[1] > OWNS * all ? first[0] : null;
  return { writers: [...writers.keys()], readers: [...read].filter((service) => !writers.has(service)).sort(), owner };
}

/**
 * A context is called as the domain that most of its tables are in today; else as the service that owns it; else as the
 * table that is tied most within it. Names are those of domains: letters, digits, _ and -, each once.
 */
function namesOf(
  groups: readonly (readonly string[])[],
  ties: readonly Tie[],
  facts: ReadonlyMap<string, TableFacts>,
  domains: ReadonlyMap<string, string>,
): readonly string[] {
  const taken = new Set<string>();
  return groups.map((group) => {
    const wanted = asName(domainOf(group, domains) ?? ownerName(group, facts) ?? centralTable(group, ties));
    let name = wanted;
    for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
    taken.add(name);
    return name;
  });
}

function domainOf(group: readonly string[], domains: ReadonlyMap<string, string>): string | null {
  const counts = new Map<string, number>();
  for (const table of group) {
    const domain = domains.get(table);
    if (domain !== undefined) counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  const [first] = busiestFirst(counts);
  return first !== undefined && first[1] > group.length / 2 ? first[0] : null;
}

/** 'order-service' owns 'order'. */
function ownerName(group: readonly string[], facts: ReadonlyMap<string, TableFacts>): string | null {
  const { owner } = servicesOf(group, facts);
  return owner === null ? null : owner.replace(/[-_ ]?(service|svc|api|app|worker)$/i, '') || owner;
}

function centralTable(group: readonly string[], ties: readonly Tie[]): string {
  const inside = new Set(group);
  const weights = new Map(group.map((table) => [table, 0]));
  for (const { a, b, weight } of ties) {
    if (!inside.has(a) || !inside.has(b)) continue;
    for (const table of [a, b]) weights.set(table, (weights.get(table) ?? 0) + weight);
  }
  const [first] = busiestFirst(weights);
  return (first?.[0] ?? 'context').replace(/^[^.]*\./, '');
}

function asName(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[^A-Za-z_]+/, '')
    .replace(/-+$/, '')
    .slice(0, 40);
  return name === '' ? 'context' : name;
}

const weightOf = (ties: readonly Tie[]): number => sum(ties, ({ weight }) => weight);
const sum = <T>(items: readonly T[], pick: (item: T) => number): number =>
  items.reduce((total, item) => total + pick(item), 0);
