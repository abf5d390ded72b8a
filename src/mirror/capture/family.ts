import type pg from 'pg';
import { leavesOf, type TableShape } from '../shape/table-shape.js';

/** A relation that rows lie in, or that they are written through. */
export interface Member {
  readonly oid: number;
  /** Quoted: "schema"."table" */
  readonly table: string;
}

/** The tables and their leaves. @throws what the driver throws */
export async function familyOf(client: pg.ClientBase, ...shapes: readonly TableShape[]): Promise<readonly Member[]> {
  const oids = new Set(shapes.flatMap((shape) => [shape.oid, ...leavesOf(shape).map(({ oid }) => oid)]));
  const { rows } = await client.query<{ oid: string; table: string }>(
    `SELECT c.oid::int8::text AS oid, format('%I.%I', n.nspname, c.relname) AS "table"
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY ($1::int8[]::oid[]) ORDER BY c.oid`,
    [[...oids]],
  );
  return rows.map((row) => ({ oid: Number(row.oid), table: row.table }));
}
