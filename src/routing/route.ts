import type { PgfigError } from '../errors/pgfig-error.js';

/** A table that a statement touches, for the matrix. */
export interface RouteTouch {
  /** 'schema.table' */
  readonly table: string;
  /** Locks count as reads. */
  readonly access: 'read' | 'write';
  /** It stands for what it reads, which is touched as well. */
  readonly view: boolean;
  /** Catalogs say that there is none: a typing error, most often. */
  readonly unknown: boolean;
  /** The statement names it; otherwise it comes in through a view, function, trigger, rule or cascade. */
  readonly named: boolean;
}

/**
 * The decision for one statement, frozen. What it does not say: which of the links a session has open
 * is used for target 'any', and whether the transaction may have this writer; the session decides these.
 */
export interface Route {
  /**
   * 'database': to `database`.
   * 'any':      touches no table: to the link last used, else home.
   * 'every':    to every database with a routed domain (LISTEN, DISCARD ALL ...).
   * 'refused':  `error` says why.
   */
  readonly target: 'database' | 'any' | 'every' | 'refused';
  readonly database: string | null;
  /** Databases that could serve it, `database` first: what a session with a link open may choose from. */
  readonly homes: readonly string[];
  /** Counts as a write for the second-writer rule (locks included). */
  readonly writes: boolean;
  readonly error: PgfigError | null;
  /** One sentence for people: `pgfig explain`, the log. */
  readonly reason: string;
  /** Domain of the first routed table, null when none: a label of the metrics. */
  readonly domain: string | null;
  /** Resolved names, 'schema.table'. */
  readonly reads: readonly string[];
  readonly written: readonly string[];
  /** Every table of users that it touches, once for each access: no temporary or system relation, no sequence. */
  readonly touches: readonly RouteTouch[];
  /** Domains of which it writes or locks a table. */
  readonly writtenDomains: readonly string[];
  /** Domains of which it writes a table; locks change nothing. */
  readonly changedDomains: readonly string[];
  /** Runs something that may change search_path in ways that the statement does not show. */
  readonly movesNames: boolean;
  /** Why part of it could not be seen through; null where all could. */
  readonly opaque: string | null;
}
