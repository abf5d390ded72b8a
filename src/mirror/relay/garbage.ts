import { crashPoint } from '../crash-points.js';
import type { Snapshot } from '../position/snapshot.js';
import { meet, parseSnapshot, snapshotText } from '../position/snapshot.js';
import { eventsSince } from './events-sql.js';
import type { RelayTable } from './relay-table.js';
import type { SourceSide } from './source-side.js';

/** Rows of one DELETE: a short transaction on the source. */
const BATCH = 5_000;

/** What has been deleted of a table's events: all that this snapshot sees. */
export type Swept = Map<number, Snapshot>;

/** Sees nothing. */
const NOTHING: Snapshot = { xmin: 3n, xmax: 3n, xip: [] };

/**
 * Deletes of the outbox what every consumer has passed. `swept` remembers what is gone, so that the index's dead entries
 * are not walked again.
 * @param source a connection of its own, with no transaction open
 * @param position the domain's, which is in the target for good
 * @returns rows deleted
 */
export async function sweep(
  source: SourceSide,
  mirror: number,
  tables: readonly RelayTable[],
  position: Snapshot,
  swept: Swept,
): Promise<number> {
  const consumers = await source.rows(`SELECT position::text FROM pgfig.consumers WHERE mirror = ${mirror}`);
  const all = consumers.reduce((seen, [text]) => meet(seen, parseSnapshot(text ?? '')), position);
  crashPoint('before-garbage');
  const captured = await source.rows(`SELECT table_name, table_oid::text FROM pgfig.captured WHERE mirror = ${mirror}`);
  const oids = new Map(captured.map(([name, oid]) => [name, Number(oid)]));
  let deleted = 0;
  for (const { name, state, shape, position: own } of tables) {
    // Nothing of a new table is copied: its backfill begins with a position of its own, later than the domain's.
    const oid = shape?.oid ?? (state === 'new' ? oids.get(name) : undefined);
    if (oid === undefined) continue;
    const passed = own === null ? all : meet(all, own);
    deleted += await sweepTable(source, oid, swept.get(oid) ?? NOTHING, passed);
    swept.set(oid, passed);
  }
  crashPoint('after-garbage');
  return deleted;
}

async function sweepTable(source: SourceSide, oid: number, before: Snapshot, passed: Snapshot): Promise<number> {
  const events = eventsSince([{ oid, position: before }], passed.xmax, 'ctid, xid');
  const text =
    `DELETE FROM pgfig.outbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM (${events}) e ` +
    `WHERE pg_visible_in_snapshot(xid, '${snapshotText(passed)}') LIMIT ${BATCH}))`;
  for (let deleted = 0; ; ) {
    const { rowCount } = await source.client.query(text);
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) return deleted;
  }
}
