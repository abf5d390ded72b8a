/**
 * One entry of a server log, in whichever form it was written: csvlog, jsonlog, or lines with a prefix. Texts are
 * bytes, as they came. All of it is valid until the reader's callback returns; who keeps bytes copies them.
 *
 * PostgreSQL documentation, "Error Reporting and Logging": "Using CSV-Format Log Output" and what follows.
 */
export interface LogEntry {
  /** Milliseconds since 1970; NaN where the log does not say. */
  readonly time: number;
  /** What tells sessions apart: the session id, or the process's; '' for entries of no session. */
  readonly session: string;
  readonly user: string;
  /** null: the log does not say which. */
  readonly database: string | null;
  readonly application: string;
  /** Of the client, without its port. */
  readonly address: string;
  /** Command tag, or what the process was about: 'SELECT', 'PARSE', 'BIND', 'idle'; '' where not known. */
  readonly tag: string;
  /** Virtual transaction id; '' outside of a transaction, or where not known. */
  readonly transaction: string;
  /** 'LOG', 'ERROR', 'FATAL' ...; in the language of lc_messages. */
  readonly severity: string;
  /** '' where not known. */
  readonly sqlstate: string;
  /** 'client backend', 'autovacuum worker' ...; '' where not known (before PostgreSQL 13). */
  readonly backend: string;
  readonly message: Buffer;
  readonly detail: Buffer | null;
  /** The statement that an error is about. */
  readonly query: Buffer | null;
}

/** Takes the bytes of one log file, in order, and hands out its entries. */
export interface LogReader {
  /** @throws PgfigError FILE_UNREADABLE where this is not such a log */
  push(chunk: Buffer): void;
  /** There is no more. */
  end(): void;
  /** Entries or lines that could not be read, and so are left out. */
  readonly damaged: number;
}

export type OnEntry = (entry: LogEntry) => void;

/** '3/0' is no transaction: the second number is the transaction's own in its process. */
export const transactionOf = (virtualId: string): string => (virtualId.endsWith('/0') ? '' : virtualId);

/** '127.0.0.1:5432', '[::1]:5432' (csvlog writes no brackets: '::1:5432'), '[local]', 'host(5432)'. */
export function addressOf(connection: string): string {
  if (connection.endsWith(')')) return connection.slice(0, connection.lastIndexOf('('));
  const colon = connection.lastIndexOf(':');
  return colon < 0 || connection.startsWith('[local') ? connection : connection.slice(0, colon);
}
