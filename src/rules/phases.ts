import type { Domain, Phase } from './rule-set.js';

/** Every phase, in the order of a move. */
export const PHASES = [
  'monolith',
  'dual-write',
  'shadow-read',
  'read-new',
  'write-new',
  'retired',
] as const satisfies readonly Phase[];

export interface TableHomes {
  /** Databases where the table can be read, the best first. */
  readonly reads: readonly string[];
  /** Databases where it can be written, the best first. */
  readonly writes: readonly string[];
}

/** What homes hang on besides the phase. */
export interface HomeFacts {
  /** In `read-new`: whether these reads go to the new database. */
  readonly readsNew: boolean;
  /** In `write-new`: whether something keeps the old copy in step, so that it may be read. */
  readonly inStep: boolean;
}

/**
 * The homes of a table of `domain` (null: of no domain). A copy is a home for reads where the rule says so
 * (`read-new`), or where it is proven to be in step (`write-new` with a mirror back); for writes never.
 */
export function homesOf(
  domain: Domain | null,
  defaultDatabase: string,
  { readsNew, inStep }: HomeFacts = ALL_READ_NEW,
): TableHomes {
  const writes = [authoritative(domain, defaultDatabase)];
  if (domain === null) return { reads: writes, writes };
  if (domain.phase === 'read-new' && readsNew) return { reads: [domain.database, defaultDatabase], writes };
  if (domain.phase === 'write-new' && inStep) return { reads: [domain.database, defaultDatabase], writes };
  return { reads: writes, writes };
}

/** The one database where the table is written: what differs here has moved. */
export function authoritative(domain: Domain | null, defaultDatabase: string): string {
  return domain !== null && hasMoved(domain.phase) ? domain.database : defaultDatabase;
}

const ALL_READ_NEW: HomeFacts = { readsNew: true, inStep: false };
const hasMoved = (phase: Phase): boolean => phase === 'write-new' || phase === 'retired';
