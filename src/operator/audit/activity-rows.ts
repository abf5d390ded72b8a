import type pg from 'pg';
import { tableKey } from '../../rules/table-name.js';

/** A row of pg_stat_activity. Times in ms since 1970; null where this user may not see it. */
export interface ActivityRow {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  /** Address, or 'local' for a Unix socket. */
  readonly client: string;
  readonly state: string | null;
  /** Of the statement that it runs, or ran last. */
  readonly queryAt: number | null;
  readonly query: string | null;
  readonly startedAt: number | null;
  /** A replication connection (pg_stat_activity.backend_type 'walsender'). */
  readonly replicates: boolean;
  /** 'schema.table' of what it holds a lock on, or waits for. */
  readonly locks: readonly string[];
}

export interface ActivityReading {
  readonly rows: readonly ActivityRow[];
  /** Longer texts are cut (track_activity_query_size), bytes. */
  readonly longestText: number;
}

/** pgfig's own connections are called 'pgfig ...' (backend/pg-client.ts). */
const ACTIVITY = `
  SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), coalesce(host(client_addr), 'local'), state,
         extract(epoch FROM query_start)::float8 * 1000,
         CASE WHEN backend_type IS NOT NULL THEN query END, extract(epoch FROM backend_start)::float8 * 1000,
         coalesce(backend_type = 'walsender', false)
    FROM pg_stat_activity
   WHERE datname = current_database() AND pid <> pg_backend_pid()
     AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')
     AND application_name NOT LIKE 'pgfig %'
   ORDER BY pid`;

const LOCKS = `
  SELECT DISTINCT l.pid, n.nspname, c.relname
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

const LONGEST_TEXT = "SELECT setting::int FROM pg_settings WHERE name = 'track_activity_query_size'";

type Row = [number, string, string, string, string | null, number | null, string | null, number | null, boolean];

/** The client connections of one database, but pgfig's own. @throws what the driver throws */
export async function readActivity(client: pg.ClientBase): Promise<ActivityReading> {
  const [longest] = await rowsOf<[number]>(client, LONGEST_TEXT);
  const activity = await rowsOf<Row>(client, ACTIVITY);
  const locks = new Map<number, string[]>();
  for (const [pid, schema, name] of await rowsOf<[number, string, string]>(client, LOCKS)) {
    locks.set(pid, [...(locks.get(pid) ?? []), tableKey(schema, name)]);
  }
  const rows = activity.map(([pid, user, application, address, state, queryAt, query, startedAt, replicates]) => ({
    ...{ pid, user, application, client: address, state, queryAt, query, startedAt, replicates },
    locks: locks.get(pid) ?? [],
  }));
  return { rows, longestText: longest?.[0] ?? 1024 };
}

async function rowsOf<R extends unknown[]>(client: pg.ClientBase, text: string): Promise<R[]> {
  return (await client.query<R>({ text, rowMode: 'array' })).rows;
}
