import type { MirrorRefusalCode } from '../../routing/mirroring.js';

/**
 * Why the copy lacks what a statement has changed: a refusal of the router's, or
 *  - error: the new database answered with an error where the monolith did not
 *  - rows: it changed another number of rows
 *  - timeout: it did not answer in `statementTimeout`
 *  - unreachable: no connection, or none is tried because the last ones failed
 *  - lost: the connection broke
 *  - commit: its COMMIT failed, or nobody knows whether it did, after that of the monolith
 *  - transaction: another statement of the same transaction was not repeated, so none of it was
 *  - unknown: the monolith's own COMMIT was not answered
 */
export type DivergenceReason =
  | MirrorRefusalCode
  | 'error'
  | 'rows'
  | 'timeout'
  | 'unreachable'
  | 'lost'
  | 'commit'
  | 'transaction'
  | 'prepared-transaction'
  | 'unknown';

/** A statement was not run on the new database, or not with the same result. */
export interface MirrorFailure {
  readonly reason: DivergenceReason;
  /** For people; a sentence's end. */
  readonly why: string;
  readonly sqlstate: string | null;
}

/** What is committed in the monolith and missing from the copy; equal ones of a transaction are one, counted. */
export interface StatementDivergence {
  readonly domain: string;
  /** 'schema.table', the first that the statement writes; null where it may write any, unseen. */
  readonly table: string | null;
  /** The new database. */
  readonly database: string;
  /** Of the text without its literals: the same as in the matrix and the access log. */
  readonly fingerprint: string;
  readonly reason: DivergenceReason;
  readonly why: string;
  readonly sqlstate: string | null;
  readonly service: string;
  /** What the statements' WHERE clauses and rows say of the rows concerned, 'id=42'; some of them, where known. */
  readonly keys: readonly string[];
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export const failureOf = (reason: DivergenceReason, why: string, sqlstate: string | null = null): MirrorFailure => ({
  reason,
  why,
  sqlstate,
});
