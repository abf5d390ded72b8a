import { ident, literal, qualified, type TableShape } from '../shape/table-shape.js';
import { clearWay, copyRows, deleteKeys, type Pair } from './apply-table.js';
import { columnList, keyAfter, keyAlias, keyOf, keyUpTo, sameKey, tableColumns } from './events-sql.js';
import type { BackfillState } from './relay-table.js';
import { RAW } from './source-side.js';

/** Keys of one chunk of the target's that are looked for in the source: they pass through this process's memory. */
const MOST_EXTRAS = 5_000;

/** What a chunk did: where the next one begins. */
export interface ChunkDone {
  readonly rows: number;
  /** Texts of the last key; null: there is nothing beyond. */
  readonly key: readonly string[] | null;
}

/**
 * The next rows of the source by its key, in the source's own order: into a target that has nothing of them (`fresh`),
 * or in the place of what it has.
 */
export async function copyChunk(pair: Pair, shape: TableShape, state: BackfillState, most: number): Promise<ChunkDone> {
  const key = keyOf(shape);
  const columns = tableColumns(key);
  const from = `FROM ${qualified(shape)} t`;
  const after = state.key === null ? [] : [keyAfter({ key, columns, values: state.key })];
  const last = await lastKey(pair, `${from}${where(after)}`, columns, most);
  const upTo = last === null ? [] : [keyUpTo({ key, columns, values: last })];
  const rows = `${from}${where([...after, ...upTo])}`;
  if (state.pass === 'replace') {
    const keys = key.map(({ name }, at) => `t.${ident(name)} AS ${keyAlias(at)}`).join(', ');
    await deleteKeys(pair, shape, `SELECT ${keys} ${rows}`);
    await clearWay(pair, shape, rows);
  }
  return { rows: await copyRows(pair, shape, rows), key: last };
}

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;

/** The key of row `most`; null where there are fewer. */
async function lastKey(
  { source }: Pair,
  rows: string,
  columns: readonly string[],
  most: number,
): Promise<string[] | null> {
  const list = columns.join(', ');
  const [found] = await source.rows(`SELECT ${list} ${rows} ORDER BY ${list} OFFSET ${most - 1} LIMIT 1`);
  return found === undefined ? null : found.map((value) => value ?? '');
}

/**
 * The next keys of the target, in its own order: what the source does not have is deleted. Only keys travel, and are
 * compared as their type compares, so that it does not matter whether both sides sort texts alike.
 */
export async function deleteExtras(
  { source, target }: Pair,
  shape: TableShape,
  state: BackfillState,
  most: number,
): Promise<ChunkDone> {
  const key = keyOf(shape);
  const columns = tableColumns(key);
  const after = state.key === null ? [] : [keyAfter({ key, columns, values: state.key })];
  const limit = Math.min(most, MOST_EXTRAS);
  const { rows: keys } = await target.query<string[]>({
    text: `SELECT ${columnList(key, 't')} FROM ${qualified(shape)} t${where(after)} ORDER BY ${columns.join(', ')} LIMIT ${limit}`,
    rowMode: 'array',
    types: RAW,
  });
  const last = keys.at(-1);
  if (last === undefined) return { rows: 0, key: null };
  const extra = await source.rows(
    `SELECT ${key.map((_, at) => `k.${keyAlias(at)}`).join(', ')} FROM (${listed(shape, keys)}) k ` +
      `WHERE NOT EXISTS (SELECT FROM ${qualified(shape)} t WHERE ${sameKey(key)})`,
  );
  if (extra.length > 0) {
    await target.query(`DELETE FROM ${qualified(shape)} t USING (${listed(shape, extra)}) k WHERE ${sameKey(key)}`);
  }
  return { rows: 0, key: keys.length < limit ? null : last };
}

/** Keys as rows of a query. */
function listed(shape: TableShape, keys: readonly (readonly (string | null)[])[]): string {
  const key = keyOf(shape);
  const arrays = key.map((_, at) => `ARRAY[${keys.map((values) => literal(values[at] ?? '')).join(',')}]::text[]`);
  const typed = key.map(({ type }, at) => `e.c${at}::${type} AS ${keyAlias(at)}`).join(', ');
  return `SELECT ${typed} FROM unnest(${arrays.join(', ')}) AS e (${key.map((_, at) => `c${at}`).join(', ')})`;
}
