import type { SourceSide } from './source-side.js';

/** Types whose values every server has in one order, whatever its locale is and whoever has made the type. */
const ORDERED =
  "'{int2,int4,int8,numeric,float4,float8,date,timestamp,timestamptz,time,uuid,bytea,bool,oid,interval,inet}'::text[]";

/**
 * By the columns of the partition keys from the root down to the leaf. A range means the same rows on both sides where
 * its columns have one order; a list where they have one equality; a hash never, and of an expression nothing is known.
 */
const bound = (leaf: number): string => `
SELECT CASE WHEN bool_and(k.same) THEN pg_get_partition_constraintdef('${leaf}'::oid) END
  FROM pg_partition_ancestors('${leaf}'::oid) a
  JOIN pg_partitioned_table p ON p.partrelid = a.relid AND a.relid <> '${leaf}'::oid,
       LATERAL (
         SELECT p.partexprs IS NULL AND p.partstrat <> 'h' AND bool_and(o.opcdefault AND
                CASE p.partstrat WHEN 'r' THEN t.typnamespace = 'pg_catalog'::regnamespace AND t.typname = ANY (${ORDERED})
                ELSE coalesce(c.collisdeterministic, true) END) AS same
           FROM unnest(p.partattrs::int2[], p.partclass::oid[]) u (attnum, opclass)
           JOIN pg_attribute b ON b.attrelid = p.partrelid AND b.attnum = u.attnum
           JOIN pg_type t ON t.oid = b.atttypid
           JOIN pg_opclass o ON o.oid = u.opclass
           LEFT JOIN pg_collation c ON c.oid = b.attcollation) k`;

/**
 * The condition that the rows of a leaf partition have, and those of no other, on the target too.
 * @returns null: there is none
 */
export async function leafBound(source: SourceSide, leaf: number): Promise<string | null> {
  const [row] = await source.rows(bound(leaf));
  return row?.[0] ?? null;
}
