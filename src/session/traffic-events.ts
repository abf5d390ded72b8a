import type { PgfigError } from '../errors/pgfig-error.js';
import type { StatementDivergence } from './mirror/divergence.js';
import type { StatementRecord } from './statement-record.js';

/** What is known of a session from outside. */
export interface SessionInfo {
  readonly id: number;
  readonly pid: number;
  readonly user: string;
  readonly database: string;
  /** application_name, or the user where there is none; it changes when that is set. */
  service: string;
  readonly peer: string;
  readonly tls: boolean;
}

/** Typed events out of the session layer; their sinks (logs, metrics) are wired in main. */
export interface TrafficEvents {
  sessionOpened(session: SessionInfo): void;
  sessionClosed(session: SessionInfo, reason: string): void;
  authFailed(info: { user: string | null; peer: string; reason: string }): void;
  refused(session: SessionInfo, error: PgfigError): void;
  backendFailed(database: string, error: Error): void;
  /** DDL was committed: the catalog is old. */
  ddlSeen(): void;
  /** The monolith has committed what the copy of a domain with `capture: statement` lacks. */
  diverged?(divergence: StatementDivergence): void;
  warning(text: string, fields: Record<string, unknown>): void;
  /** A statement was answered or refused; told only of those that `TrafficOptions.accessLog` wants. */
  statementDone?(record: StatementRecord): void;
  /** One line per message, in libpq's trace style. */
  trace?(sessionId: number, direction: 'F' | 'B', peer: string, line: string): void;
}
