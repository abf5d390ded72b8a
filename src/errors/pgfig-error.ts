import { ERROR_TABLE, type ErrorCode, type ErrorSpec } from './error-table.js';

export interface ErrorDetails {
  /** Postgres's DETAIL line. */
  readonly detail?: string;
  /** Replaces the table's hint. */
  readonly hint?: string;
  /** Character position in the query string, from 1, as ErrorResponse field P counts. */
  readonly position?: number;
  readonly cause?: unknown;
  /** Replaces the table's SQLSTATE: the error of a backend that is passed on. */
  readonly sqlstate?: string;
}

/**
 * The one error class of pgfig: a code of the error table and a sentence that says what and where.
 * Whatever may reach a client or an operator is thrown as this; anything else that escapes is a bug.
 */
export class PgfigError extends Error {
  readonly code: ErrorCode;
  readonly sqlstate: string;
  readonly severity: 'ERROR' | 'FATAL';
  readonly retryable: boolean;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly position: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const spec: ErrorSpec = ERROR_TABLE[code];
    this.name = 'PgfigError';
    this.code = code;
    this.sqlstate = details.sqlstate ?? spec.sqlstate;
    this.severity = spec.severity;
    this.retryable = spec.retryable;
    this.detail = details.detail;
    this.hint = details.hint ?? spec.hint;
    this.position = details.position;
  }
}
