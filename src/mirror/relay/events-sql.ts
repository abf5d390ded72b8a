import type { Snapshot } from '../position/snapshot.js';
import type { KeyColumn, TableShape } from '../shape/table-shape.js';
import { ident, literal } from '../shape/table-shape.js';

/** A captured table, and what of its events has been applied. */
export interface Since {
  readonly oid: number;
  readonly position: Snapshot;
}

/**
 * The events that the running snapshot sees and the positions do not: `tbl, op, key, xid`.
 *
 * What a position does not see is from its xmax on, or was under way then: both are ranges of the index (tbl, xid). An
 * `ORDER BY id LIMIT` would walk dead entries while an old snapshot is held.
 * @param cut only transactions below this one; null: all
 */
export function eventsSince(tables: readonly Since[], cut: bigint | null, columns = 'tbl, op, key, xid'): string {
  const parts = ranges(tables, cut, columns);
  return parts.length > 0 ? parts.join(' UNION ALL ') : `SELECT ${columns} FROM pgfig.outbox WHERE false`;
}

/**
 * The transaction ids of one table's events that wait, the least first, one for each event: no more than `most`. Each
 * range is limited by itself: a sort of the whole would read all that waits.
 */
export function firstXids(table: Since, most: number): string {
  const parts = ranges([table], null, 'xid').map((range) => `(${range} ORDER BY xid LIMIT ${most})`);
  return `SELECT u.xid FROM (${parts.join(' UNION ALL ')}) u ORDER BY u.xid LIMIT ${most}`;
}

/** A statement to be prepared: its text, its parameters' types, and their values. */
export interface Asked {
  readonly text: string;
  readonly types: readonly string[];
  readonly values: readonly string[];
}

/**
 * Whether `eventsSince` would find any: an expression whose text does not change with the positions, so that it is
 * planned once. The same ranges of the index, each up to its first entry.
 */
export function anySince(tables: readonly Since[]): Asked {
  const groups = [...byPosition(tables)];
  const ranges = groups.flatMap((_, at) => {
    const [oids, xmax, xip] = [1, 2, 3].map((n) => `$${3 * at + n}`);
    const from = `SELECT FROM pgfig.outbox WHERE tbl = ANY (${oids})`;
    return [`EXISTS (${from} AND xid >= ${xmax})`, `EXISTS (${from} AND xid = ANY (${xip}))`];
  });
  return {
    text: ranges.join(' OR ') || 'false',
    types: groups.flatMap(() => ['oid[]', 'xid8', 'xid8[]']),
    values: groups.flatMap(([{ xmax, xip }, oids]) => [`{${oids.join(',')}}`, `${xmax}`, `{${xip.join(',')}}`]),
  };
}

function ranges(tables: readonly Since[], cut: bigint | null, columns: string): string[] {
  const below = cut === null ? '' : ` AND xid < '${cut}'::xid8`;
  const parts: string[] = [];
  for (const [position, oids] of byPosition(tables)) {
    const from = `SELECT ${columns} FROM pgfig.outbox WHERE ${ofTables(oids)}`;
    parts.push(`${from} AND xid >= '${position.xmax}'::xid8${below}`);
    if (position.xip.length > 0) parts.push(`${from} AND xid = ANY ('{${position.xip.join(',')}}'::xid8[])${below}`);
  }
  return parts;
}

/** Of one table the index has its events in the order of xid; not so for a list, even of one. */
export const ofTables = (oids: readonly number[]): string =>
  oids.length === 1 ? `tbl = '${oids[0]}'::oid` : `tbl = ANY ('{${oids.join(',')}}'::oid[])`;

function byPosition(tables: readonly Since[]): ReadonlyMap<Snapshot, number[]> {
  const groups = new Map<string, { position: Snapshot; oids: number[] }>();
  for (const { oid, position } of tables) {
    const text = `${position.xmax}:${position.xip.join(',')}`;
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { position, oids: [oid] });
    else group.oids.push(oid);
  }
  return new Map([...groups.values()].map(({ position, oids }) => [position, oids]));
}

/** Names of the key's columns where they are apart from the table's own. */
export const keyAlias = (at: number): string => `k${at}`;

/**
 * `expression AS k0, ...`: the typed values of a key's text, as the capture trigger has written it: of one column its
 * own text, of several an array of texts.
 */
export function typedKey(key: readonly KeyColumn[], text: string): string {
  const [only] = key;
  if (key.length === 1 && only !== undefined) return `${text}::${only.type}${collate(only)} AS ${keyAlias(0)}`;
  return key
    .map((column, at) => `(${text}::text[])[${at + 1}]::${column.type}${collate(column)} AS ${keyAlias(at)}`)
    .join(', ');
}

/** What is compared, and taken for equal, as the column is. */
const collate = ({ collation }: KeyColumn): string => (collation === '' ? '' : ` COLLATE ${collation}`);

/** `t."id" OPERATOR(pg_catalog.=) k.k0 AND ...` */
export function sameKey(key: readonly KeyColumn[], table = 't', keys = 'k'): string {
  return key.map(({ name, equals }, at) => `${table}.${ident(name)} ${equals} ${keys}.${keyAlias(at)}`).join(' AND ');
}

/** Texts of a key's columns -> typed literals. */
export const keyLiterals = (key: readonly KeyColumn[], values: readonly string[]): string[] =>
  key.map(({ type }, at) => `${literal(values[at] ?? '')}::${type}`);

/** How a row's key is compared with given values: `columns` are expressions, as `t."id"`, or `k.k0`. */
export interface KeyBound {
  readonly key: readonly KeyColumn[];
  readonly columns: readonly string[];
  /** Texts of the key's columns. */
  readonly values: readonly string[];
}

export const tableColumns = (key: readonly KeyColumn[], table = 't'): string[] =>
  key.map(({ name }) => `${table}.${ident(name)}`);
export const aliasColumns = (key: readonly KeyColumn[], keys = 'k'): string[] =>
  key.map((_, at) => `${keys}.${keyAlias(at)}`);

/** The key is greater than the values, in the key's order. */
export const keyAfter = (bound: KeyBound): string => compareKey(bound, 'greater');

/** The key is not greater than the values. */
export function keyUpTo(bound: KeyBound): string {
  const { key } = bound;
  const less = `NOT ${compareKey(bound, 'greater')}`;
  return sameOperator(key, 'atMost') ? compareKey(bound, 'atMost') : less;
}

/**
 * One row comparison uses the index from its first column to its last; it names one operator for all columns, so a key
 * of types whose operators lie in several schemas is compared column by column.
 */
function compareKey({ key, columns, values }: KeyBound, which: 'greater' | 'atMost'): string {
  const literals = keyLiterals(key, values);
  const [first] = key;
  if (first !== undefined && sameOperator(key, which)) {
    return `(${columns.join(', ')}) ${first[which]} (${literals.join(', ')})`;
  }
  const steps = key.map((column, at) => {
    const equal = key.slice(0, at).map(({ equals }, i) => `${columns[i]} ${equals} ${literals[i]}`);
    return `(${[...equal, `${columns[at]} ${column.greater} ${literals[at]}`].join(' AND ')})`;
  });
  return `(${steps.join(' OR ')})`;
}

const sameOperator = (key: readonly KeyColumn[], which: 'greater' | 'atMost'): boolean =>
  key.every((column) => column[which] === key[0]?.[which]);

/** `t."a", t."b"`: the columns in the order in which rows travel. */
export const columnList = (columns: readonly { readonly name: string }[], table = ''): string =>
  columns.map(({ name }) => (table === '' ? ident(name) : `${table}.${ident(name)}`)).join(', ');

/** The key of a shape that has one. @throws TypeError for one that has none: such a table is never captured */
export function keyOf({ key, name }: TableShape): readonly KeyColumn[] {
  if (key === null) throw new TypeError(`${name} has no key`);
  return key;
}
