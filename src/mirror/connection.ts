import type pg from 'pg';
import { connectPg } from '../backend/pg-client.js';
import type { Config } from '../config/config.js';
import { PgfigError } from '../errors/pgfig-error.js';
import { refuseForeignSchema } from './capture/checks/ownership-problems.js';

/**
 * Values must read the same on both sides, whatever the role's or the database's own settings are: text that leaves
 * one server is read by the other. `row_security = off` makes a hidden row an error. `search_path` is pinned, so that
 * nobody's operator or function is called in place of the system's.
 * No time-out of the role's own ends a session; some of them are of later versions, which `current_setting` tells.
 * Source: shared/mirror-semantics.md, "All pgfig connections".
 */
const PINNED: Readonly<Record<string, string>> = {
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
  client_encoding: 'UTF8',
  search_path: 'pg_catalog',
  row_security: 'off',
  synchronous_commit: 'on',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  quote_all_identifiers: 'off',
  jit: 'off',
};

export interface MirrorTimeouts {
  /** Milliseconds; 0: none. The client gives up a little later than the server: one that hangs does not speak. */
  readonly statement?: number;
  /**
   * Milliseconds; above the server's deadlock_timeout (1 s unless set), or autovacuum is never made to give way.
   */
  readonly lock?: number;
}

/** A dead peer is noticed within about this time. */
const KEEPALIVE = { tcp_keepalives_idle: '5', tcp_keepalives_interval: '2', tcp_keepalives_count: '3' };
const LOCK_TIMEOUT_MS = 1_500;
const LATER_MS = 5_000;

/**
 * A connection of the mirror's: settings pinned, no pooler between, and schema pgfig there, if there is one, is our own.
 * The caller ends it.
 * @throws PgfigError UNKNOWN_DATABASE, MIRROR_REFUSED where somebody else has prepared the schema; what the driver throws
 */
export async function openMirrorClient(
  config: Config,
  database: string,
  name: string,
  timeouts: MirrorTimeouts = {},
): Promise<pg.Client> {
  const client = await openPinned(config, database, name, timeouts);
  return orEnd(client, () => refuseForeignSchema({ client, name: database }));
}

async function openPinned(
  config: Config,
  database: string,
  name: string,
  { statement = 0, lock = LOCK_TIMEOUT_MS }: MirrorTimeouts = {},
): Promise<pg.Client> {
  const found = config.databases.get(database);
  if (found === undefined) throw new PgfigError('UNKNOWN_DATABASE', `pgfig.yaml has no database ${database}`);
  const client = await connectPg(config, found, name, {
    statement_timeout: 0,
    query_timeout: statement === 0 ? 0 : statement + LATER_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  });
  const settings = { ...PINNED, ...KEEPALIVE, statement_timeout: String(statement), lock_timeout: String(lock) };
  return orEnd(client, () =>
    client.query(
      `SELECT pg_catalog.set_config(name, value, false)
         FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) AS s (name, value)
        WHERE pg_catalog.current_setting(name, true) IS NOT NULL`,
      [Object.keys(settings), Object.values(settings)],
    ),
  );
}

async function orEnd(client: pg.Client, work: () => Promise<unknown>): Promise<pg.Client> {
  try {
    await work();
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
}

/**
 * Opens both sides of a mirror, source first, and closes them.
 * @throws what openMirrorClient and `work` throw; what is wrong with schema pgfig on both sides at once
 */
export async function withBoth<T>(
  config: Config,
  { domain, source, target }: { readonly domain: string; readonly source: string; readonly target: string },
  work: (source: pg.Client, target: pg.Client) => Promise<T>,
): Promise<T> {
  const open: pg.Client[] = [];
  try {
    for (const database of [source, target]) {
      open.push(await openPinned(config, database, `pgfig mirror ${domain}`));
    }
    const [from, to] = open;
    if (from === undefined || to === undefined) throw new PgfigError('INTERNAL', 'no connection');
    await refuseForeignSchema({ client: from, name: source }, { client: to, name: target });
    return await work(from, to);
  } finally {
    await Promise.all(open.map((client) => client.end().catch(() => {})));
  }
}

/** The settings that a function must pin so that its texts are the same whoever calls it: name -> value. */
export const TEXT_SETTINGS: Readonly<Record<string, string>> = Object.freeze(
  Object.fromEntries(
    ['DateStyle', 'IntervalStyle', 'TimeZone', 'extra_float_digits', 'bytea_output', 'lc_monetary'].map((name) => [
      name,
      PINNED[name] ?? '',
    ]),
  ),
);
