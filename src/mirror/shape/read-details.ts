import type pg from 'pg';

/** What decides whether rows of one table fit another, beyond what capture and relay need (TableShape). */
export interface TableDetails {
  /** 'schema.table' */
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly rowSecurity: boolean;
  readonly columns: readonly ColumnDetails[];
  /** Unique indexes, the primary key too. */
  readonly uniques: readonly UniqueIndex[];
  readonly constraints: readonly Constraint[];
  /** The enums, domains, composite types and ranges of the columns, and those that they are made of. */
  readonly types: readonly TypeDetails[];
}

export interface ColumnDetails {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  /** The expression of a generated column, '' for others. */
  readonly generated: string;
  readonly identity: '' | 'a' | 'd';
  readonly default: string;
  /** Name of its collation, '' where the type has none. */
  readonly collation: string;
  readonly deterministic: boolean;
}

export interface UniqueIndex {
  readonly name: string;
  readonly primary: boolean;
  /** Columns and expressions, as SQL. */
  readonly parts: readonly string[];
  /** Of a partial index, '' for a whole one. */
  readonly predicate: string;
  readonly nullsNotDistinct: boolean;
  readonly usableAsKey: boolean;
}

export interface Constraint {
  readonly name: string;
  /** c check, x exclusion, f foreign key; NOT NULL, which PostgreSQL 18 lists too, is a column's. */
  readonly type: 'c' | 'x' | 'f';
  readonly definition: string;
}

export interface TypeDetails {
  readonly name: string;
  readonly kind: 'enum' | 'domain' | 'composite' | 'range';
  /** Labels in their order, attributes as 'name type', or the base (element) type alone. */
  readonly parts: readonly string[];
  readonly notNull: boolean;
  readonly checks: readonly Constraint[];
}

const DETAILS = `
WITH RECURSIVE tables AS (
  SELECT c.*, n.nspname || '.' || c.relname AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname || '.' || c.relname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), used AS (
  SELECT t.oid AS relation, a.atttypid AS type
    FROM tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT u.relation, p.part
    FROM used u JOIN pg_catalog.pg_type y ON y.oid = u.type
   CROSS JOIN LATERAL (
     SELECT y.typelem AS part WHERE y.typelem <> 0 AND y.typcategory = 'A'
     UNION ALL SELECT y.typbasetype WHERE y.typtype = 'd'
     UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE y.oid IN (r.rngtypid, r.rngmultitypid)
     UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE y.typtype = 'c' AND a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped) p
)
SELECT c.name, c.relkind::text AS kind, c.relpersistence::text AS persistence, c.relrowsecurity AS "rowSecurity",
  (SELECT coalesce(json_agg(json_build_object(
            'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
            'identity', a.attidentity,
            'generated', CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) ELSE '' END,
            'default', CASE WHEN a.attgenerated = '' THEN coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
                       ELSE '' END,
            'collation', coalesce(k.collname, ''), 'deterministic', coalesce(k.collisdeterministic, true))
          ORDER BY a.attnum), '[]')
     FROM pg_catalog.pg_attribute a
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     LEFT JOIN pg_catalog.pg_collation k ON k.oid = a.attcollation
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT coalesce(json_agg(json_build_object(
            'name', i.relname, 'primary', x.indisprimary, 'nullsNotDistinct', x.indnullsnotdistinct,
            'predicate', coalesce(pg_catalog.pg_get_expr(x.indpred, x.indrelid), ''),
            'parts', (SELECT json_agg(pg_catalog.pg_get_indexdef(x.indexrelid, n, false) ORDER BY n)
                        FROM generate_series(1, x.indnkeyatts) n),
            'usableAsKey', x.indimmediate AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL)
          ORDER BY i.relname), '[]')
     FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    WHERE x.indrelid = c.oid AND x.indisunique) AS uniques,
  (SELECT coalesce(json_agg(json_build_object('name', o.conname, 'type', o.contype,
            'definition', pg_catalog.pg_get_constraintdef(o.oid)) ORDER BY o.conname), '[]')
     FROM pg_catalog.pg_constraint o WHERE o.conrelid = c.oid AND o.contype IN ('c', 'x', 'f')) AS constraints,
  (SELECT coalesce(json_agg(json_build_object(
            'name', pg_catalog.format_type(y.oid, NULL), 'notNull', y.typnotnull,
            'kind', CASE y.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite'
                    ELSE 'range' END,
            'parts', CASE y.typtype
              WHEN 'e' THEN (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
                               FROM pg_catalog.pg_enum e WHERE e.enumtypid = y.oid)
              WHEN 'd' THEN json_build_array(pg_catalog.format_type(y.typbasetype, y.typtypmod))
              WHEN 'c' THEN (SELECT json_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
                                             ORDER BY a.attnum)
                               FROM pg_catalog.pg_attribute a
                              WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
              ELSE (SELECT json_agg(pg_catalog.format_type(r.rngsubtype, NULL))
                      FROM pg_catalog.pg_range r WHERE y.oid IN (r.rngtypid, r.rngmultitypid)) END,
            'checks', (SELECT coalesce(json_agg(json_build_object('name', o.conname, 'type', o.contype,
                         'definition', pg_catalog.pg_get_constraintdef(o.oid)) ORDER BY o.conname), '[]')
                         FROM pg_catalog.pg_constraint o WHERE o.contypid = y.oid AND o.contype = 'c'))
          ORDER BY y.oid), '[]')
     FROM used u JOIN pg_catalog.pg_type y ON y.oid = u.type
     JOIN pg_catalog.pg_namespace m ON m.oid = y.typnamespace
    WHERE u.relation = c.oid AND y.typtype IN ('e', 'd', 'c', 'r', 'm') AND m.nspname <> 'pg_catalog') AS types
  FROM tables c`;

/**
 * Needs a client with search_path = pg_catalog, so that names in definitions are qualified on both sides.
 * @param tables 'schema.table'
 * @returns by that name; a table that is not there is not in it
 * @throws what the driver throws
 */
export async function readDetails(
  client: pg.ClientBase,
  tables: readonly string[],
): Promise<Map<string, TableDetails>> {
  const { rows } = await client.query<TableDetails>(DETAILS, [tables]);
  return new Map(rows.map((row) => [row.name, row]));
}
