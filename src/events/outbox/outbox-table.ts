import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';
import { ident, qualified } from '../../mirror/shape/table-shape.js';
import type { OutboxColumns } from '../../rules/rule-set.js';
import { splitKey } from '../../rules/table-name.js';

/** An application's outbox table, and how its events are read in order and taken out. */
export interface OutboxTable {
  /** 'schema.table' */
  readonly name: string;
  /** `$1`: how many rows at most, `$2`: bytes after which it stops (one row at least). */
  readonly readSql: string;
  /** `$1` to `$4`: tableoid, ctid, xmin and the table's file of the rows that were sent. */
  readonly doneSql: string;
  /** Counts what waits, up to `MOST_COUNTED`. */
  readonly countSql: string;
  /** What makes it slow, and what to do; null: nothing is known of. */
  readonly warning: string | null;
  readonly binary: boolean;
}

/** Counting further would be work for the monolith. */
export const MOST_COUNTED = 100_000;

/** What becomes of an event that was sent. */
export type After = 'delete' | 'mark';

interface Facts {
  readonly oid: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly sequences: readonly { readonly column: string; readonly cache: string; readonly increment: string }[];
  readonly stamps: boolean;
  /** A valid index finds the rows that are not sent: it has these only, or begins with the column. */
  readonly indexed: boolean;
}

const FACTS = `
SELECT c.oid::int8::text AS oid,
       (SELECT json_agg(json_build_object('name', a.attname, 'type', t.typname) ORDER BY a.attnum)
          FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       (SELECT coalesce(json_agg(json_build_object('column', a.attname, 'cache', q.seqcache::text, 'increment', q.seqincrement::text)
               ORDER BY a.attnum), '[]')
          FROM pg_depend d JOIN pg_sequence q ON q.seqrelid = d.objid
          JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
           AND d.deptype IN ('a', 'i')) AS sequences,
       EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                WHERE i.indrelid = c.oid AND i.indisvalid
                  AND (strpos(pg_get_expr(i.indpred, i.indrelid), format('(%I IS NULL)', $3::text)) > 0
                       OR i.indpred IS NULL AND x.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
                          AND pg_get_indexdef(i.indexrelid, 1, true) = quote_ident($3::text))) AS indexed,
       current_setting('track_commit_timestamp')::bool AS stamps
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`;

/**
 * What is to know of an outbox table.
 * @param table 'schema.table'
 * @throws PgfigError OUTBOX_UNFIT: it is not there, lacks columns, or the order of its events cannot be told
 */
export async function readOutboxTable(
  client: pg.ClientBase,
  table: string,
  columns: OutboxColumns,
  after: After,
): Promise<OutboxTable> {
  const { schema, name } = splitKey(table);
  const { rows } = await client.query<Facts>(FACTS, [schema, name, columns.sentAt]);
  const [facts] = rows;
  if (facts === undefined)
    throw unfit(`there is no outbox table ${table}`, 'Make it, or take it out of outbox.tables.');
  const types = new Map(facts.columns.map((column) => [column.name, column.type]));
  const asked = Object.entries(columns).filter(([role]) => role !== 'order' && (role !== 'sentAt' || after === 'mark'));
  for (const [role, column] of asked) {
    if (column === null || types.has(column)) continue;
    throw unfit(`outbox table ${table} has no column ${column}`, `Name its column in outbox.columns.${role}.`);
  }
  const quoted = qualified({ schema, table: name });
  const waiting = after === 'mark' ? ` WHERE ${ident(columns.sentAt)} IS NULL` : '';
  return {
    name: table,
    binary: types.get(columns.payload) === 'bytea',
    readSql: readSql(quoted, waiting, columns, types, orderOf(table, facts, columns)),
    doneSql: doneSql(quoted, after === 'mark' ? columns.sentAt : null),
    countSql: `SELECT count(*) AS count FROM (SELECT FROM ${quoted}${waiting} LIMIT ${MOST_COUNTED}) w`,
    warning: after === 'mark' && !facts.indexed ? unindexed(quoted, columns.sentAt) : null,
  };
}

const unindexed = (table: string, sentAt: string): string =>
  'every look at it reads all that was ever sent, so it is looked at less often. ' +
  `Make an index: CREATE INDEX CONCURRENTLY ON ${table} (${ident(sentAt)}) WHERE ${ident(sentAt)} IS NULL`;

function readSql(
  table: string,
  waiting: string,
  columns: OutboxColumns,
  types: ReadonlyMap<string, string>,
  order: string,
): string {
  const text = (column: string | null): string => (column === null ? 'NULL::text' : `o.${ident(column)}::text`);
  const payload = `o.${ident(columns.payload)}`;
  const bytes = types.get(columns.payload) === 'bytea' ? `encode(${payload}, 'hex')` : `${payload}::text`;
  return `
WITH e AS MATERIALIZED (
  SELECT o.tableoid::int8::text AS rel, o.ctid::text AS tid, o.xmin::text AS xmin,
         pg_relation_filenode(o.tableoid)::int8::text AS file, ${text(columns.id)} AS id,
         ${text(columns.aggregateType)} AS "aggregateType", ${text(columns.aggregateId)} AS "aggregateId",
         ${text(columns.type)} AS type, ${bytes} AS payload, row_number() OVER (ORDER BY ${order}) AS at
    FROM ${table} AS o${waiting} ORDER BY ${order} LIMIT $1)
SELECT w.* FROM (SELECT e.*, coalesce(sum(octet_length(payload)) OVER (ORDER BY at), 0) AS bytes FROM e) w
 WHERE at = 1 OR bytes <= $2 ORDER BY at`;
}

/**
 * A row that was changed after it was read is another one now, and is sent as that. In another file (VACUUM FULL,
 * CLUSTER) there are other rows of the same transaction where the sent ones were: then all are sent again.
 */
function doneSql(table: string, sentAt: string | null): string {
  const sent = 'unnest($1::int8[], $2::tid[], $3::text[], $4::int8[]) AS d (rel, tid, xmin, file)';
  // The list once more: the planner takes a scan by it, and no join would make it.
  const same =
    'o.ctid = ANY ($2::tid[]) AND o.ctid = d.tid AND o.tableoid = d.rel::oid AND o.xmin::text = d.xmin ' +
    'AND pg_relation_filenode(o.tableoid) = d.file::oid';
  return sentAt === null
    ? `DELETE FROM ${table} AS o USING ${sent} WHERE ${same}`
    : `UPDATE ${table} AS o SET ${ident(sentAt)} = now() FROM ${sent} WHERE ${same}`;
}

/**
 * The order of events that became visible between two turns. Transactions that work on one aggregate wait for each
 * other by locks of their own, so the later one has taken its sequence number after the earlier one has committed.
 * That holds neither for transaction ids, which are taken at a transaction's first write, nor for now().
 */
function orderOf(table: string, { columns, sequences, stamps }: Facts, { order, id }: OutboxColumns): string {
  if (order === 'xmin') return 'age(o.xmin) DESC, o.cmin::text::int8';
  if (order !== null) {
    if (!columns.some(({ name }) => name === order)) {
      throw unfit(`outbox table ${table} has no column ${order}`, 'Correct outbox.columns.order.');
    }
    requireUncached(table, sequences, order);
    return `o.${ident(order)}`;
  }
  const sequence = sequences.find(({ column }) => column === id) ?? sequences[0];
  if (sequence !== undefined) {
    requireUncached(table, sequences, sequence.column);
    return `o.${ident(sequence.column)}`;
  }
  if (stamps) return 'pg_xact_commit_timestamp(o.xmin) NULLS FIRST, o.cmin::text::int8';
  throw unfit(
    `the order of the events of outbox table ${table} cannot be told: it has no column that is filled from a sequence`,
    `Add one (ALTER TABLE ${table} ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY), or set track_commit_timestamp = on. ` +
      'Where transactions that write one aggregate never overlap, outbox.columns.order: xmin takes the order of transaction ids.',
  );
}

function requireUncached(table: string, sequences: Facts['sequences'], column: string): void {
  const sequence = sequences.find((one) => one.column === column);
  if (sequence === undefined || (sequence.cache === '1' && !sequence.increment.startsWith('-'))) return;
  throw unfit(
    `the sequence of ${column} of outbox table ${table} does not count upwards one by one for all sessions`,
    `ALTER SEQUENCE ... CACHE 1 with a positive increment, or name another column in outbox.columns.order.`,
  );
}

const unfit = (message: string, hint: string): PgfigError => new PgfigError('OUTBOX_UNFIT', message, { hint });
