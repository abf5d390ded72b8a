import { homesOf } from './phases.js';
import type { Domain, RuleSet } from './rule-set.js';

/**
 * Makes the frozen set out of valid domains: what loading ends with, and how a set that came as plain data from
 * another process is put together again. Domains are sorted by name.
 */
export function buildRuleSet(
  domains: readonly Domain[],
  facts: { readonly defaultDatabase: string; readonly version: number; readonly loadedAt?: Date },
): RuleSet {
  const sorted = domains.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const tables = new Map<string, Domain>();
  const databases = new Set([facts.defaultDatabase]);
  for (const domain of sorted) {
    for (const table of domain.tables) tables.set(table, domain);
    const homes = homesOf(domain, facts.defaultDatabase);
    for (const database of [...homes.reads, ...homes.writes]) databases.add(database);
  }
  return Object.freeze({
    version: facts.version,
    loadedAt: facts.loadedAt ?? new Date(),
    domains: Object.freeze(sorted),
    tables,
    defaultDatabase: facts.defaultDatabase,
    databases: Object.freeze([facts.defaultDatabase, ...[...databases].slice(1).sort()]),
  });
}
