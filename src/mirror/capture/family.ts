import type pg from 'pg';
import { leavesOf, type TableShape } from '../shape/table-shape.js';

/** The table and its leaves, quoted. */
export async function familyOf(
  client: pg.ClientBase,
  shape: TableShape,
): Promise<readonly { readonly oid: number; readonly table: string }[]> {
  const oids = [...new Set([shape.oid, ...leavesOf(shape).map(({ oid }) => oid)])];
  const { rows } = await client.query<{ oid: string; table: string }>(
    `SELECT c.oid::int8::text AS oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS "table"
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY ($1::int8[]::oid[]) ORDER BY c.oid`,
    [oids],
  );
  return rows.map((row) => ({ oid: Number(row.oid), table: row.table }));
}
