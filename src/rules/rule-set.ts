/** The routing rules as the router sees them: one frozen value, swapped whole. */

export type Phase = 'monolith' | 'dual-write' | 'shadow-read' | 'read-new' | 'write-new' | 'retired';

export interface Domain {
  readonly name: string;
  readonly database: string;
  /** 'schema.table', folded as Postgres would. */
  readonly tables: readonly string[];
  readonly phase: Phase;
  readonly owner: string | null;
  readonly crossDatabase: 'refuse';
  readonly file: string;
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
  /** Databases in which some table has a home, the default database first. */
  readonly databases: readonly string[];
}
