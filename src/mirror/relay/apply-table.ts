import type pg from 'pg';
import { crashPoint } from '../crash-points.js';
import { copiedColumns, ident, type KeyColumn, qualified, type TableShape } from '../shape/table-shape.js';
import { copyThrough } from './copy-through.js';
import {
  aliasColumns,
  columnList,
  eventsSince,
  keyAlias,
  keyOf,
  keyUpTo,
  type Since,
  sameKey,
  tableColumns,
  typedKey,
} from './events-sql.js';
import { leafBound } from './leaf-bound.js';
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
  /** Only keys that are not greater than this one, which texts of its columns tell; null: all keys. */
  readonly upTo: readonly string[] | null;
  /** The target may have rows that the source does not, and which stand in the way of others. */
  readonly stale: boolean;
  /**
   * The position may be that of a turn that was cut. Then what is below it may be younger than a TRUNCATE above it, and
   * of rows that it has brought no event is left.
   */
  readonly afterCut: boolean;
}

/**
 * Makes a table of the target as the source is at the turn's moment, in as far as events tell that it has changed: rows
 * of the keys are deleted, and put there anew as they are in the source. What the source can hold at one moment, no
 * constraint of an equal table refuses.
 */
export async function applyTable(pair: Pair, shape: TableShape, range: Range, waiting: Waiting): Promise<void> {
  const truncated = waiting.emptied || waiting.leaves.length > 0;
  if (truncated && range.afterCut) return refill(pair, shape, range);
  if (waiting.emptied) await pair.target.query(`DELETE FROM ${qualified(shape)}`);
  for (const leaf of waiting.leaves) {
    if (!(await emptyLeaf(pair, shape, leaf))) return refill(pair, shape, range);
  }
  const keys = changedKeys(shape, range);
  await deleteKeys(pair, shape, keys);
  crashPoint('keys-sent');
  const rows = `FROM (${keys}) k JOIN ${qualified(shape)} t ON ${sameKey(keyOf(shape))}`;
  if (range.stale) await clearWay(pair, shape, rows);
  await copyRows(pair, shape, rows);
  crashPoint('rows-sent');
}

/** `SELECT DISTINCT key AS k0, ...` of what has changed. */
function changedKeys(shape: TableShape, { since, cut, upTo }: Range): string {
  const key = keyOf(shape);
  const typed = typedKey(key, 'e.key');
  const distinct = `SELECT DISTINCT ${typed} FROM (${eventsSince([since], cut)}) e WHERE e.op <> 'T'`;
  if (upTo === null) return distinct;
  return `SELECT k.* FROM (${distinct}) k WHERE ${keyUpTo({ key, columns: aliasColumns(key), values: upTo })}`;
}

let keyTables = 0;

/** The keys travel to a temporary table of the target, whose rows are deleted. */
export async function deleteKeys(pair: Pair, shape: TableShape, keys: string): Promise<void> {
  await deleteBy(pair, shape, keyOf(shape), keys);
}

/**
 * Rows of the target that have a unique value which a row of the source is to bring are in the way: the source has no
 * such row under another key, so they are stale, and come again with their own key if they are in the source at all.
 * @param rows `FROM ... t ...`: the rows to come
 */
export async function clearWay(pair: Pair, shape: TableShape, rows: string): Promise<void> {
  for (const { columns: key, nullsEqual } of shape.otherKeys) {
    const columns = key.map(({ name }, at) => `t.${ident(name)} AS ${keyAlias(at)}`).join(', ');
    const keys = await deleteBy(pair, shape, key, `SELECT ${columns} ${rows}`);
    if (nullsEqual) await deleteByNulls(pair.target, shape, key, keys);
  }
}

/** @returns the temporary table that the keys are in, until the transaction ends */
async function deleteBy(
  { source, target }: Pair,
  shape: TableShape,
  key: readonly KeyColumn[],
  keys: string,
): Promise<string> {
  const name = `pgfig_keys_${++keyTables}`;
  const columns = key.map(({ type }, at) => `${keyAlias(at)} ${type}`).join(', ');
  await target.query(`CREATE TEMP TABLE ${name} (${columns}) ON COMMIT DROP`);
  await copyThrough(source.client, `COPY (${keys}) TO STDOUT`, target, `COPY pg_temp.${name} FROM STDIN`);
  await target.query(`DELETE FROM ${qualified(shape)} t USING pg_temp.${name} k WHERE ${sameKey(key)}`);
  return `pg_temp.${name}`;
}

/** The same where NULL equals NULL: one statement for each set of columns that hold it, which can use an index. */
async function deleteByNulls(
  target: pg.Client,
  shape: TableShape,
  key: readonly KeyColumn[],
  keys: string,
): Promise<void> {
  const flags = key.map((_, at) => `${keyAlias(at)} IS NULL`);
  const { rows } = await target.query<{ nulls: boolean[] }>(
    `SELECT DISTINCT ARRAY[${flags.join(', ')}] AS nulls FROM ${keys} WHERE ${flags.join(' OR ')}`,
  );
  for (const { nulls } of rows) {
    const given = key.filter((_, at) => nulls[at] !== true);
    const same = key.flatMap((column, at) => {
      const [own, other] = [`t.${ident(column.name)}`, `k.${keyAlias(at)}`];
      return given.includes(column) ? [`${own} ${column.equals} ${other}`] : [`${own} IS NULL`, `${other} IS NULL`];
    });
    await target.query(`DELETE FROM ${qualified(shape)} t USING ${keys} k WHERE ${same.join(' AND ')}`);
  }
}

/**
 * @param rows `FROM ... t ...`
 * @returns how many
 */
export async function copyRows({ source, target }: Pair, shape: TableShape, rows: string): Promise<number> {
  const read = `COPY (SELECT ${columnList(copiedColumns(shape), 't')} ${rows}) TO STDOUT`;
  return copyThrough(source.client, read, target, copyInto(shape));
}

/** COPY writes identity columns as they are given, GENERATED ALWAYS too. */
const copyInto = (shape: TableShape): string =>
  `COPY ${qualified(shape)} (${columnList(copiedColumns(shape))}) FROM STDIN`;

/** @returns false: what was in the leaf cannot be told from the target's rows */
async function emptyLeaf({ source, target }: Pair, shape: TableShape, leaf: number): Promise<boolean> {
  const bound = await leafBound(source, leaf);
  if (bound === null) return false;
  await target.query(`DELETE FROM ${qualified(shape)} WHERE ${bound}`);
  return true;
}

/** All rows of the table, or of the part that is copied, anew. */
async function refill(pair: Pair, shape: TableShape, { upTo }: Range): Promise<void> {
  const key = keyOf(shape);
  const part = upTo === null ? '' : ` WHERE ${keyUpTo({ key, columns: tableColumns(key), values: upTo })}`;
  await pair.target.query(`DELETE FROM ${qualified(shape)}`);
  await copyRows(pair, shape, `FROM ${qualified(shape)} t${part}`);
}
