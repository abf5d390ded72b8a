import type pg from 'pg';
import { readShapes } from '../../mirror/shape/read-shapes.js';
import { ident, type KeyColumn, qualified, type TableShape } from '../../mirror/shape/table-shape.js';

/** A captured table as its feed sees it. */
export interface FeedTable {
  /** 'schema.table' */
  readonly name: string;
  readonly oid: number;
  /** `"schema"."table"` */
  readonly quoted: string;
  /** Reads states; `$1`: texts of keys as in the outbox, `$2`: bytes after which it stops (one row at least). */
  readonly statesSql: string;
}

/** A table that no feed can be made of. */
export interface UnfitTable {
  readonly name: string;
  readonly oid: number;
  readonly problem: string;
}

export interface FeedTables {
  readonly mirror: number;
  readonly tables: readonly FeedTable[];
  readonly unfit: readonly UnfitTable[];
}

interface CapturedRow {
  readonly mirror: number;
  readonly oid: string | null;
  readonly name: string | null;
  readonly key: string[] | null;
}

/** @returns null: nothing of the domain is captured @throws what the driver throws */
export async function readFeedTables(client: pg.ClientBase, domain: string): Promise<FeedTables | null> {
  const { rows } = await client.query<CapturedRow>(
    `SELECT m.id AS mirror, c.table_oid::int8::text AS oid, c.table_name AS name, c.key_columns AS key
       FROM pgfig.mirrors m LEFT JOIN pgfig.captured c ON c.mirror = m.id WHERE m.domain = $1 ORDER BY c.table_name`,
    [domain],
  );
  const [first] = rows;
  if (first === undefined) return null;
  const captured = rows.flatMap(({ oid, name, key }) =>
    oid === null || name === null || key === null ? [] : [{ oid: Number(oid), name, key }],
  );
  const shapes = await readShapes(
    client,
    captured.map(({ name }) => name),
  );
  const bases = await readBases(client, captured);
  const tables: FeedTable[] = [];
  const unfit: UnfitTable[] = [];
  for (const { oid, name, key } of captured) {
    const shape = shapes.get(name);
    const problem = problemOf(shape, oid, key);
    if (problem !== null || shape?.key == null) unfit.push({ name, oid, problem: problem ?? 'it has no key' });
    else
      tables.push({
        name,
        oid,
        quoted: qualified(shape),
        statesSql: statesSql(shape, shape.key, bases.get(oid) ?? new Map()),
      });
  }
  return { mirror: first.mirror, tables, unfit };
}

function problemOf(shape: TableShape | undefined, oid: number, key: readonly string[]): string | null {
  const again = 'Run pgfig mirror install again';
  if (shape === undefined || shape.oid !== oid) return `it is not the table any more that is captured. ${again}`;
  const now = shape.key?.map(({ name }) => name) ?? [];
  if (now.join('\n') === key.join('\n')) return null;
  return `its key is (${now.join(', ')}), and capture was installed with (${key.join(', ')}). ${again}`;
}

type Bases = ReadonlyMap<number, ReadonlyMap<string, string>>;

/** Column -> its type's name in pg_catalog, domains looked through; types of extensions with their schema. */
async function readBases(client: pg.ClientBase, tables: readonly { readonly oid: number }[]): Promise<Bases> {
  const { rows } = await client.query<{ oid: string; column: string; type: string }>(
    `WITH RECURSIVE b (rel, col, type) AS (
       SELECT attrelid, attname, atttypid FROM pg_attribute
        WHERE attrelid = ANY ($1::int8[]::oid[]) AND attnum > 0 AND NOT attisdropped
       UNION ALL SELECT b.rel, b.col, t.typbasetype FROM b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
     SELECT b.rel::int8::text AS oid, b.col AS column, t.typname AS type
       FROM b JOIN pg_type t ON t.oid = b.type WHERE t.typtype <> 'd'`,
    [tables.map(({ oid }) => oid)],
  );
  const bases = new Map<number, Map<string, string>>();
  for (const { oid, column, type } of rows) {
    const columns = bases.get(Number(oid)) ?? new Map<string, string>();
    bases.set(Number(oid), columns.set(column, type));
  }
  return bases;
}

/** A name that no column has: `row_to_json(t)` of a table with a column t would be that column. */
const ROW = '"pgfig: row"';
const KEY = '"pgfig: key"';

/**
 * The row is made to JSON by the server, whole: as the table is now, also where a column has been added a moment ago.
 * The running sum of bytes bounds what comes over the wire, whatever the rows are like.
 */
function statesSql(shape: TableShape, key: readonly KeyColumn[], bases: ReadonlyMap<string, string>): string {
  const typed = key.map(
    ({ type }, at) => `${key.length === 1 ? 'key' : `(key::text[])[${at + 1}]`}::${type} AS k${at}`,
  );
  const same = key.map(({ name, equals }, at) => `${ROW}.${ident(name)} ${equals} k.k${at}`);
  const json = key.map(({ name }, at) => `${canonical(`k.k${at}`, bases.get(name) ?? '')} AS ${ident(name)}`);
  const keyJson = `(SELECT row_to_json(${KEY}) FROM (SELECT ${json.join(', ')}) AS ${KEY})::text`;
  const table = `${shape.kind === 'partitioned' ? '' : 'ONLY '}${qualified(shape)}`;
  return `
WITH k AS MATERIALIZED (SELECT at, ${typed.join(', ')} FROM unnest($1::text[]) WITH ORDINALITY AS u (key, at)),
     r AS MATERIALIZED (SELECT k.at, ${keyJson} AS key, row_to_json(${ROW})::text AS state
                          FROM k LEFT JOIN ${table} AS ${ROW} ON ${same.join(' AND ')})
SELECT key, state FROM (SELECT at, key, state, coalesce(sum(octet_length(state)) OVER (ORDER BY at), 0) AS bytes FROM r) w
 WHERE at = 1 OR bytes <= $2 ORDER BY at`;
}

/** Equal keys have one text: 1.0 and 1.00, 0 and -0, as far as types tell. The others: docs/events.md. */
function canonical(value: string, type: string): string {
  switch (type) {
    case 'numeric':
      return `trim_scale(${value}::numeric)`;
    case 'float4':
    case 'float8':
      return `CASE WHEN ${value} = 0 THEN 0 ELSE ${value} END`;
    case 'bpchar':
      return `rtrim(${value}::text)`;
    case 'citext':
      return `lower(${value}::text)`;
    case 'interval':
      return `justify_interval(${value}::interval)`;
    default:
      return value;
  }
}
