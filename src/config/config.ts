/** `pgfig.yaml`, validated and with its defaults filled in. Durations are milliseconds, sizes bytes. */

export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
export type ClientTlsMode = 'disable' | 'allow' | 'require' | 'verify-ca' | 'verify-full';
export type AuthMethod = 'trust' | 'scram-sha-256' | 'md5' | 'password' | 'cert';

export interface ListenTls {
  readonly mode: ClientTlsMode;
  readonly cert: string;
  readonly key: string;
  /** CA file that client certificates must chain to. */
  readonly ca: string | null;
}

export interface ListenConfig {
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly backlog: number;
  readonly tls: ListenTls | null;
}

export interface AdminConfig {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  /** Who may use the console (database `pgfig`) beyond logging in; null: every client. */
  readonly users: readonly string[] | null;
}

export interface DatabaseConfig {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
  /** A user in the url is used for every session; null: the client's own. */
  readonly user: string | null;
  readonly password: string | null;
  readonly sslmode: SslMode;
  readonly sslrootcert: string | null;
  readonly sslcert: string | null;
  readonly sslkey: string | null;
  readonly connectTimeout: number;
}

export interface AuthConfig {
  readonly method: AuthMethod;
  /** Path of a userlist file in PgBouncer's format. */
  readonly users: string | null;
  /** Query with one parameter $1 = user name that gives (user, verifier [, valid until]); run on the control database. */
  readonly query: string | null;
}

export interface LimitsConfig {
  readonly clients: number;
  readonly clientsPerUser: number;
  readonly authTimeout: number;
  /** How long SIGTERM waits for transactions to end. */
  readonly drainTimeout: number;
}

export interface CacheConfig {
  readonly entries: number;
  readonly bytes: number;
}

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

/** What a service is called; all conditions that are not null must hold. */
export interface ServiceRule {
  /** `$1` to `$9` stand for the groups of `applicationName`. */
  readonly name: string;
  /** Source of a regular expression. */
  readonly applicationName: string | null;
  /** Source of a regular expression. */
  readonly user: string | null;
  /** Addresses and networks (`10.1.0.0/16`); one of them must be the client's. */
  readonly address: readonly string[] | null;
}

export interface MatrixConfig {
  readonly enabled: boolean;
  readonly flushInterval: number;
  /** Whole name, with the prefix; null: not sent to Kafka. */
  readonly topic: string | null;
}

export interface AccessLogFile {
  /** Absolute; each worker puts its number before the extension. */
  readonly path: string;
  readonly maxSize: number;
  readonly maxFiles: number;
  readonly compress: boolean;
}

/** At least one of `file` and `kafka` is there. */
export interface AccessLogConfig {
  readonly file: AccessLogFile | null;
  /** `topic`: its whole name, with the prefix. */
  readonly kafka: { readonly topic: string } | null;
  /** Percentage of the statements. */
  readonly sample: number;
  /** service -> percentage in place of `sample`. */
  readonly services: Readonly<Record<string, number>>;
  /** Records that may wait. */
  readonly queue: number;
}

export interface KafkaSsl {
  /** Absolute paths; null: the system's authorities, no client certificate. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly clientId: string;
  readonly ssl: KafkaSsl | null;
  readonly sasl: KafkaSasl | null;
}

/** Comparing copies by a schedule. */
export interface VerifyConfig {
  /** A cron expression. */
  readonly schedule: string;
  /** Percentage of the chunks. */
  readonly sample: number;
}

export interface Config {
  /** Absolute path of the file that this came from; relative paths in it are resolved against its folder. */
  readonly file: string;
  readonly listen: ListenConfig;
  readonly admin: AdminConfig;
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  /** Name of the default database. */
  readonly default: string;
  /** Absolute path of the rules folder. */
  readonly rules: string;
  /** service name -> database that its sessions log in to first. */
  readonly homes: ReadonlyMap<string, string>;
  readonly auth: AuthConfig;
  /** Connection for catalog, jobs, state. */
  readonly control: DatabaseConfig;
  readonly limits: LimitsConfig;
  readonly cache: CacheConfig;
  readonly log: LogConfig;
  /** In order: the first that matches gives the name. */
  readonly services: readonly ServiceRule[];
  /** null: only when it is asked for. */
  readonly verify: VerifyConfig | null;
  readonly matrix: MatrixConfig;
  readonly accessLog: AccessLogConfig | null;
  readonly kafka: KafkaConfig | null;
}
