import type pg from 'pg';
import type { Column, KeyColumn, Partition, TableShape } from './table-shape.js';

/** One row a table, with everything as JSON, so that it is one round trip and one moment. */
const SHAPES = `
SELECT n.nspname || '.' || c.relname AS name, n.nspname AS schema, c.relname AS "table", c.oid::int8::text AS oid,
       c.relkind::text AS kind, c.relpersistence::text AS persistence, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       c.relrowsecurity AS "rowSecurity",
       (SELECT coalesce(json_agg(json_build_object(
                 'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
                 'attnum', a.attnum, 'generated', a.attgenerated <> '', 'identity', a.attidentity,
                 'collation', CASE WHEN a.attcollation <> t.typcollation THEN
                   (SELECT k.collname FROM pg_catalog.pg_collation k WHERE k.oid = a.attcollation) END,
                 'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END)
               ORDER BY a.attnum), '[]')
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       (SELECT coalesce(json_agg(json_build_object(
                 'name', i.relname, 'primary', x.indisprimary, 'identity', x.indisreplident,
                 'unique', x.indisunique, 'immediate', x.indimmediate, 'valid', x.indisvalid,
                 'nullsEqual', coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false),
                 'partial', x.indpred IS NOT NULL, 'expressions', x.indexprs IS NOT NULL,
                 'columns', (SELECT json_agg(json_build_object(
                     'name', a.attname, 'collation', (SELECT format('%I.%I', s.nspname, l.collname)
                         FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace s ON s.oid = l.collnamespace
                        WHERE l.oid = a.attcollation),
                     'type', pg_catalog.format_type(a.atttypid, -1), 'notNull', a.attnotnull,
                     'equals', (SELECT format('OPERATOR(%I.%s)', s.nspname, p.oprname)
                         FROM pg_catalog.pg_amop m JOIN pg_catalog.pg_operator p ON p.oid = m.amopopr
                         JOIN pg_catalog.pg_namespace s ON s.oid = p.oprnamespace
                        WHERE m.amopfamily = o.opcfamily AND m.amopstrategy = 3 AND m.amoppurpose = 's'
                          AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype),
                     'greater', (SELECT format('OPERATOR(%I.%s)', s.nspname, p.oprname)
                         FROM pg_catalog.pg_amop m JOIN pg_catalog.pg_operator p ON p.oid = m.amopopr
                         JOIN pg_catalog.pg_namespace s ON s.oid = p.oprnamespace
                        WHERE m.amopfamily = o.opcfamily AND m.amopstrategy = 5 AND m.amoppurpose = 's'
                          AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype),
                     'atMost', (SELECT format('OPERATOR(%I.%s)', s.nspname, p.oprname)
                         FROM pg_catalog.pg_amop m JOIN pg_catalog.pg_operator p ON p.oid = m.amopopr
                         JOIN pg_catalog.pg_namespace s ON s.oid = p.oprnamespace
                        WHERE m.amopfamily = o.opcfamily AND m.amopstrategy = 2 AND m.amoppurpose = 's'
                          AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype),
                     'default', o.opcdefault)
                     ORDER BY k.at)
                   FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, at)
                   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                   JOIN pg_catalog.pg_opclass o ON o.oid = x.indclass[k.at - 1]
                  WHERE k.at <= x.indnkeyatts)) ORDER BY i.relname), '[]')
          FROM pg_catalog.pg_index x
          JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
          JOIN pg_catalog.pg_am am ON am.oid = i.relam AND am.amname = 'btree'
         WHERE x.indrelid = c.oid AND x.indisunique) AS keys,
       CASE WHEN c.relkind = 'p' THEN
         (SELECT coalesce(json_agg(json_build_object('name', pn.nspname || '.' || pc.relname, 'oid', pc.oid::int8::text)
                  ORDER BY pn.nspname, pc.relname), '[]')
            FROM pg_catalog.pg_partition_tree(c.oid) p
            JOIN pg_catalog.pg_class pc ON pc.oid = p.relid
            JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
           WHERE p.isleaf AND pc.relkind <> 'p')
       ELSE '[]' END AS partitions,
       CASE WHEN c.relkind = 'p' THEN '[]' ELSE
         (SELECT coalesce(json_agg(cn.nspname || '.' || cc.relname ORDER BY cn.nspname, cc.relname), '[]')
            FROM pg_catalog.pg_inherits h
            JOIN pg_catalog.pg_class cc ON cc.oid = h.inhrelid
            JOIN pg_catalog.pg_namespace cn ON cn.oid = cc.relnamespace
           WHERE h.inhparent = c.oid) END AS children
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname || '.' || c.relname = ANY ($1::text[])
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

interface IndexRow {
  readonly name: string;
  readonly primary: boolean;
  readonly identity: boolean;
  readonly immediate: boolean;
  readonly valid: boolean;
  /** From PostgreSQL 15 on; false before. */
  readonly nullsEqual: boolean;
  readonly partial: boolean;
  readonly expressions: boolean;
  readonly columns: readonly (KeyColumn & { readonly notNull: boolean; readonly default: boolean })[] | null;
}

interface ShapeRow {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly oid: string;
  readonly kind: string;
  readonly persistence: string;
  readonly owner: string;
  readonly rowSecurity: boolean;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly notNull: boolean;
    readonly generated: boolean;
    readonly identity: string;
    readonly attnum: number;
    readonly collation: string | null;
    readonly default: string | null;
  }[];
  readonly keys: readonly IndexRow[];
  readonly partitions: readonly { readonly name: string; readonly oid: string }[];
  readonly children: readonly string[];
}

const KINDS: Readonly<Record<string, TableShape['kind']>> = { r: 'table', p: 'partitioned' };
const PERSISTENCE: Readonly<Record<string, TableShape['persistence']>> = { p: 'permanent', u: 'unlogged' };
const IDENTITY: Readonly<Record<string, Column['identity']>> = { a: 'always', d: 'default' };

/**
 * What the tables look like now, or in the client's snapshot. Needs a client with search_path = pg_catalog, for types
 * are named as that makes them.
 * @param tables 'schema.table'
 * @returns by that name; a table that is not there is not in it
 * @throws what the driver throws
 */
export async function readShapes(client: pg.ClientBase, tables: readonly string[]): Promise<Map<string, TableShape>> {
  const { rows } = await client.query<ShapeRow>(SHAPES, [tables]);
  return new Map(rows.map((row) => [row.name, shapeOf(row)]));
}

function shapeOf(row: ShapeRow): TableShape {
  const { name, schema, table, owner, rowSecurity, children } = row;
  const key = chooseKey(row.keys);
  return Object.freeze({
    name,
    schema,
    table,
    owner,
    rowSecurity,
    children,
    oid: Number(row.oid),
    kind: KINDS[row.kind] ?? 'other',
    persistence: PERSISTENCE[row.persistence] ?? 'temporary',
    columns: row.columns.map((column) => ({
      ...column,
      identity: IDENTITY[column.identity] ?? '',
      collation: column.collation ?? '',
      default: column.default ?? '',
    })),
    key: key === null ? null : (key.columns ?? []).map(keyColumn),
    keyProblem: key === null ? problemOf(row.keys) : '',
    otherKeys: row.keys.flatMap((other) =>
      other === key || other.partial || other.columns === null || other.expressions
        ? []
        : [{ columns: other.columns.map(keyColumn), nullsEqual: other.nullsEqual }],
    ),
    partitions: row.partitions.map((one): Partition => ({ name: one.name, oid: Number(one.oid) })),
  });
}

const keyColumn = ({ name, collation, type, equals, greater, atMost }: KeyColumn): KeyColumn => ({
  name,
  collation: collation ?? '',
  type,
  equals,
  greater,
  atMost,
});

/** The primary key first, then the replica identity, then the shortest. */
function chooseKey(keys: readonly IndexRow[]): IndexRow | null {
  const rank = ({ primary, identity, columns }: IndexRow): number =>
    primary ? -2 : identity ? -1 : (columns?.length ?? 0);
  const [best] = keys.filter((key) => refusal(key) === '').toSorted((a, b) => rank(a) - rank(b));
  return best ?? null;
}

function refusal({ immediate, valid, partial, expressions, columns }: IndexRow): string {
  if (!immediate) return 'is deferrable';
  if (!valid) return 'is not valid';
  if (partial) return 'is partial';
  if (expressions || columns === null) return 'is over an expression';
  // ORDER BY goes by the default one; chunks of a backfill by both.
  const odd = columns.filter((column) => !column.default).map(({ name }) => name);
  if (odd.length > 0) return `has an operator class of its own for ${odd.join(', ')}`;
  const nullable = columns.filter(({ notNull }) => !notNull).map(({ name }) => name);
  return nullable.length > 0 ? `may hold NULL in ${nullable.join(', ')}` : '';
}

function problemOf(keys: readonly IndexRow[]): string {
  if (keys.length === 0) return 'it has neither a primary key nor a unique one';
  return keys.map((key) => `${key.name} ${refusal(key)}`).join(', ');
}
