import { LRUCache } from 'lru-cache';
import pg from 'pg';
import { AUTH_QUERY_SETTINGS, type AuthQueryRow, readAuthRow } from '../auth/auth-query.js';
import { pgClientOptions, secondTlsTry } from '../backend/pg-client.js';
import type { Config } from '../config/config.js';
import { PgfigError } from '../errors/pgfig-error.js';

export type AuthQuery = (user: string) => Promise<AuthQueryRow | null>;

/** A changed password counts after this long; a storm of connects costs one query per user. */
const REMEMBER_MS = 5_000;
const MOST_USERS = 10_000;
const CONNECTIONS = 2;

/**
 * Looks a user's verifier up with `auth.query` on the control database.
 * The search_path is pinned to pg_catalog: a function or table that a user planted in `public` must not
 * answer for the one that the operator meant.
 * The function throws BACKEND_UNREACHABLE when the query cannot be run, which is not remembered; `end`
 * closes the connections.
 */
export function openAuthQuery(config: Config): { lookUp: AuthQuery; end(): Promise<void> } | null {
  const text = config.auth.query;
  if (text === null) return null;
  const pool = new ControlPool(config);
  const cache = new LRUCache<string, { readonly result: AuthQueryRow | null }>({
    max: MOST_USERS,
    ttl: REMEMBER_MS,
    fetchMethod: async (user) => ({ result: await run(pool, text, user) }),
  });
  return {
    lookUp: async (user) => (await cache.fetch(user))?.result ?? null,
    end: () => pool.end(),
  };
}

async function run(pool: ControlPool, text: string, user: string): Promise<AuthQueryRow | null> {
  let rows: unknown[][];
  try {
    rows = await pool.query({ text, values: [user], rowMode: 'array' });
  } catch (cause) {
    throw new PgfigError('BACKEND_UNREACHABLE', 'auth_query could not be run on the control database', { cause });
  }
  // An operator's own query may give more rows than were asked for.
  const row = rows.find(([name]) => name === user);
  return row === undefined ? null : readAuthRow(row, user);
}

/** As `options` of a connection: blanks within a value are escaped. */
const OPTIONS = AUTH_QUERY_SETTINGS.map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`).join(' ');

/** A few connections to the control database, with search_path pinned and sslmode's second try. */
class ControlPool {
  readonly #config: Config;
  #pool: pg.Pool | null = null;

  constructor(config: Config) {
    this.#config = config;
  }

  async query(query: pg.QueryArrayConfig): Promise<unknown[][]> {
    this.#pool ??= this.#open(null);
    try {
      return (await this.#pool.query(query)).rows;
    } catch (error) {
      const ssl = secondTlsTry(this.#config.control, error);
      if (ssl === null) throw error;
      this.#close();
      this.#pool = this.#open(ssl);
      return (await this.#pool.query(query)).rows;
    }
  }

  async end(): Promise<void> {
    await this.#pool?.end();
    this.#pool = null;
  }

  #open(ssl: pg.ClientConfig['ssl'] | null): pg.Pool {
    const options = pgClientOptions(this.#config, this.#config.control, 'pgfig auth_query');
    const pool = new pg.Pool({
      ...options,
      ...(ssl === null ? {} : { ssl }),
      max: CONNECTIONS,
      options: OPTIONS,
      allowExitOnIdle: true,
    });
    pool.on('error', () => {});
    return pool;
  }

  #close(): void {
    this.#pool?.end().catch(() => {});
    this.#pool = null;
  }
}
