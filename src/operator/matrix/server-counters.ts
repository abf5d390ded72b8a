import type pg from 'pg';
import { tableKey } from '../../rules/table-name.js';
import type { TableCounters } from './activity.js';

/** What one server has counted at one moment. */
export interface ServerCounters {
  /** By the server's clock, ms since 1970. */
  readonly at: number;
  /** See Baseline.server. */
  readonly server: string;
  readonly tables: ReadonlyMap<string, TableCounters>;
  /** Partitioned table -> its partitions, down to the last. */
  readonly partitions: ReadonlyMap<string, readonly string[]>;
}

/**
 * An idle connection hands its counts over within 10 s, a busy one after a minute at the latest (PGSTAT_IDLE_INTERVAL
 * and PGSTAT_MAX_INTERVAL, pgstat.c). Before PostgreSQL 15 an idle one keeps those of its last half second for itself.
 */
const IDLE_HANDS_OVER = "interval '11 seconds'";
const BUSY_HANDS_OVER = "interval '70 seconds'";

/**
 * Connections whose counts from before `$1` may not have reached the server's counters: transactions still open,
 * prepared ones, connections that were busy until just now, and those of which this user may see nothing. pgfig's own
 * touch no table of users.
 */
const UNSETTLED = `
  SELECT (SELECT count(*) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND coalesce(backend_type, 'client backend') = 'client backend'
             AND application_name NOT LIKE 'pgfig %'
             AND coalesce(backend_start < to_timestamp($1)
                          AND NOT (state = 'idle' AND state_change < clock_timestamp() - ${IDLE_HANDS_OVER})
                          AND coalesce(xact_start, state_change) < to_timestamp($1) + ${BUSY_HANDS_OVER}, true))
       + (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())`;

const SERVER = `
  SELECT extract(epoch FROM clock_timestamp())::float8 * 1000,
         concat_ws(' ', pg_postmaster_start_time(), (SELECT stats_reset FROM pg_stat_database
                                                      WHERE datname = current_database())),
         current_setting('server_version_num')::int`;

const LAST_SCAN = 'extract(epoch FROM greatest(last_seq_scan, last_idx_scan))::float8 * 1000';

const counters = (version: number): string => `
  SELECT n.nspname, k.relname, rn.nspname, r.relname, (n_tup_ins + n_tup_upd + n_tup_del)::float8,
         (coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::float8, ${version >= 160_000 ? LAST_SCAN : 'NULL'}
    FROM pg_stat_user_tables s
    JOIN pg_class k ON k.oid = s.relid
    JOIN pg_namespace n ON n.oid = k.relnamespace
    JOIN pg_class r ON r.oid = CASE WHEN k.relispartition THEN coalesce(pg_partition_root(k.oid), k.oid) ELSE k.oid END
    JOIN pg_namespace rn ON rn.oid = r.relnamespace
   WHERE n.nspname <> 'pgfig' AND n.nspname !~ '^pg_'`;

/** What capture and relay have registered in this database; schema pgfig is not there where nothing is mirrored. */
const MIRRORED = `
  SELECT n.nspname, k.relname
    FROM pg_trigger t JOIN pg_class k ON k.oid = t.tgrelid JOIN pg_namespace n ON n.oid = k.relnamespace
   WHERE t.tgname IN ('pgfig_capture', 'pgfig_guard') AND NOT t.tgisinternal`;

/** Keys of partitions repeat those of the whole. */
const FOREIGN_KEYS = `
  SELECT DISTINCT an.nspname, a.relname, bn.nspname, b.relname
    FROM pg_constraint f
    JOIN pg_class a ON a.oid = f.conrelid JOIN pg_namespace an ON an.oid = a.relnamespace
    JOIN pg_class b ON b.oid = f.confrelid JOIN pg_namespace bn ON bn.oid = b.relnamespace
   WHERE f.contype = 'f' AND f.conparentid = 0`;

type CounterRow = [string, string, string, string, number, number, number | null];

/** The server's clock, ms since 1970. @throws what the driver throws */
export async function serverTime(client: pg.ClientBase): Promise<number> {
  return (await rowsOf<[number]>(client, 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000'))[0]?.[0] ?? 0;
}

/** Whether all work that was done before `moment` is in the counters. @throws what the driver throws */
export async function hasSettled(client: pg.ClientBase, moment: number): Promise<boolean> {
  return Number((await rowsOf<[string]>(client, UNSETTLED, [moment / 1000]))[0]?.[0]) === 0;
}

/** Reads statistics and system catalogs alone: no table of users is locked. @throws what the driver throws */
export async function readServerCounters(client: pg.ClientBase): Promise<ServerCounters> {
  const [about] = await rowsOf<[number, string, number]>(client, SERVER);
  const [at, server, version] = about ?? [0, '', 0];
  const rows = await rowsOf<CounterRow>(client, counters(version));
  const roots = rootsOf(rows);
  const related = relatedTables(await rowsOf<[string, string, string, string]>(client, FOREIGN_KEYS), roots);
  const partitions = new Map<string, string[]>();
  for (const [partition, root] of roots) partitions.set(root, [...(partitions.get(root) ?? []), partition]);
  const mirrored = new Set(
    (await rowsOf<[string, string]>(client, MIRRORED)).map(([schema, name]) => tableKey(schema, name)),
  );
  return { at, server, tables: tablesOf(rows, related, mirrored), partitions };
}

/** Each statement by itself: within a transaction the server would show the same counters again and again. */
async function rowsOf<R extends unknown[]>(client: pg.ClientBase, text: string, values?: unknown[]): Promise<R[]> {
  return (await client.query<R>({ text, rowMode: 'array', ...(values && { values }) })).rows;
}

function rootsOf(rows: readonly CounterRow[]): ReadonlyMap<string, string> {
  const pairs = rows.map(([a, b, c, d]): [string, string] => [tableKey(a, b), tableKey(c, d)]);
  return new Map(pairs.filter(([table, root]) => table !== root));
}

function relatedTables(
  keys: readonly (readonly [string, string, string, string])[],
  roots: ReadonlyMap<string, string>,
): ReadonlyMap<string, Set<string>> {
  const related = new Map<string, Set<string>>();
  const add = (table: string, other: string): void => {
    related.set(table, (related.get(table) ?? new Set()).add(other));
  };
  for (const [a, b, c, d] of keys) {
    const [from, to] = [tableKey(a, b), tableKey(c, d)].map((table) => roots.get(table) ?? table) as [string, string];
    add(from, to);
    add(to, from);
  }
  return related;
}

function tablesOf(
  rows: readonly CounterRow[],
  related: ReadonlyMap<string, ReadonlySet<string>>,
  mirrored: ReadonlySet<string>,
): ReadonlyMap<string, TableCounters> {
  const tables = new Map<string, TableCounters>();
  for (const [schema, name, rootSchema, rootName, writes, scans, last] of rows) {
    const root = tableKey(rootSchema, rootName);
    const sum = tables.get(root);
    tables.set(root, {
      writes: (sum?.writes ?? 0) + writes,
      scans: (sum?.scans ?? 0) + scans,
      lastScan: Math.max(sum?.lastScan ?? 0, last ?? 0) || null,
      partitioned: sum?.partitioned === true || root !== tableKey(schema, name),
      related: [...(related.get(root) ?? [])],
      mirrored: mirrored.has(root),
    });
  }
  return tables;
}
