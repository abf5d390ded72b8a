/**
 * What a server counts of a table against what pgfig counts of it, and what cannot be pgfig's. Plain values; times are
 * milliseconds since 1970.
 */

/** What a server has counted of one table since its statistics began; partitions are summed into their root. */
export interface TableCounters {
  /** Rows inserted, updated and deleted, also by transactions that came to nothing. */
  readonly writes: number;
  /** Sequential and index scans begun. */
  readonly scans: number;
  /** When the last of them was, which servers before version 16 do not tell. */
  readonly lastScan: number | null;
  /** A row that moves between partitions counts twice there. */
  readonly partitioned: boolean;
  /** Tables that foreign keys tie to it, in either direction: writing these may scan it. */
  readonly related: readonly string[];
  /** pgfig mirrors it: its relay, backfill and verification read it, or write it as a copy. */
  readonly mirrored: boolean;
}

/** What pgfig has counted of one table in one database since the matrix began. */
export interface OwnWork {
  /** Of statements that name it and write it, as in their command tags. */
  readonly rows: number;
  /** Statements that have written it, hidden ones too. */
  readonly writes: number;
  /** Those that have come to it by a view, function, trigger, rule or cascade: nobody knows how many rows. */
  readonly hidden: number;
  /** Those that failed: rows that they had written until then are counted by the server. */
  readonly failed: number;
  /** Statements that touched it in any way. */
  readonly touches: number;
}

/** What all is counted from. The work of `own` and `unseen` had reached the server's counters when those were read. */
export interface Baseline {
  readonly at: number;
  /** Changes when the statistics begin anew, or another server has taken the place. */
  readonly server: string;
  readonly writes: number;
  readonly scans: number;
  /** Rows written in related tables, by the server. */
  readonly relatedWrites: number;
  readonly own: OwnWork;
  /** Statements on this database that could not be seen through. */
  readonly unseen: number;
  /** The table was mirrored then: what came after may be the relay's. Absent in baselines of older versions. */
  readonly mirrored?: boolean;
  /** What has been found since; it is judged anew with each comparison. */
  readonly found: Found;
}

export interface Found {
  /** Rows. */
  readonly writes: number;
  readonly writesAt: number | null;
  /** Nothing that pgfig let pass can have written them. */
  readonly certain: boolean;
  readonly scans: number;
  readonly scansAt: number | null;
}

/**
 * Why growth could not be judged.
 * 'hidden': triggers, cascades or functions of statements through pgfig have written the table.
 * 'failed': statements through pgfig failed, and may have written rows until then.
 * 'foreign-keys': tables that are tied to it were written, and the checks may have scanned it.
 * 'mirror': pgfig's own relay reads the table, or writes it as a copy.
 * 'unseen': statements through pgfig that could not be seen through may have done it: what was found may be theirs.
 */
export type Doubt = 'hidden' | 'failed' | 'foreign-keys' | 'mirror' | 'unseen';

/** What is known of one table of one database. */
export interface Activity {
  readonly database: string;
  readonly table: string;
  /** When its watching began. */
  readonly since: number;
  readonly comparedAt: number;
  /** When its statistics were last seen to have begun anew. */
  readonly restartedAt: number | null;
  /** null: none could be taken yet. */
  readonly baseline: Baseline | null;
  /** Found before the baseline. */
  readonly before: Found;
  /** Of the last comparison that left something unjudged. */
  readonly doubts: readonly Doubt[];
  readonly doubtsAt: number | null;
  readonly lastScan: number | null;
}

export const NOTHING_FOUND: Found = Object.freeze({
  writes: 0,
  writesAt: null,
  certain: false,
  scans: 0,
  scansAt: null,
});
export const NO_WORK: OwnWork = Object.freeze({ rows: 0, writes: 0, hidden: 0, failed: 0, touches: 0 });

/** All that was found of it. */
export function foundOf({ before, baseline }: Activity): Found {
  const now = baseline?.found ?? NOTHING_FOUND;
  return {
    writes: before.writes + now.writes,
    writesAt: now.writesAt ?? before.writesAt,
    certain: before.certain || now.certain,
    scans: before.scans + now.scans,
    scansAt: now.scansAt ?? before.scansAt,
  };
}
