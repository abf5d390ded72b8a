import { homesOf, type TableHomes } from '../rules/phases.js';
import type { Phase, RuleSet } from '../rules/rule-set.js';

export interface TableMapEntry extends TableHomes {
  /** 'schema.table' */
  readonly table: string;
  readonly domain: string;
  readonly phase: Phase;
}

/** Where each table with a rule is now, sorted by name: what `pgfig check` and the status page show. */
export function tableHomes(rules: RuleSet): readonly TableMapEntry[] {
  return [...rules.tables]
    .map(([table, domain]) => ({
      table,
      domain: domain.name,
      phase: domain.phase,
      ...homesOf(domain, rules.defaultDatabase),
    }))
    .sort((a, b) => (a.table < b.table ? -1 : 1));
}
