/**
 * Every error that pgfig itself can show, in one table: code -> SQLSTATE, severity, hint, retryable.
 *
 * `retryable` says whether a client may send the same statement again at once: only what failed
 * before the first byte went to a backend is.
 * SQLSTATEs: PostgreSQL documentation, appendix A.
 */
export interface ErrorSpec {
  readonly sqlstate: string;
  readonly severity: 'ERROR' | 'FATAL';
  readonly hint?: string;
  readonly retryable: boolean;
}

const error = (sqlstate: string, hint?: string, retryable = false): ErrorSpec =>
  hint === undefined ? { sqlstate, severity: 'ERROR', retryable } : { sqlstate, severity: 'ERROR', hint, retryable };
const fatal = (sqlstate: string, hint?: string, retryable = false): ErrorSpec =>
  hint === undefined ? { sqlstate, severity: 'FATAL', retryable } : { sqlstate, severity: 'FATAL', hint, retryable };

export const ERROR_TABLE = {
  // The protocol
  PROTOCOL_VIOLATION: fatal('08P01'),
  PROTOCOL_VIOLATION_IN_QUERY: error('08P01'),
  UNSUPPORTED_PROTOCOL: fatal('0A000'),
  STARTUP_TOO_LARGE: fatal('08P01'),
  AUTH_TIMEOUT: fatal('08006'),
  TLS_REQUIRED: fatal('28000', 'Connect with sslmode=require or stronger.'),
  // Who may come in
  AUTH_FAILED: fatal('28P01'),
  AUTH_NOT_ALLOWED: fatal('28000'),
  TOO_MANY_CLIENTS: fatal('53300', 'Raise limits.clients in pgfig.yaml, or close connections.', true),
  TOO_MANY_CLIENTS_OF_USER: fatal('53300', 'Raise limits.clientsPerUser in pgfig.yaml, or close connections.', true),
  SHUTTING_DOWN: fatal('57P01', undefined, true),
  CANNOT_CONNECT_NOW: fatal('57P03', undefined, true),
  IDLE_IN_TRANSACTION_TIMEOUT: fatal('25P03'),
  IDLE_SESSION_TIMEOUT: fatal('57P05'),
  UNKNOWN_DATABASE: fatal('3D000'),
  INVALID_OPTIONS: fatal('42601', 'Look at the connection parameter "options" (PGOPTIONS).'),
  // The mirror
  RELAY_LOST: error('40001', undefined, true),
  RELAY_ROLLED_BACK: error('40000', undefined, true),
  BACKFILL_REFUSED: error('55000'),
  BACKFILL_STALLED: error('55000'),
  // Routing
  NO_COMMON_HOME: error('0A000', undefined, true),
  SECOND_WRITER: error('0A000', undefined, true),
  SPLIT_NOT_POSSIBLE: error('0A000', 'Send the statements one by one.', true),
  NO_COMMON_SNAPSHOT: error('0A000', 'Use READ COMMITTED, or keep the transaction on tables of one database.', true),
  HIDDEN_WRITE: error('0A000', undefined, true),
  NOT_OVER_SEVERAL_DATABASES: error('0A000', undefined, true),
  TYPE_DIFFERS: error('0A000', undefined, true),
  CACHED_PLAN_CHANGED: error('0A000'),
  // Backends
  BACKEND_UNREACHABLE: error(
    '08006',
    'The database is down or cannot be reached from pgfig; other databases still answer.',
    true,
  ),
  BACKEND_LOGIN_FAILED: error('08006', undefined, true),
  BACKEND_LOST: error('08006'),
  /** A backend's own error, passed on in pgfig's answer; brings its SQLSTATE along. */
  BACKEND_ANSWERED: error('XX000'),
  BACKEND_LOST_WITH_STATE: fatal('57P01'),
  COMMIT_UNKNOWN: fatal('08007', 'The transaction may or may not have been committed; look before you repeat it.'),
  CANCELED: error('57014', undefined, true),
  // Emulated where the proxy answers in Postgres's place
  IN_FAILED_TRANSACTION: error('25P02'),
  NO_ACTIVE_TRANSACTION: error('25P01'),
  ACTIVE_TRANSACTION: error('25001'),
  NO_SUCH_SAVEPOINT: error('3B001'),
  UNDEFINED_STATEMENT: error('26000'),
  DUPLICATE_STATEMENT: error('42P05'),
  UNDEFINED_CURSOR: error('34000'),
  DUPLICATE_CURSOR: error('42P03'),
  // The console
  UNKNOWN_COMMAND: error('42601', 'SHOW HELP lists the commands of the console.'),
  CONSOLE_UNAVAILABLE: error('57P03', 'It may be starting anew; try again in a moment.', true),
  INTERNAL: error('XX000', 'This is a bug of pgfig; please report it with the log lines around it.'),
  // What was seen of the traffic
  MATRIX_UNREADABLE: error('F0000'),
  /** Nothing, or more than one thing, has the name that a command was given. */
  NAME_UNKNOWN: error('42P01'),
  // Jobs: only the operator sees them
  NOT_COMPARABLE: error('0A000', 'pgfig check lists what differs between the two.'),
  NOT_REPAIRABLE: error('0A000'),
  // The mirror: told to the operator
  /** A domain cannot be mirrored as it is; the message has every reason. */
  MIRROR_REFUSED: error('F0000'),
  /** Something else holds what is needed for longer than one waits. */
  MIRROR_BUSY: error('55P03', undefined, true),
  // Events
  EVENTS_NOT_CAPTURED: error('55000', 'Run pgfig mirror install DOMAIN, or take events: out of its rule.'),
  OUTBOX_UNFIT: error('55000'),
  // Configuration: these never reach a client, only the operator
  CONFIG_INVALID: error('F0000'),
  RULES_INVALID: error('F0000'),
  PORT_IN_USE: error('F0000'),
  ADMIN_UNREACHABLE: error('08006', 'Is pgfig running, with the same admin.host and admin.port?'),
  FILE_UNREADABLE: error('58P01'),
  FILE_EXISTS: error('58P02', 'Name another folder, or remove the file.'),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERROR_TABLE;
