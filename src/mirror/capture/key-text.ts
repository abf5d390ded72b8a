import type pg from 'pg';
import type { KeyColumn } from '../shape/table-shape.js';
import { ident } from '../shape/table-shape.js';

/** How the text of one key column is made. */
export interface KeyText {
  readonly column: KeyColumn;
  /** The cast to text is the type's own output function. Elsewhere it is another text, or a function of somebody's. */
  readonly castable: boolean;
  /** The output function's text does not depend on settings. */
  readonly steady: boolean;
}

/**
 * The types that a column's type is made of, itself among them: the base of a domain, elements of an array, fields of
 * a composite, bounds of a range.
 */
const TYPES = `
WITH RECURSIVE parts (attname, top, type) AS (
  SELECT a.attname, true, a.atttypid FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = $1::pg_catalog.int8::pg_catalog.oid AND a.attname = ANY ($2::pg_catalog.text[])
  UNION
  SELECT p.attname, p.top AND t.typtype = 'd', o.part
    FROM parts p JOIN pg_catalog.pg_type t ON t.oid = p.type
    CROSS JOIN LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1 AND t.typtype <> 'd'
      UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
      UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                 WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS o (part)
)
SELECT p.attname AS name, p.top AND t.typtype <> 'd' AS own,
       CASE WHEN n.nspname = 'pg_catalog' OR t.typtype = 'b' THEN t.typname END AS type,
       n.nspname = 'pg_catalog' AS system,
       CASE WHEN t.typtype IN ('d', 'e', 'c', 'r', 'm') THEN 'made' WHEN t.typcategory = 'A' THEN 'made' ELSE 'base' END AS kind
  FROM parts p JOIN pg_catalog.pg_type t ON t.oid = p.type JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace`;

/** The cast to text of these runs their output function, or none. */
const CASTABLE = new Set(['int2', 'int4', 'int8', 'oid', 'text', 'varchar', 'uuid', 'numeric']);

/** Base types whose text is the same under all settings. Any other counts as one that is not. */
const STEADY = new Set([
  ...CASTABLE,
  ...['bool', 'bpchar', 'name', 'char', 'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'varbit', 'jsonb', 'tsvector'],
  ...['tsquery', 'pg_lsn', 'xid', 'xid8', 'tid', 'citext', 'hstore', 'ltree'],
]);

interface PartRow {
  readonly name: string;
  /** It is the column's type, domains looked through. */
  readonly own: boolean;
  readonly type: string | null;
  readonly system: boolean;
  readonly kind: 'made' | 'base';
}

/** How the texts of a table's key columns are made, in the key's order. @throws what the driver throws */
export async function readKeyTexts(
  client: pg.ClientBase,
  oid: number,
  key: readonly KeyColumn[],
): Promise<readonly KeyText[]> {
  const { rows } = await client.query<PartRow>(TYPES, [oid, key.map(({ name }) => name)]);
  return key.map((column) => {
    const parts = rows.filter(({ name }) => name === column.name);
    return {
      column,
      castable: parts.some(({ own, system, type }) => own && system && type !== null && CASTABLE.has(type)),
      steady: parts.length > 0 && parts.every(({ kind, type }) => kind === 'made' || STEADY.has(type ?? '')),
    };
  });
}

/**
 * The key of `row` (OLD or NEW) as the outbox has it: the output text of the one column, or the text of an array of
 * them. `concat` calls output functions as they are; a cast would strip the blanks of a character(n), write 'true' for
 * 't', and run whatever CREATE CAST has put in its place.
 */
export function keyExpression(texts: readonly KeyText[], row: 'OLD' | 'NEW'): string {
  const one = ({ column, castable }: KeyText): string => {
    const value = `${row}.${ident(column.name)}`;
    return castable ? `${value}::pg_catalog.text` : `pg_catalog.concat(${value})`;
  };
  const [first] = texts;
  if (first !== undefined && texts.length === 1) return one(first);
  return `ARRAY[${texts.map(one).join(', ')}]::pg_catalog.text[]::pg_catalog.text`;
}

/** Whether the key has changed, as the key's own operators see it. Key columns are never NULL. */
export const keyChanged = (texts: readonly KeyText[]): string =>
  texts.map(({ column: { name, equals } }) => `NOT (OLD.${ident(name)} ${equals} NEW.${ident(name)})`).join(' OR ');
