import type pg from 'pg';
import { readShapes } from '../shape/read-shapes.js';
import type { TableShape } from '../shape/table-shape.js';
import { rowFunctionName, truncateFunctionName } from './capture-functions.js';
import { dropTrigger } from './capture-table.js';
import { ownTriggers } from './own-triggers.js';
import type { LockPatience } from './short-locks.js';

export interface CapturedTable {
  readonly oid: number;
  readonly table: string;
  /** Columns of the key that was recorded. */
  readonly key: readonly string[];
}

/** What is captured for a mirror, and is none of its tables (any more). @throws what the driver throws */
export async function strayTables(
  source: pg.ClientBase,
  mirror: number,
  shapes: readonly TableShape[],
): Promise<readonly CapturedTable[]> {
  const { rows } = await source.query<Omit<CapturedTable, 'oid'> & { oid: string }>(
    `SELECT table_oid::int8::text AS oid, table_name AS "table", key_columns AS key FROM pgfig.captured
      WHERE mirror = $1 AND NOT table_oid = ANY ($2::int8[]::oid[]) ORDER BY table_name`,
    [mirror, shapes.map(({ oid }) => oid)],
  );
  return rows.map((row) => ({ ...row, oid: Number(row.oid) }));
}

/** Rows of one DELETE: a short transaction, which holds back no vacuum. */
const BATCH = 20_000;

/**
 * Removes the capture of one table: triggers, functions, its events, which nobody reads or sweeps any more, its row; then
 * it is as before.
 * @throws PgfigError MIRROR_BUSY
 */
export async function releaseTable(source: pg.ClientBase, table: CapturedTable, patience: LockPatience): Promise<void> {
  await stopRecording(source, table, patience);
  await forgetTable(source, table);
}

/**
 * Removes triggers and functions: the table's changes are recorded no longer. Whoever has written it has ended by then.
 * @returns whether they were recorded until now
 * @throws PgfigError MIRROR_BUSY
 */
export async function stopRecording(
  source: pg.ClientBase,
  { oid }: CapturedTable,
  patience: LockPatience,
): Promise<boolean> {
  const functions = [rowFunctionName(oid), truncateFunctionName(oid)];
  const triggers = await ownTriggers(source, functions);
  for (const trigger of triggers) if (!trigger.cloned) await dropTrigger(source, trigger, patience);
  for (const name of functions) await source.query(`DROP FUNCTION IF EXISTS pgfig.${name}()`);
  return triggers.length > 0;
}

/** Deletes what was recorded of a table that is recorded no longer. @throws what the driver throws */
export async function forgetTable(source: pg.ClientBase, { oid }: CapturedTable): Promise<void> {
  await deleteEvents(source, oid);
  await source.query('DELETE FROM pgfig.captured WHERE table_oid = $1::int8::oid', [oid]);
}

/**
 * What a change feed has not yet sent of what was recorded of a table. It reads the rows by the table's name and key:
 * of one that was dropped, renamed, or given another key meanwhile they can be sent no more.
 * @throws what the driver throws
 */
export async function unsentOf(
  source: pg.ClientBase,
  mirror: number,
  captured: CapturedTable,
): Promise<'none' | 'waits' | 'lost'> {
  if (!(await hasUnsent(source, mirror, captured))) return 'none';
  const shape = (await readShapes(source, [captured.table])).get(captured.table);
  const key = shape?.key?.map(({ name }) => name) ?? [];
  return shape?.oid === captured.oid && key.join('\0') === captured.key.join('\0') ? 'waits' : 'lost';
}

/** A feed that waits with this table has a position of its own for it, `kafka:schema.table`. */
async function hasUnsent(source: pg.ClientBase, mirror: number, { oid, table }: CapturedTable): Promise<boolean> {
  const { rows } = await source.query<{ unsent: boolean }>(
    `WITH own AS (SELECT position FROM pgfig.consumers
                   WHERE mirror = $1 AND substr(consumer, position(':' IN consumer)) = ':' || $3),
          p AS (SELECT position FROM own
                UNION ALL SELECT position FROM pgfig.consumers
                           WHERE mirror = $1 AND position(':' IN consumer) = 0 AND NOT EXISTS (SELECT FROM own))
     SELECT EXISTS (SELECT FROM p WHERE
              EXISTS (SELECT FROM pgfig.outbox o WHERE o.tbl = $2::int8::oid AND o.xid >= pg_snapshot_xmax(p.position))
           OR EXISTS (SELECT FROM pgfig.outbox o WHERE o.tbl = $2::int8::oid
                         AND o.xid = ANY (ARRAY(SELECT pg_snapshot_xip(p.position))))) AS unsent`,
    [mirror, oid, table],
  );
  return rows[0]?.unsent === true;
}

async function deleteEvents(source: pg.ClientBase, oid: number): Promise<void> {
  for (let more = true; more; ) {
    const { rowCount } = await source.query(
      `DELETE FROM pgfig.outbox
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM pgfig.outbox WHERE tbl = $1::int8::oid LIMIT ${BATCH}))`,
      [oid],
    );
    more = (rowCount ?? 0) === BATCH;
  }
}
