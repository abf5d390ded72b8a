import type pg from 'pg';
import type { Config } from '../../config/config.js';
import { withBoth } from '../connection.js';
import type { Mirror } from '../mirror.js';
import { eventsSince } from './events-sql.js';
import { RELAY_LOCK } from './lease.js';
import type { RelayRow, RelayTable } from './relay-table.js';
import { readRelay, readTables } from './target-store.js';

/** What a relay has to do with one table, seen from outside. */
export interface TableView extends Pick<RelayTable, 'state' | 'reason' | 'remedy' | 'backfill'> {
  /** 'schema.table' */
  readonly table: string;
  /** Changes that wait, counted up to MOST_WAITING. */
  readonly waiting: number;
}

export interface RelayView {
  readonly domain: string;
  /** When the source was as the copy is, as ISO text. */
  readonly moment: string;
  /** Age of that moment in seconds, by the clocks of the two servers. */
  readonly lagSeconds: number;
  /** False: a backlog is being taken in parts; the copy equals no one moment. */
  readonly whole: boolean;
  readonly turns: number;
  /** Where the relay runs: application_name and address of its connection to the source; null: nowhere. */
  readonly leader: string | null;
  readonly outboxBytes: number;
  readonly tables: readonly TableView[];
}

/** Counting more would be work for the source. */
export const MOST_WAITING = 100_000;

/** Where the relay of a domain stands, as the two databases have it. Null: nothing is installed. */
export async function relayView(config: Config, mirror: Mirror): Promise<RelayView | null> {
  return withBoth(config, mirror, async (source, target) => {
    const row = await registered(target, mirror.domain);
    if (row === null) return null;
    const tables: TableView[] = [];
    for (const table of await readTables(target, mirror.domain)) tables.push(await tableView(source, row, table));
    const { rows } = await source.query<{ leader: string | null; bytes: number; now: number }>(
      `SELECT (SELECT format('%s, %s', a.application_name, coalesce(host(a.client_addr), 'local'))
                 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE l.locktype = 'advisory' AND l.classid = ${RELAY_LOCK} AND l.objid = $1 AND l.granted
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS leader,
              pg_total_relation_size('pgfig.outbox')::float8 AS bytes,
              (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
      [row.mirror],
    );
    const { leader = null, bytes = 0, now = row.moment } = rows[0] ?? {};
    const { whole, turns, moment } = row;
    return {
      ...{ domain: mirror.domain, whole, turns, leader, tables, outboxBytes: bytes },
      moment: new Date(moment).toISOString(),
      lagSeconds: Math.max(0, now - moment) / 1_000,
    };
  });
}

async function registered(target: pg.ClientBase, domain: string): Promise<RelayRow | null> {
  const { rows } = await target.query<{ there: boolean }>("SELECT to_regclass('pgfig.relay') IS NOT NULL AS there");
  return rows[0]?.there === true ? readRelay(target, domain) : null;
}

async function tableView(source: pg.ClientBase, row: RelayRow, table: RelayTable): Promise<TableView> {
  const { name, state, reason, remedy, backfill, shape, position } = table;
  const view = { table: name, state, reason, remedy, backfill };
  if (shape === null || state === 'new') return { ...view, waiting: 0 };
  const events = eventsSince([{ oid: shape.oid, position: position ?? row.position }], null);
  const { rows } = await source.query<{ waiting: number }>(
    `SELECT count(*)::int4 AS waiting FROM (${events} LIMIT ${MOST_WAITING}) e`,
  );
  return { ...view, waiting: rows[0]?.waiting ?? 0 };
}

/** What a retry made of the stalled tables of a domain. */
export interface Retried {
  /** They are tried again by the relay's next turn. */
  readonly tables: readonly string[];
  /** Another try would not do: rows may have changed unseen. They are to be copied again. */
  readonly needBackfill: readonly string[];
}

/** Lets stalled tables be tried again at once, whatever pause the relay makes. @throws what the driver throws */
export async function retryStalled(config: Config, mirror: Mirror): Promise<Retried | null> {
  return withBoth(config, mirror, async (_, target) => {
    if ((await registered(target, mirror.domain)) === null) return null;
    const retried = await target.query<{ name: string }>(
      `UPDATE pgfig.relay_tables SET state = 'in-step', reason = NULL, remedy = NULL, changed_at = now()
        WHERE domain = $1 AND state = 'stalled' AND remedy = 'retry' RETURNING table_name AS name`,
      [mirror.domain],
    );
    const { rows } = await target.query<{ name: string }>(
      "SELECT table_name AS name FROM pgfig.relay_tables WHERE domain = $1 AND state = 'stalled' ORDER BY 1",
      [mirror.domain],
    );
    return { tables: retried.rows.map(({ name }) => name).toSorted(), needBackfill: rows.map(({ name }) => name) };
  });
}
