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

/** The phases that may take effect; the others are read and checked, and refused with a word of their own. */
export const AVAILABLE_PHASES: readonly Phase[] = ['monolith', 'write-new'];

export interface TableHomes {
  /** Databases where the table can be read, the best first. */
  readonly reads: readonly string[];
  /** Databases where it can be written, the best first. */
  readonly writes: readonly string[];
}

/**
 * The homes of a table of `domain` (null: of no domain). No copy serves reads yet: a copy only counts as a home
 * once something keeps it in step and the phase says that it may be read.
 */
export function homesOf(domain: Domain | null, defaultDatabase: string): TableHomes {
  const authoritative = domain !== null && hasMoved(domain.phase) ? domain.database : defaultDatabase;
  return { reads: [authoritative], writes: [authoritative] };
}

const hasMoved = (phase: Phase): boolean => phase === 'write-new' || phase === 'retired';
