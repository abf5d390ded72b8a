import type pg from 'pg';
import { crashPoint } from '../crash-points.js';
import { copiedColumns, qualified, type TableShape } from '../shape/table-shape.js';
import { copyThrough } from './copy-through.js';
import { columnList, eventsSince, keyAlias, keyOf, type Since, sameKey, typedKey } from './events-sql.js';
import type { SourceSide, Waiting } from './source-side.js';

/** Both ends of a turn, each in its transaction. */
export interface Pair {
  readonly source: SourceSide;
  readonly target: pg.Client;
}

/** Which changes of a table are applied. */
export interface Range {
  readonly since: Since;
  /** Only transactions below this one; null: all. */
  readonly cut: bigint | null;
  /** A condition on the key's columns `k.k0`, ...; null: all keys. */
  readonly keys: string | null;
}

/**
 * Makes a table of the target as the source is at the turn's moment, in as far as events tell that it has changed: rows
 * of the keys are deleted, and put there anew as they are in the source. What the source can hold at one moment, no
 * constraint of an equal table refuses.
 */
export async function applyTable(pair: Pair, shape: TableShape, range: Range, waiting: Waiting): Promise<void> {
  if (waiting.emptied) await pair.target.query(`DELETE FROM ${qualified(shape)}`);
  for (const leaf of waiting.leaves) {
    if (!(await emptyLeaf(pair, shape, leaf))) return refill(pair, shape);
  }
  await deleteKeys(pair, shape, changedKeys(shape, range));
  crashPoint('keys-sent');
  await copyRows(pair, shape, changedKeys(shape, range));
  crashPoint('rows-sent');
}

/** `SELECT DISTINCT key AS k0, ...` of what has changed. */
function changedKeys(shape: TableShape, { since, cut, keys }: Range): string {
  const typed = typedKey(keyOf(shape), 'e.key');
  const distinct = `SELECT DISTINCT ${typed} FROM (${eventsSince([since], cut)}) e WHERE e.op <> 'T'`;
  return keys === null ? distinct : `SELECT k.* FROM (${distinct}) k WHERE ${keys}`;
}

let keyTables = 0;

/** The keys travel to a temporary table of the target, whose rows are deleted. */
export async function deleteKeys({ source, target }: Pair, shape: TableShape, keys: string): Promise<void> {
  const key = keyOf(shape);
  const name = `pgfig_keys_${++keyTables}`;
  const temp = `pg_temp.${name}`;
  const columns = key.map(({ type }, at) => `${keyAlias(at)} ${type}`).join(', ');
  await target.query(`CREATE TEMP TABLE ${name} (${columns}) ON COMMIT DROP`);
  await copyThrough(source.client, `COPY (${keys}) TO STDOUT`, target, `COPY ${temp} FROM STDIN`);
  await target.query(`DELETE FROM ${qualified(shape)} t USING ${temp} k WHERE ${sameKey(key)}`);
}

async function copyRows({ source, target }: Pair, shape: TableShape, keys: string): Promise<void> {
  const columns = copiedColumns(shape);
  const rows = `SELECT ${columnList(columns, 't')} FROM (${keys}) k JOIN ${qualified(shape)} t ON ${sameKey(keyOf(shape))}`;
  await copyThrough(source.client, `COPY (${rows}) TO STDOUT`, target, copyInto(shape));
}

/** COPY writes identity columns as they are given, GENERATED ALWAYS too. */
export const copyInto = (shape: TableShape): string =>
  `COPY ${qualified(shape)} (${columnList(copiedColumns(shape))}) FROM STDIN`;

/** @returns false: what was in the leaf cannot be told from the rows (hash partitions) */
async function emptyLeaf({ source, target }: Pair, shape: TableShape, leaf: number): Promise<boolean> {
  const [row] = await source.rows(`SELECT pg_get_partition_constraintdef('${leaf}'::oid)`);
  const constraint = row?.[0];
  if (constraint == null || constraint.includes('satisfies_hash_partition')) return false;
  await target.query(`DELETE FROM ${qualified(shape)} WHERE ${constraint}`);
  return true;
}

/** All rows of the table, anew. */
async function refill({ source, target }: Pair, shape: TableShape): Promise<void> {
  await target.query(`DELETE FROM ${qualified(shape)}`);
  const rows = `SELECT ${columnList(copiedColumns(shape))} FROM ${qualified(shape)}`;
  await copyThrough(source.client, `COPY (${rows}) TO STDOUT`, target, copyInto(shape));
}
