import pg from 'pg';
import type { Change, Op } from '../envelope.js';
import type { FeedTable } from './feed-table.js';
import type { ChangedKey } from './waiting.js';

/** What a page holds at most, and what one statement brings; one row may be larger. */
const PAGE_BYTES = 8 * 1024 * 1024;
const READ_BYTES = 2 * 1024 * 1024;
const MOST_KEYS = 1_000;

/** A moment of the source: everything is read in the running transaction's snapshot. */
export interface Moment {
  readonly snapshot: string;
  /** Where the WAL was then: what is visible in the snapshot lies before it. */
  readonly lsn: string;
  readonly moment: Date;
}

/** A table cannot be read, for a reason of its own. */
export class TableFailure extends Error {
  readonly table: string;

  constructor(table: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'TableFailure';
    this.table = table;
  }
}

/**
 * Begins a snapshot. The locks come first: a snapshot taken before a rewriting ALTER TABLE shows its table empty.
 * @throws TableFailure where a table is not the one that was captured; what the driver throws
 */
export async function beginMoment(client: pg.ClientBase, tables: readonly FeedTable[]): Promise<Moment> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  for (const { name, quoted } of tables) await ofTable(name, client.query(`LOCK TABLE ${quoted} IN ACCESS SHARE MODE`));
  const { rows } = await client.query<Moment & { strange: string | null }>(
    `SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_insert_lsn()::text AS lsn,
            clock_timestamp() AS moment,
            (SELECT min(name) FROM unnest($1::text[], $2::int8[]) AS t (name, oid)
              WHERE to_regclass(name)::oid IS DISTINCT FROM oid::oid) AS strange`,
    [tables.map(({ quoted }) => quoted), tables.map(({ oid }) => oid)],
  );
  const [row] = rows;
  if (row === undefined) throw new TypeError('a SELECT without FROM gave no row');
  const strange = tables.find(({ quoted }) => quoted === row.strange);
  if (strange !== undefined) throw new TableFailure(strange.name, 'it is not the table any more that is captured');
  return row;
}

/** What of some keys fits into a page, and what is left for the next. */
export interface Page {
  readonly changes: readonly Change[];
  readonly left: readonly ChangedKey[];
}

export interface PageNames {
  readonly domain: string;
  topicOf(table: string): string;
  /** A key as it stands in the topic; both are JSON. */
  keyOf(table: string, key: string): string;
}

/**
 * The states of keys as they are now, table by table, each table's in their order.
 * @throws TableFailure; what the driver throws
 */
export async function readPage(
  client: pg.ClientBase,
  tables: ReadonlyMap<number, FeedTable>,
  keys: readonly ChangedKey[],
  moment: Moment,
  names: PageNames,
): Promise<Page> {
  const changes: Change[] = [];
  const left: ChangedKey[] = [];
  let bytes = 0;
  for (const [oid, ofOne] of byTable(keys)) {
    const table = tables.get(oid);
    if (table === undefined) continue;
    const make = changeMaker(table.name, moment, names);
    for (let at = 0; at < ofOne.length; ) {
      if (bytes >= PAGE_BYTES) {
        left.push(...ofOne.slice(at));
        break;
      }
      const read = await readSome(client, table, ofOne, at, make);
      for (const { state } of read) bytes += state?.length ?? 0;
      changes.push(...read);
      at += read.length;
    }
  }
  return { changes, left };
}

function byTable(keys: readonly ChangedKey[]): ReadonlyMap<number, readonly ChangedKey[]> {
  const groups = new Map<number, ChangedKey[]>();
  for (const key of keys) {
    const group = groups.get(key.oid);
    if (group === undefined) groups.set(key.oid, [key]);
    else group.push(key);
  }
  return groups;
}

type Make = (key: ChangedKey, json: string, state: string | null, op: Op) => Change;

const changeMaker =
  (table: string, { snapshot, moment }: Moment, { domain, topicOf, keyOf }: PageNames): Make =>
  ({ event }, json, state, op) => ({
    table,
    topic: topicOf(table),
    domain,
    id: `${domain}:${event}`,
    op,
    key: keyOf(table, json),
    state,
    position: snapshot,
    moment,
  });

/** At least one key from `at` on. */
async function readSome(
  client: pg.ClientBase,
  table: FeedTable,
  keys: readonly ChangedKey[],
  at: number,
  make: Make,
): Promise<Change[]> {
  const first = keys[at];
  if (first?.last === 'T') return [await emptied(client, first, make)];
  const some = keys.slice(at, at + MOST_KEYS);
  const truncate = some.findIndex(({ last }) => last === 'T');
  const asked = truncate < 0 ? some : some.slice(0, truncate);
  const { rows } = await ofTable(
    table.name,
    client.query<{ key: string; state: string | null }>(table.statesSql, [asked.map(({ key }) => key), READ_BYTES]),
  );
  return rows.flatMap(({ key, state }, index) => {
    const changed = asked[index];
    return changed === undefined ? [] : [make(changed, key, state, opOf(changed, state))];
  });
}

/** What a reader of the topic sees happen, whatever led to it between two turns. */
function opOf({ first }: ChangedKey, state: string | null): Op {
  if (state === null) return 'delete';
  return first === 'I' ? 'insert' : 'update';
}

async function emptied(client: pg.ClientBase, key: ChangedKey, make: Make): Promise<Change> {
  if (key.key === null) return make(key, 'null', null, 'truncate');
  const { rows } = await client.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = $1::int8::oid`,
    [key.key],
  );
  const partition = rows[0]?.name ?? key.key;
  return { ...make(key, JSON.stringify(partition), null, 'truncate'), partition };
}

/** SQLSTATE classes of what is wrong with the connection, the server or the moment, and not with a table. */
const NOT_OF_THE_TABLE = /^(?:08|25|40|53|55|57|58|XX)/;

async function ofTable<T>(table: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    if (code === undefined || NOT_OF_THE_TABLE.test(code)) throw error;
    throw new TableFailure(table, error instanceof Error ? error.message : String(error), error);
  }
}
