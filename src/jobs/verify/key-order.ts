import type pg from 'pg';
import type { TableShape } from '../../mirror/shape/table-shape.js';
import { both, rawRows } from './raw-rows.js';

/**
 * Whether two databases have the keys of a table in the same order, so that `between two keys` means the same rows on
 * both sides. Text does not, unless both sort it by the same version of the same collation.
 */
const FIXED = new Set([
  ...['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'oid', 'xid8', 'money', 'boolean'],
  ...['uuid', 'bytea', 'date', 'interval', 'inet', 'cidr', 'macaddr', 'macaddr8', 'pg_lsn', 'bit', 'bit varying'],
  ...['timestamp without time zone', 'timestamp with time zone', 'time without time zone', 'time with time zone'],
]);
const COLLATED = new Set(['text', 'character varying', 'character', 'bpchar', 'name']);

/**
 * Base type of each key column (of a domain, what it is over), and what its order depends on: 'C', or provider, locale,
 * rules and the version that the server has now. The names of those columns changed over versions, hence to_jsonb.
 * Before version 15 a database had libc's collations only, and no function told their version: that of a collation of the
 * same locale is the same.
 * @param version server_version_num
 */
export const ordersSql = (oid: number, version: number): string => `
WITH RECURSIVE base AS (
  SELECT a.attname AS name, a.attcollation AS coll, t.oid, t.typtype, t.typbasetype
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
   WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.name, b.coll, t.oid, t.typtype, t.typbasetype
    FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
), own AS (
  SELECT jsonb_build_object('provider', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
           'locale', CASE coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') WHEN 'c' THEN d.datcollate
                     ELSE coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') END,
           'rules', to_jsonb(d) ->> 'daticurules', 'version', ${version < 150_000 ? OLD_VERSION : 'pg_database_collation_actual_version(d.oid)'},
           'deterministic', true) AS made
    FROM pg_database d WHERE d.datname = current_database()
), made AS (
  SELECT b.name, format_type(b.oid, NULL) AS type, b.coll, CASE b.coll WHEN 100 THEN (SELECT made FROM own) ELSE
         (SELECT jsonb_build_object('provider', k.collprovider,
                   'locale', CASE k.collprovider WHEN 'c' THEN k.collcollate
                             ELSE coalesce(to_jsonb(k) ->> 'colllocale', to_jsonb(k) ->> 'colliculocale') END,
                   'rules', to_jsonb(k) ->> 'collicurules', 'version', pg_collation_actual_version(k.oid),
                   'deterministic', k.collisdeterministic)
            FROM pg_collation k WHERE k.oid = b.coll) END AS order
    FROM base b WHERE b.typtype <> 'd'
)
SELECT name, type, CASE WHEN coll = 0 THEN ''
         WHEN made.order ->> 'provider' IN ('c', 'b') AND made.order ->> 'locale' IN ('C', 'POSIX') THEN 'C'
         WHEN made.order ->> 'version' IS NULL THEN NULL ELSE made.order::text END
         || CASE WHEN coll = 0 THEN '' ELSE current_setting('server_encoding') END
  FROM made`;

const OLD_VERSION = `(SELECT min(pg_collation_actual_version(k.oid)) FROM pg_collation k
            WHERE k.collprovider = 'c' AND k.collcollate = d.datcollate)`;

type Orders = ReadonlyMap<string, { readonly type: string; readonly order: string | null }>;

async function readOrders(client: pg.ClientBase, { oid }: TableShape): Promise<Orders> {
  const [version] = await rawRows(client, "SELECT current_setting('server_version_num')");
  const rows = await rawRows(client, ordersSql(oid, Number(version?.[0])));
  return new Map(rows.map(([name, type, order]) => [name ?? '', { type: type ?? '', order: order ?? null }]));
}

/** @throws what the driver throws */
export async function sameKeyOrder(
  source: pg.ClientBase,
  target: pg.ClientBase,
  shape: TableShape,
  targetShape: TableShape,
): Promise<boolean> {
  const [here, there] = await both(readOrders(source, shape), readOrders(target, targetShape));
  return (shape.key ?? []).every(({ name, greater }) => {
    const [mine, theirs] = [here.get(name), there.get(name)];
    if (mine === undefined || theirs === undefined || mine.type !== theirs.type) return false;
    if (greater !== 'OPERATOR(pg_catalog.>)' || mine.order === null || mine.order !== theirs.order) return false;
    return FIXED.has(mine.type) || COLLATED.has(mine.type);
  });
}
