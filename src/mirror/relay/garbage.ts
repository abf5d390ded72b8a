import { crashPoint } from '../crash-points.js';
import { meet, parseSnapshot, type Snapshot, snapshotText } from '../position/snapshot.js';
import type { RelayTable } from './relay-table.js';
import type { SourceSide } from './source-side.js';

/** Rows of one DELETE: a short transaction on the source. */
const BATCH = 5_000;

/** Sees nothing. */
const NOTHING: Snapshot = { xmin: 3n, xmax: 3n, xip: [] };

/** A captured table. */
interface Captured {
  readonly oid: number;
  readonly name: string;
  /** Of its events all that this sees may be gone, whoever deleted them. */
  readonly swept: Snapshot;
}

/** What a leader has deleted of each table's events: all that this sees. By oid. */
export type Swept = Map<number, Snapshot>;

/**
 * Deletes of the outbox what every consumer has passed.
 *
 * How far that went is written to pgfig.captured by the statement that deletes: a target that goes back (a standby
 * promoted too early, a restored backup) is found out by it. `done` remembers what this process has deleted for good, so
 * that the index's dead entries are not walked again.
 * @param source a connection of its own, with no transaction open
 * @param position the domain's, which is in the target for good
 * @returns rows deleted
 */
export async function sweep(
  source: SourceSide,
  mirror: number,
  tables: readonly RelayTable[],
  position: Snapshot,
  done: Swept,
): Promise<number> {
  const consumers = await consumersOf(source, mirror);
  const known = new Map(tables.map((table) => [table.name, table]));
  crashPoint('before-garbage');
  let deleted = 0;
  for (const captured of await capturedTables(source, mirror)) {
    const table = known.get(captured.name);
    // Not registered with the relay yet.
    if (table === undefined) continue;
    const own = table.position ?? position;
    const passed = consumers.filter(concerns(captured.name)).reduce((seen, one) => meet(seen, one.position), own);
    deleted += await sweepTable(source, captured.oid, done.get(captured.oid) ?? NOTHING, passed);
    done.set(captured.oid, passed);
  }
  crashPoint('after-garbage');
  return deleted;
}

interface Consumer {
  readonly name: string;
  readonly position: Snapshot;
}

async function consumersOf(source: SourceSide, mirror: number): Promise<Consumer[]> {
  const rows = await source.rows(`SELECT consumer, position::text FROM pgfig.consumers WHERE mirror = ${mirror}`);
  return rows.map(([name, position]) => ({ name: name ?? '', position: parseSnapshot(position ?? '') }));
}

/** A consumer may have a position of its own for one table, as `kafka:schema.table`. */
const concerns =
  (table: string) =>
  ({ name }: Consumer): boolean =>
    !name.includes(':') || name.endsWith(`:${table}`);

/** What is captured for a mirror, and how far each table's events may be gone. */
export async function capturedTables(source: SourceSide, mirror: number): Promise<Captured[]> {
  const rows = await source.rows(
    `SELECT table_oid::text, table_name, swept::text FROM pgfig.captured WHERE mirror = ${mirror} ORDER BY table_name`,
  );
  return rows.map(([oid, name, swept]) => ({
    oid: Number(oid),
    name: name ?? '',
    swept: swept == null ? NOTHING : parseSnapshot(swept),
  }));
}

async function sweepTable(source: SourceSide, oid: number, done: Snapshot, passed: Snapshot): Promise<number> {
  let deleted = 0;
  const late = done.xip.filter((xid) => xid < passed.xmax);
  if (late.length > 0) {
    const range = `o.xid = ANY ('{${late.join(',')}}'::xid8[])`;
    for (let rows = BATCH; rows === BATCH; deleted += rows) ({ rows } = await batch(source, oid, passed, range));
  }
  for (let from = done.xmax, rows = BATCH; rows === BATCH; deleted += rows) {
    const range = `o.xid >= '${from}'::xid8 AND o.xid < '${passed.xmax}'::xid8`;
    const gone = await batch(source, oid, passed, range);
    rows = gone.rows;
    from = gone.last ?? from;
  }
  return deleted;
}

/**
 * Deletes one batch of a range, from its lowest transaction on.
 * @returns how many rows, and the highest transaction of them
 */
async function batch(
  source: SourceSide,
  oid: number,
  passed: Snapshot,
  range: string,
): Promise<{ rows: number; last: bigint | null }> {
  const seen = snapshotText(passed);
  const [found] = await source.rows(
    `WITH gone AS (
       DELETE FROM pgfig.outbox WHERE ctid = ANY (ARRAY(
         SELECT o.ctid FROM pgfig.outbox o WHERE o.tbl = '${oid}'::oid AND ${range}
            AND pg_visible_in_snapshot(o.xid, '${seen}') ORDER BY o.xid LIMIT ${BATCH})) RETURNING xid),
     mark AS (
       UPDATE pgfig.captured SET swept = '${seen}' WHERE table_oid = ${oid} AND EXISTS (SELECT FROM gone))
     SELECT (SELECT count(*) FROM gone)::text, (SELECT g.xid FROM gone g ORDER BY g.xid DESC LIMIT 1)::text`,
  );
  const [rows, last] = found ?? [];
  return { rows: Number(rows ?? 0), last: last == null ? null : BigInt(last) };
}
