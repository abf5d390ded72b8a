import { buildRuleSet } from './build.js';
import { jumpWarnings } from './jumps.js';
import type { LoadedRules, RulePlaces } from './load.js';
import { authoritative } from './phases.js';
import type { Domain, RuleSet } from './rule-set.js';

/** A table whose writes would change sides. */
export interface TableMove {
  /** 'schema.table' */
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

/** A domain whose new rule waits: the one in effect is still the old. */
export interface PendingChange {
  readonly domain: string;
  /** Where the change stands: 'file:line:column', or the file that is gone. */
  readonly at: string;
  /** What would happen, why it does not, and what to do; a sentence without its full stop. */
  readonly reason: string;
  /** Empty where the domain waits for another one. */
  readonly moves: readonly TableMove[];
  /** The rule in effect; null: none. */
  readonly from: Domain | null;
  /** The rule that waits; null: the rule is to go. */
  readonly to: Domain | null;
}

export interface Transition {
  /** The set to be in effect; `before` itself where nothing changes. */
  readonly rules: RuleSet;
  readonly pending: readonly PendingChange[];
  /** Those of the loaded files, and of phases that are jumped over. */
  readonly warnings: readonly string[];
}

/**
 * What a reload makes of the rules in effect and those that were read.
 *
 * Where a table is written must never change between two statements: what was written would stay behind. So a domain
 * whose new rule would move the authoritative home of any table keeps its old rule, and with it every domain whose
 * new rule then clashes with a kept one, to a fixpoint. All the others are as loaded. In the result no table is
 * written elsewhere than in `before`, and none is in two domains.
 */
export function takeRules(before: RuleSet, loaded: LoadedRules): Transition {
  const old = byName(before);
  const wanted = byName(loaded.rules);
  const held = heldDomains(before, loaded.rules, old, wanted);
  const pending = [...held].toSorted().map((name) => pendingChange(name, before, loaded, old, wanted, held));
  const warnings = [...loaded.warnings, ...jumpWarnings(old, wanted, loaded.places)];
  const domains = effective(old, wanted, held);
  const same = JSON.stringify(sorted(domains)) === JSON.stringify(sorted(before.domains));
  const { defaultDatabase } = before;
  const { loadedAt } = loaded.rules;
  const rules = same ? before : buildRuleSet(domains, { defaultDatabase, version: before.version + 1, loadedAt });
  return Object.freeze({ rules, pending: Object.freeze(pending), warnings: Object.freeze(warnings) });
}

/** One line: 'file:line:column: domain X keeps its rule: why. What to do.' */
export function pendingLine({ at, domain, reason }: Pick<PendingChange, 'at' | 'domain' | 'reason'>): string {
  return `${at}: domain ${domain} keeps its rule: ${reason}.`;
}

type Domains = ReadonlyMap<string, Domain>;
type Held = ReadonlySet<string>;

const byName = (rules: RuleSet): Domains => new Map(rules.domains.map((domain) => [domain.name, domain]));
const sorted = (domains: readonly Domain[]): Domain[] => domains.toSorted((a, b) => (a.name < b.name ? -1 : 1));

function effective(old: Domains, wanted: Domains, held: Held): Domain[] {
  return [
    ...[...wanted.values()].filter(({ name }) => !held.has(name)),
    ...[...old.values()].filter(({ name }) => held.has(name)),
  ];
}

/** Grows until it holds: with every domain held, the set is the old one, which is sound. */
function heldDomains(before: RuleSet, after: RuleSet, old: Domains, wanted: Domains): Held {
  const held = new Set<string>();
  const tables = [...new Set([...before.tables.keys(), ...after.tables.keys()])];
  for (let size = -1; size < held.size; ) {
    size = held.size;
    const owners = ownersOf(effective(old, wanted, held));
    for (const table of tables) for (const name of clash(table, before, owners.get(table) ?? [])) held.add(name);
  }
  return held;
}

function ownersOf(domains: readonly Domain[]): ReadonlyMap<string, readonly Domain[]> {
  const owners = new Map<string, Domain[]>();
  for (const domain of domains) {
    for (const table of domain.tables) {
      const others = owners.get(table);
      if (others === undefined) owners.set(table, [domain]);
      else others.push(domain);
    }
  }
  return owners;
}

/** The domains that cannot be as they are with this table: in two of them, or written elsewhere than before. */
function clash(table: string, before: RuleSet, owners: readonly Domain[]): string[] {
  if (owners.length > 1) return owners.map(({ name }) => name);
  const was = before.tables.get(table) ?? null;
  const is = owners[0] ?? null;
  const home = (domain: Domain | null): string => authoritative(domain, before.defaultDatabase);
  return home(was) === home(is) ? [] : [was, is].flatMap((domain) => (domain === null ? [] : [domain.name]));
}

function pendingChange(
  name: string,
  before: RuleSet,
  loaded: LoadedRules,
  old: Domains,
  wanted: Domains,
  held: Held,
): PendingChange {
  const from = old.get(name) ?? null;
  const to = wanted.get(name) ?? null;
  const home = (rules: RuleSet, table: string): string =>
    authoritative(rules.tables.get(table) ?? null, before.defaultDatabase);
  const tables = [...new Set([...(from?.tables ?? []), ...(to?.tables ?? [])])];
  const moves = tables
    .map((table) => ({ table, from: home(before, table), to: home(loaded.rules, table) }))
    .filter((move) => move.from !== move.to);
  const reason = moves.length > 0 ? moveReason(moves) : waitReason(name, tables, [before, loaded.rules], held);
  return { domain: name, at: placeOf(from, to, moves, loaded.places.get(name)), reason, moves, from, to };
}

function moveReason(moves: readonly TableMove[]): string {
  const ways = new Map<string, string[]>();
  for (const { table, from, to } of moves) {
    const way = `from ${from} to ${to}`;
    ways.set(way, [...(ways.get(way) ?? []), table]);
  }
  const what = [...ways].map(([way, tables]) => `writes of ${tables.join(', ')} would move ${way}`).join('; ');
  return (
    `${what}. A reload moves no writes: rows would stay behind. The cutover command will move them; until pgfig has it, ` +
    'stop the writers, bring the tables up to date where they go, and restart pgfig, which takes the files as they are. ' +
    'Or change the rule back'
  );
}

/** A table that a held domain keeps, or that only a held domain would take. */
function waitReason(name: string, tables: readonly string[], sets: readonly [RuleSet, RuleSet], held: Held): string {
  const shared = tables.flatMap((table) => {
    const [keeper, taker] = sets.map((rules) => rules.tables.get(table)?.name);
    const waits = (other: string | undefined): other is string =>
      other !== undefined && other !== name && held.has(other);
    if (waits(keeper)) return [{ text: `${table} is still in domain ${keeper}`, other: keeper }];
    return waits(taker) ? [{ text: `${table} is to be in domain ${taker}`, other: taker }] : [];
  });
  const others = [...new Set(shared.map(({ other }) => other))].join(', ');
  const what = shared.map(({ text }) => text).join(', ');
  return `${what}, whose change waits. This change is taken together with that of ${others}, or once the two share no table`;
}

function placeOf(
  from: Domain | null,
  to: Domain | null,
  moves: readonly TableMove[],
  places: RulePlaces | undefined,
): string {
  if (to === null || places === undefined) return from?.file ?? to?.file ?? '';
  if (from === null || from.phase !== to.phase) return places.phase;
  if (from.database !== to.database) return places.database;
  const added = [...places.tables].find(([table]) => !from.tables.includes(table));
  const moved = moves.map(({ table }) => places.tables.get(table)).find((place) => place !== undefined);
  return moved ?? added?.[1] ?? places.domain;
}
