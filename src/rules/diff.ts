import { authoritative } from './phases.js';
import type { Domain, Phase, RuleSet } from './rule-set.js';

/** Before and after; null: without a rule. */
export interface Change<T> {
  readonly from: T;
  readonly to: T;
}

/** What two rule sets say differently of one table. */
export interface TableDiff {
  /** 'schema.table' */
  readonly table: string;
  readonly domain: Change<string | null>;
  readonly phase: Change<Phase | null>;
  /** Where it is read, in words: 'orders_db', 'orders_db for 10% of sessions, else monolith'. */
  readonly reads: Change<string>;
  /** The database where it is written. */
  readonly writes: Change<string>;
}

/** What two rule sets say differently of one domain, its tables aside. */
export interface DomainDiff {
  readonly domain: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** By key of the rule file, as it would stand there; '' where it is not given. */
  readonly keys: Readonly<Record<string, Change<string>>>;
}

/** The tables that differ, sorted by name. */
export function diffTables(before: RuleSet, after: RuleSet): TableDiff[] {
  const tables = [...new Set([...before.tables.keys(), ...after.tables.keys()])].toSorted();
  return tables.flatMap((table) => {
    const from = before.tables.get(table) ?? null;
    const to = after.tables.get(table) ?? null;
    const diff: TableDiff = {
      table,
      domain: { from: from?.name ?? null, to: to?.name ?? null },
      phase: { from: from?.phase ?? null, to: to?.phase ?? null },
      reads: { from: readsOf(from, before.defaultDatabase), to: readsOf(to, after.defaultDatabase) },
      writes: { from: authoritative(from, before.defaultDatabase), to: authoritative(to, after.defaultDatabase) },
    };
    return [diff.domain, diff.phase, diff.reads, diff.writes].some(differs) ? [diff] : [];
  });
}

/** The domains that differ in more than their tables, sorted by name. */
export function diffDomains(before: RuleSet, after: RuleSet): DomainDiff[] {
  const old = new Map(before.domains.map((domain) => [domain.name, domain]));
  const wanted = new Map(after.domains.map((domain) => [domain.name, domain]));
  return [...new Set([...old.keys(), ...wanted.keys()])].toSorted().flatMap((domain) => {
    const [from, to] = [old.get(domain), wanted.get(domain)];
    const keys = Object.fromEntries(
      KEYS.map((key): [string, Change<string>] => [key, { from: keyText(from?.[key]), to: keyText(to?.[key]) }]).filter(
        ([, change]) => differs(change),
      ),
    );
    const change = from === undefined ? 'added' : to === undefined ? 'removed' : 'changed';
    return change === 'changed' && Object.keys(keys).length === 0 ? [] : [{ domain, change, keys }];
  });
}

/** Where the reads of a domain's tables (null: of no domain) go, in words. */
export function readsOf(domain: Domain | null, defaultDatabase: string): string {
  const writes = authoritative(domain, defaultDatabase);
  if (domain?.phase !== 'read-new') return writes;
  const { new: share, services } = domain.reads ?? { new: 100, services: [] };
  if (share >= 100) return domain.database;
  const whose = [
    ...(share > 0 ? [`${share}% of sessions`] : []),
    ...(services.length > 0 ? [`service${services.length === 1 ? '' : 's'} ${services.join(', ')}`] : []),
  ].join(' and ');
  return whose === '' ? writes : `${domain.database} for ${whose}, else ${writes}`;
}

const KEYS = ['phase', 'database', 'owner', 'mirror', 'reads', 'shadow', 'events', 'outbox', 'crossDatabase'] as const;

const differs = ({ from, to }: Change<unknown>): boolean => from !== to;
const keyText = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(sorted(value));
/** The same value has the same text, in whatever order its keys were written. */
const sorted = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, part]) => [key, sorted(part)]),
      );
