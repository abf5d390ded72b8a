import type pg from 'pg';
import type { TableShape } from '../shape/table-shape.js';
import { rowFunctionName, truncateFunctionName } from './capture-functions.js';
import { dropTrigger } from './capture-table.js';
import { ownTriggers } from './own-triggers.js';
import type { LockPatience } from './short-locks.js';

export interface CapturedTable {
  readonly oid: number;
  readonly table: string;
}

/** What is captured for a mirror, and is none of its tables (any more). @throws what the driver throws */
export async function strayTables(
  source: pg.ClientBase,
  mirror: number,
  shapes: readonly TableShape[],
): Promise<readonly CapturedTable[]> {
  const { rows } = await source.query<{ oid: string; table: string }>(
    `SELECT table_oid::int8::text AS oid, table_name AS "table" FROM pgfig.captured
      WHERE mirror = $1 AND NOT table_oid = ANY ($2::int8[]::oid[]) ORDER BY table_name`,
    [mirror, shapes.map(({ oid }) => oid)],
  );
  return rows.map((row) => ({ oid: Number(row.oid), table: row.table }));
}

/** Rows of one DELETE: a short transaction, which holds back no vacuum. */
const BATCH = 20_000;

/**
 * Removes the capture of one table: triggers, functions, its events, which nobody reads or sweeps any more, its row; then
 * it is as before.
 * @throws PgfigError MIRROR_BUSY
 */
export async function releaseTable(
  source: pg.ClientBase,
  { oid }: CapturedTable,
  patience: LockPatience,
): Promise<void> {
  const functions = [rowFunctionName(oid), truncateFunctionName(oid)];
  for (const trigger of await ownTriggers(source, functions)) {
    if (!trigger.cloned) await dropTrigger(source, trigger, patience);
  }
  for (const name of functions) await source.query(`DROP FUNCTION IF EXISTS pgfig.${name}()`);
  await deleteEvents(source, oid);
  await source.query('DELETE FROM pgfig.captured WHERE table_oid = $1::int8::oid', [oid]);
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
