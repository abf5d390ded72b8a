/** One statement that was answered or refused, for the access log. It holds no literal and no parameter. */
export interface StatementRecord {
  /** When it arrived, milliseconds since 1970. */
  readonly time: number;
  /** SessionInfo.id: counted by each worker. */
  readonly session: number;
  readonly service: string;
  readonly user: string;
  /** The database that it went to; '' where it was refused. */
  readonly database: string;
  /** Domain of the first routed table; null where there is none. */
  readonly domain: string | null;
  /** Kind of statement, as `pgfig explain` names it. */
  readonly kind: string;
  /** Tables that it reads and writes: 'schema.table'. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Why it went there, in the route's words. */
  readonly reason: string;
  /** Rows that it gave or changed, as in the command tag. */
  readonly rows: number;
  /** Bytes sent back to the client for it. */
  readonly bytes: number;
  /** From its arrival to its answer. */
  readonly seconds: number;
  /** SQLSTATE; null where it went well. */
  readonly error: string | null;
  /** Of the text without its literals: 16 hexadecimal digits. */
  readonly fingerprint: string;
}
