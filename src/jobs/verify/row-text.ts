import { type Column, ident, type TableShape } from '../../mirror/shape/table-shape.js';

/**
 * Types whose cast to text is their output function, or as good: equal values give equal texts, others other ones. For
 * all others the output function is called by `concat`, since a type may have a cast to text of its own that loses
 * something, as that of `character(n)` does.
 */
const PLAIN: ReadonlySet<string> = new Set([
  ...['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'boolean', 'oid', 'uuid', 'bytea'],
  ...['text', 'character varying', 'json', 'jsonb', 'date', 'interval'],
  ...['timestamp without time zone', 'timestamp with time zone', 'time without time zone', 'time with time zone'],
]);

/** `numeric(10,2)[]` -> `numeric`, `timestamp(3) with time zone` -> `timestamp with time zone` */
const bareType = (type: string): string => type.replace(/\(\d+(,-?\d+)?\)/, '').replace(/(\[\])+$/, '');

/**
 * A column's value as its type writes it, NULL for NULL. Needs the pinned settings of openMirrorClient.
 * @param table alias of the table
 */
export function columnText({ name, type }: Pick<Column, 'name' | 'type'>, table = 't'): string {
  const column = `${table}.${ident(name)}`;
  // PostgreSQL 16 and later write bytes above 127 in octal.
  if (type === '"char"') return `${column}::int4::text`;
  if (type === 'text') return column;
  if (PLAIN.has(bareType(type))) return `${column}::text`;
  // IS DISTINCT FROM, since a composite value with a NULL in it is not IS NOT NULL.
  return `CASE WHEN ${column} IS DISTINCT FROM NULL THEN concat(${column}) END`;
}

/**
 * All columns as one text, from which they could be told apart again: that of an array quotes what is empty or has
 * commas, and writes NULL bare. (A record's text depends on the locale's idea of a blank before PostgreSQL 16.)
 */
export const rowText = (columns: readonly Column[], table = 't'): string =>
  `ARRAY[${columns.map((column) => columnText(column, table)).join(', ')}]::text COLLATE "C"`;

/**
 * What is compared, in the source's order: every column of the source that the target has. Generated columns do not
 * travel, but are read on both sides, so they are compared too.
 */
export function comparedColumns(source: TableShape, target: TableShape): readonly Column[] {
  const there = new Set(target.columns.map(({ name }) => name));
  return source.columns.filter(({ name }) => there.has(name));
}

/** The columns of a source's table that the target lacks, though they should have come with the rows. */
export function missingColumns(source: TableShape, target: TableShape): readonly string[] {
  const there = new Set(target.columns.map(({ name }) => name));
  return source.columns.filter(({ name }) => !there.has(name)).map(({ name }) => name);
}
