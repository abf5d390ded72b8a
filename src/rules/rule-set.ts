/** The routing rules as the router sees them: one frozen value, swapped whole. */

export type Phase = 'monolith' | 'dual-write' | 'shadow-read' | 'read-new' | 'write-new' | 'retired';

export interface MirrorRule {
  readonly capture: 'outbox' | 'statement';
  readonly apply: 'sync' | 'async';
  /** Milliseconds. */
  readonly syncTimeout: number;
  /** Milliseconds; for `capture: statement`. */
  readonly statementTimeout?: number;
}

export interface ReadsRule {
  /** Percentage of the sessions (0 to 100) whose reads go to the new database. */
  readonly new: number;
  /** Services all of whose sessions read there. */
  readonly services: readonly string[];
}

export interface ShadowRule {
  /** Percentage of reads (0 to 100) that are compared. */
  readonly sample: number;
}

export interface Domain {
  readonly name: string;
  readonly database: string;
  /** 'schema.table', folded as Postgres would. */
  readonly tables: readonly string[];
  /** 'schema.table' of what `database` has for itself: what is defined there means its own. */
  readonly local?: readonly string[];
  readonly phase: Phase;
  readonly owner: string | null;
  readonly crossDatabase: 'refuse';
  readonly file: string;
  /** Kept for the phases that use them. `reads` is always there in phase `read-new`. */
  readonly mirror?: MirrorRule;
  readonly reads?: ReadsRule;
  readonly shadow?: ShadowRule;
}

export interface RuleSet {
  /** Grows by one with every set that took effect in this process group. */
  readonly version: number;
  readonly loadedAt: Date;
  readonly domains: readonly Domain[];
  /** 'schema.table' -> its domain */
  readonly tables: ReadonlyMap<string, Domain>;
  /** Name of the default database, home of every table without a rule. */
  readonly defaultDatabase: string;
  /** Databases in which some table has a home, the default database first, the others by name. */
  readonly databases: readonly string[];
}
