import type { TableShape } from '../shape/table-shape.js';
import { copiedColumns } from '../shape/table-shape.js';

/**
 * What tells, in one cheap look at the catalog, whether the definition of a table may have changed since the last
 * turn: rows may then have changed without an event. VACUUM and ANALYZE change none of it.
 */
export interface Stamp {
  /** The oid of the table: another one after DROP and CREATE. */
  readonly oid: string;
  /** The version of each column's definition. */
  readonly columns: string;
  /** The files of the table or its leaves: new ones after a rewrite, VACUUM FULL, CLUSTER, TRUNCATE. */
  readonly files: string;
  /** The leaves of a partitioned table; of another one itself, and the tables that inherit from it. */
  readonly leaves: string;
  /**
   * The capture triggers of the table and its leaves, with their state and the version of their definition: one that
   * was disabled and enabled again within a transaction looks as it did before.
   */
  readonly triggers: string;
}

/** A row for each table that is there: name, and the parts of its stamp. In a snapshot whose locks are held. */
export const stampsSql = (tables: readonly string[]): string => `
SELECT n.nspname || '.' || c.relname AS name, c.oid::text AS oid,
       (SELECT md5(string_agg(a.attnum || ':' || a.xmin, ',' ORDER BY a.attnum)) FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
       l.files, concat(l.leaves, h.children) AS leaves, l.triggers
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (
    SELECT md5(string_agg(p.relid::oid || ':' || pg_catalog.pg_relation_filenode(p.relid), ',' ORDER BY p.relid::oid)
               FILTER (WHERE p.isleaf)) AS files,
           md5(string_agg(p.relid::oid::text, ',' ORDER BY p.relid::oid)) AS leaves,
           md5(string_agg(t.states, ',' ORDER BY p.relid::oid)) AS triggers
      FROM (SELECT relid, isleaf FROM pg_catalog.pg_partition_tree(c.oid)
             UNION ALL SELECT c.oid, true WHERE c.relkind <> 'p' AND NOT c.relispartition) p
      LEFT JOIN LATERAL (
        SELECT string_agg(g.oid || ':' || g.xmin || g.tgenabled::text, ',' ORDER BY g.oid) AS states
          FROM pg_catalog.pg_trigger g
         WHERE g.tgrelid = p.relid AND g.tgname LIKE 'pgfig\\_%') t ON true) l
  LEFT JOIN LATERAL (
    SELECT string_agg(' ' || i.inhrelid, '' ORDER BY i.inhrelid) AS children FROM pg_catalog.pg_inherits i
     WHERE c.relhassubclass AND c.relkind <> 'p' AND i.inhparent = c.oid) h ON true
 WHERE c.oid = ANY (ARRAY[${tables.map(regclass).join(', ')}]::oid[])`;

const regclass = (quoted: string): string => `to_regclass('${quoted.replaceAll("'", "''")}')`;

/** What a change of the stamp means for the rows of the copy. */
export type Verdict =
  /** Nothing, the new stamp is as good as the old one. */
  | { readonly type: 'same' }
  /** Rows may have changed without an event. */
  | { readonly type: 'stall'; readonly reason: string };

/**
 * @param before the stamp and shape of the last turn
 * @param after those of this one
 */
export function judgeStamp(before: Stamp, after: Stamp, shapeBefore: TableShape, shapeAfter: TableShape): Verdict {
  if (before.oid !== after.oid) return stall('the table was dropped and made again');
  if (before.leaves !== after.leaves) return stall(leafChange(shapeBefore, shapeAfter));
  if (before.triggers !== after.triggers) return stall('its capture triggers were changed or disabled');
  if (before.columns === after.columns) return SAME;
  const changed = columnChange(shapeBefore, shapeAfter);
  if (changed !== '') return stall(changed);
  // The definition of a column was written anew, and the table too: ALTER ... TYPE t USING (...) keeps the type.
  if (before.files !== after.files) return stall('the table was rewritten by ALTER TABLE');
  return SAME;
}

const SAME: Verdict = { type: 'same' };
const stall = (reason: string): Verdict => ({ type: 'stall', reason });

function leafChange(before: TableShape, after: TableShape): string {
  const partitions = ({ partitions }: TableShape): string[] => partitions.map(({ name }) => name);
  if (after.kind === 'partitioned') return `its partitions have changed: ${listChange(partitions, before, after)}`;
  return `tables have come or gone that inherit from it: ${listChange(({ children }) => children, before, after)}`;
}

function listChange(names: (shape: TableShape) => readonly string[], before: TableShape, after: TableShape): string {
  const [old, now] = [new Set(names(before)), new Set(names(after))];
  const came = [...now].filter((name) => !old.has(name)).map((name) => `${name} is new`);
  const went = [...old].filter((name) => !now.has(name)).map((name) => `${name} is gone`);
  return [...came, ...went].join(', ') || 'one was replaced';
}

function columnChange(before: TableShape, after: TableShape): string {
  const old = new Map(copiedColumns(before).map((column) => [column.name, column]));
  const now = new Map(copiedColumns(after).map((column) => [column.name, column]));
  const changes: string[] = [];
  for (const [name, { type, attnum }] of now) {
    const was = old.get(name);
    if (was === undefined) changes.push(`column ${name} is new`);
    else if (was.attnum !== attnum) changes.push(`column ${name} is another one than before`);
    else if (was.type !== type) changes.push(`column ${name} was ${was.type} and is ${type}`);
  }
  for (const name of old.keys()) if (!now.has(name)) changes.push(`column ${name} is gone`);
  // Not the JSON of the objects: the shape before was kept as jsonb, which has an order of its own.
  const keyOf = ({ key }: TableShape): string =>
    JSON.stringify(key?.map(({ name, type, equals, greater, atMost }) => [name, type, equals, greater, atMost]));
  if (keyOf(before) !== keyOf(after)) changes.push('its key has changed');
  return changes.join(', ');
}
