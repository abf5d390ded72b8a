import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import type { Config, DatabaseConfig } from '../config/config.js';
import { backendTlsOptions } from './backend-tls.js';

/** How long pgfig's own statements (catalog, auth_query) may take. */
const STATEMENT_TIMEOUT_MS = 5_000;
/** The client gives up a little later than the server, which should speak first. */
const QUERY_TIMEOUT_MS = 7_000;

/**
 * pgfig's own connections, by the `pg` driver: never on a session's path.
 *
 * Where the database's url names no user, sessions log in as themselves; pgfig itself then uses the user
 * of the control url, and without one what libpq would (PGUSER, the system's user; PGPASSWORD).
 */
export function pgClientOptions(config: Config, database: DatabaseConfig, name: string): pg.ClientConfig {
  const account = database.user === null ? config.control : database;
  return {
    host: database.host,
    port: database.port,
    database: database.dbname,
    ...(account.user === null ? {} : { user: account.user }),
    ...(account.password === null ? {} : { password: account.password }),
    application_name: name,
    connectionTimeoutMillis: database.connectTimeout,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    ssl: firstTlsTry(database),
  };
}

/**
 * Connects as `sslmode` says, `allow` and `prefer` with their second try (libpq, "SSL Support").
 * The caller ends the client. Throws what the driver throws, and PgfigError FILE_UNREADABLE for a certificate.
 * @param more options of the driver that replace pgfig's own, such as other time-outs
 */
export async function connectPg(
  config: Config,
  database: DatabaseConfig,
  name: string,
  more: pg.ClientConfig = {},
): Promise<pg.Client> {
  const options = { ...pgClientOptions(config, database, name), ...more };
  try {
    return await open(options);
  } catch (error) {
    const second = secondTlsTry(database, error);
    if (second === null) throw error;
    return open({ ...options, ssl: second });
  }
}

async function open(options: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(options);
  // A connection that dies between two queries is told here only; the next query fails then.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
}

function firstTlsTry(database: DatabaseConfig): ConnectionOptions | false {
  return database.sslmode === 'disable' || database.sslmode === 'allow' ? false : backendTlsOptions(database);
}

/** What `allow` and `prefer` try after that error; null: nothing. */
export function secondTlsTry(database: DatabaseConfig, error: unknown): ConnectionOptions | false | null {
  if (!(error instanceof Error)) return null;
  if (database.sslmode === 'prefer' && /does not support SSL/i.test(error.message)) return false;
  // 28000: pg_hba.conf has no entry for the connection without TLS.
  if (database.sslmode === 'allow' && 'code' in error && error.code === '28000') {
    return backendTlsOptions(database);
  }
  return null;
}
