import type pg from 'pg';
import { type Column, copiedColumns, ident, literal, qualified, type TableShape } from '../shape/table-shape.js';
import { columnList, keyOf, sameKey, typedKey } from './events-sql.js';
import { GENERIC_PLANS, Prepared } from './prepared.js';
import type { SourceSide, WaitingEvent } from './source-side.js';

/**
 * The short path of a turn of a few keys: each side has two messages, and the target's first goes while the source is
 * asked for the rows, so that a turn takes the time of three round trips. Values stay the text that the source's output functions wrote, and are read by the target's input functions,
 * as in COPY.
 */

/** More events than these stream. */
export const SMALL_TURN = 200;
/** The rows pass through this process's memory. */
const MOST_BYTES = 512 * 1024;

export interface SmallTable {
  readonly shape: TableShape;
  readonly keys: readonly string[];
}

/** @returns the keys by table; null: not for the short path */
export function smallTables(
  events: readonly WaitingEvent[],
  shapes: ReadonlyMap<number, TableShape>,
): SmallTable[] | null {
  const keys = new Map<number, Set<string>>();
  for (const { oid, op, key } of events) {
    if (op === 'T' || key === null) return null;
    const known = keys.get(oid);
    if (known === undefined) keys.set(oid, new Set([key]));
    else known.add(key);
  }
  const tables: SmallTable[] = [];
  for (const [oid, texts] of keys) {
    const shape = shapes.get(oid);
    if (shape === undefined) return null;
    tables.push({ shape, keys: [...texts] });
  }
  return tables;
}

/** What the target is to do, rows of the tables in order. */
export type SmallRows = readonly {
  readonly table: SmallTable;
  readonly rows: readonly (readonly (string | null)[])[];
}[];

/**
 * Reads the rows, ends the source's transaction, and waits until what it saw is on the source's disk.
 * @param lsn the moment's
 * @returns null: the rows are too big
 */
export async function readSmall(
  source: SourceSide,
  tables: readonly SmallTable[],
  lsn: string,
): Promise<SmallRows | null> {
  const texts = tables.map(({ shape }) => rowsSql(shape));
  const names = await source.prepared(texts, KEYS);
  const calls = tables.map(({ keys }, at) => `EXECUTE ${names[at]} (${keyList(keys)})`);
  const [, ...results] = await source.finish([GENERIC_PLANS, ...calls], lsn);
  let bytes = 0;
  for (const rows of results) bytes += Number(rows[0]?.[0] ?? 0);
  if (bytes > MOST_BYTES) return null;
  return tables.map((table, at) => ({
    table,
    rows: (results[at] ?? []).filter(([, there]) => there !== null).map((row) => row.slice(2)),
  }));
}

/** The statements that take the rows of the keys out of the target, within its transaction. */
export async function removeSmall(target: pg.Client, tables: readonly SmallTable[]): Promise<string[]> {
  const texts = tables.map(({ shape }) => deleteSql(shape));
  const names = await Prepared.of(target).names(texts, KEYS);
  return [GENERIC_PLANS, ...tables.map(({ keys }, at) => `EXECUTE ${names[at]} (${keyList(keys)})`)];
}

/** Those that bring in the rows which the source has, once the keys of all tables are out. */
export const insertSmall = (read: SmallRows): string[] =>
  read.flatMap(({ table, rows }) => (rows.length === 0 ? [] : [insertSql(table.shape, rows)]));

const KEYS = ['text[]'];
const keyList = (keys: readonly string[]): string => `ARRAY[${keys.map(literal).join(',')}]`;

/** `size, there, columns...`; where the size is over the limit there is one row without columns. */
function rowsSql(shape: TableShape): string {
  const columns = copiedColumns(shape);
  const sizes = columns.map(sizeSql).join(' + ') || '0';
  return (
    `WITH r AS MATERIALIZED (SELECT ${columnList(columns, 't')} ` +
    `FROM (${distinctKeys(shape)}) k JOIN ${qualified(shape)} t ON ${sameKey(keyOf(shape))}), ` +
    `s AS (SELECT coalesce(sum(${sizes}), 0) AS pgfig_size FROM r) ` +
    `SELECT s.pgfig_size, r.pgfig_there, ${columnList(columns, 'r')} FROM s ` +
    `LEFT JOIN (SELECT true AS pgfig_there, r.* FROM r) r ON s.pgfig_size <= ${MOST_BYTES}`
  );
}

/** Texts count as they are when they travel: in the table they may be a hundredth of that, compressed. */
function sizeSql({ name, type }: Column): string {
  const size = /^(text|character varying.*|bytea)$/.test(type) ? 'octet_length' : 'pg_column_size';
  return `coalesce(${size}(r.${ident(name)}), 0)`;
}

const distinctKeys = (shape: TableShape): string =>
  `SELECT DISTINCT ${typedKey(keyOf(shape), 'e.key')} FROM unnest($1) e (key)`;

const deleteSql = (shape: TableShape): string =>
  `DELETE FROM ${qualified(shape)} t USING (${distinctKeys(shape)}) k WHERE ${sameKey(keyOf(shape))}`;

function insertSql(shape: TableShape, rows: readonly (readonly (string | null)[])[]): string {
  const values = rows.map((row) => `(${row.map((value) => (value === null ? 'NULL' : literal(value))).join(', ')})`);
  const columns = columnList(copiedColumns(shape));
  return `INSERT INTO ${qualified(shape)} (${columns}) OVERRIDING SYSTEM VALUE VALUES ${values.join(', ')}`;
}
