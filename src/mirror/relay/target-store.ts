import type pg from 'pg';
import { parseSnapshot, type Snapshot, snapshotText } from '../position/snapshot.js';
import { literal, type TableShape } from '../shape/table-shape.js';
import type { BackfillState, RelayRow, RelayTable, Remedy, TableState } from './relay-table.js';
import type { Stamp } from './stamp.js';

/**
 * The relay's own rows in the target. They change in the transaction that applies a turn, so that a crash leaves both
 * or neither.
 */

const RELAY = `
SELECT mirror, source_system AS "sourceSystem", source_database AS "sourceDatabase",
       source_timeline AS "sourceTimeline", position::text AS position, whole,
       (extract(epoch FROM moment) * 1000)::float8 AS moment, turns::float8 AS turns
  FROM pgfig.relay WHERE domain = $1`;

const TABLES = `
SELECT table_name AS name, state, reason, remedy, stamp, shape, position::text AS position, backfill
  FROM pgfig.relay_tables WHERE domain = $1 ORDER BY table_name`;

interface RelayTableRow {
  readonly name: string;
  readonly state: TableState;
  readonly reason: string | null;
  readonly remedy: Remedy | null;
  readonly stamp: string | null;
  readonly shape: TableShape | null;
  readonly position: string | null;
  readonly backfill: BackfillState | null;
}

/** @returns null: nothing is installed for that domain. @throws what the driver throws */
export async function readRelay(client: pg.ClientBase, domain: string): Promise<RelayRow | null> {
  const { rows } = await client.query<Omit<RelayRow, 'position'> & { position: string }>(RELAY, [domain]);
  const [row] = rows;
  return row === undefined ? null : { ...row, position: parseSnapshot(row.position) };
}

/** @throws what the driver throws */
export async function readTables(client: pg.ClientBase, domain: string): Promise<RelayTable[]> {
  const { rows } = await client.query<RelayTableRow>(TABLES, [domain]);
  return rows.map((row) => ({
    ...row,
    stamp: row.stamp === null ? null : (JSON.parse(row.stamp) as Stamp),
    position: row.position === null ? null : parseSnapshot(row.position),
  }));
}

/** The relay of a domain is this one from now on: no other owner's turn is applied any more. */
export async function takeOwnership(client: pg.ClientBase, domain: string, owner: string): Promise<RelayRow | null> {
  await client.query('UPDATE pgfig.relay SET owner = $2 WHERE domain = $1', [domain, owner]);
  return readRelay(client, domain);
}

export interface Advance {
  readonly domain: string;
  readonly owner: string;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly lsn: string;
  /** Milliseconds since 1970. */
  readonly moment: number;
  readonly whole: boolean;
}

/** The compare-and-set of a turn, to be the first statement of its transaction: it raises PF001 where it fails. */
export const advanceSql = ({ domain, owner, before, after, lsn, moment, whole }: Advance): string =>
  `SELECT pgfig.take_turn(${literal(domain)}, '${owner}', '${snapshotText(before)}', '${snapshotText(after)}', ` +
  `'${lsn}', to_timestamp(${moment / 1000}), ${whole})`;

/**
 * A table's row becomes this one, if its state, position and backfill are still those of `before`: two that work on one
 * table at once, one of them a relay that woke up late, cannot both succeed. On an idle source the positions of two may
 * be the same; two backfills have begun at different times.
 */
export function tableSql(domain: string, before: RelayTable, after: RelayTable): string {
  const was = before.position === null ? 'position IS NULL' : `position::text = '${snapshotText(before.position)}'`;
  return (
    `UPDATE pgfig.relay_tables SET state = '${after.state}', reason = ${orNull(after.reason)}, ` +
    `remedy = ${orNull(after.remedy)}, stamp = ${orNull(json(after.stamp))}, shape = ${orNull(json(after.shape))}, ` +
    `position = ${orNull(after.position && snapshotText(after.position))}, ` +
    `backfill = ${orNull(json(after.backfill))}, ` +
    `changed_at = CASE WHEN state = '${after.state}' THEN changed_at ELSE now() END ` +
    `WHERE domain = ${literal(domain)} AND table_name = ${literal(after.name)} AND state = '${before.state}' ` +
    `AND backfill IS NOT DISTINCT FROM ${orNull(json(before.backfill))}::jsonb AND ${was}`
  );
}

const json = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));
const orNull = (text: string | null): string => (text === null ? 'NULL' : literal(text));
