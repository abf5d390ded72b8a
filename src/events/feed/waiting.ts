import type pg from 'pg';
import type { Snapshot } from '../../mirror/position/snapshot.js';
import { ofTables } from '../../mirror/relay/events-sql.js';

/** Captured tables, and what of their events has been sent. */
export interface Since {
  readonly mirror: number;
  readonly oids: readonly number[];
  readonly position: Snapshot;
}

/** A key that has changed, or an emptied table. */
export interface ChangedKey {
  readonly oid: number;
  /** As the outbox has it; of an emptied table: null, or the partition's oid. */
  readonly key: string | null;
  /** Of its first event, and of its last. */
  readonly first: string;
  readonly last: string;
  /** `xid:id` of its last event. */
  readonly event: string;
}

/** Events that a turn takes at least, if so many wait. */
export const MOST_EVENTS = 5_000;

/**
 * The events that the running snapshot sees and the positions do not: what a position does not see is from its xmax on,
 * or was under way then. Both are ranges of the index.
 * @param cut only transactions below this one; null: all
 */
export function eventsSince(since: readonly Since[], cut: bigint | null): string {
  return since.flatMap((one) => rangesOf(one, cut)).join(' UNION ALL ');
}

function rangesOf({ mirror, oids, position }: Since, cut: bigint | null): string[] {
  const below = cut === null ? '' : ` AND xid < '${cut}'::xid8`;
  const from = `SELECT id, xid, tbl, op, key FROM pgfig.outbox WHERE mirror = ${mirror} AND ${ofTables(oids)}${below}`;
  const ranges = [`${from} AND xid >= '${position.xmax}'::xid8`];
  if (position.xip.length > 0) ranges.push(`${from} AND xid = ANY ('{${position.xip.join(',')}}'::xid8[])`);
  return ranges;
}

/** Where a backlog is cut. */
export interface Cut {
  /** Only transactions below this one are taken; null: all. */
  readonly below: bigint | null;
  /** One transaction alone has more than the most that is wanted. */
  readonly large: boolean;
}

/**
 * Where to cut so that about `most` events are taken; a transaction is never divided.
 * @throws what the driver throws
 */
export async function findCut(client: pg.ClientBase, since: readonly Since[], most: number): Promise<Cut> {
  // Each table's range is read in its order up to the bound, and no further, however much waits.
  const each = since
    .flatMap(({ oids, ...rest }) => oids.flatMap((oid) => rangesOf({ ...rest, oids: [oid] }, null)))
    .map((range) => `(SELECT xid FROM (${range}) r ORDER BY xid LIMIT ${most + 1})`)
    .join(' UNION ALL ');
  if (each === '') return { below: null, large: false };
  const { rows } = await client.query<{ first: string; nth: string; next: string | null }>(
    `WITH e AS MATERIALIZED (SELECT xid FROM (${each}) u ORDER BY xid LIMIT ${most + 1}),
          n AS (SELECT xid FROM e ORDER BY xid OFFSET ${most} LIMIT 1)
     SELECT (SELECT xid FROM e ORDER BY xid LIMIT 1)::text AS first, n.xid::text AS nth,
            CASE WHEN n.xid = (SELECT xid FROM e ORDER BY xid LIMIT 1) THEN
              (SELECT xid FROM (${eventsSince(since, null)}) a WHERE a.xid > n.xid ORDER BY xid LIMIT 1)::text END AS next
       FROM n`,
  );
  const [row] = rows;
  if (row === undefined) return { below: null, large: false };
  if (row.first !== row.nth) return { below: BigInt(row.nth), large: false };
  return { below: row.next === null ? null : BigInt(row.next), large: true };
}

interface KeyRow {
  readonly oid: string;
  readonly key: string | null;
  readonly first: string;
  readonly last: string;
  readonly event: string;
}

const toKey = ({ oid, ...rest }: KeyRow): ChangedKey => ({ oid: Number(oid), ...rest });

/** A key's events are told apart by their ids: who writes a row has waited for whoever wrote it before. */
const keysSql = (events: string): string =>
  `SELECT tbl::int8::text AS oid, key, (array_agg(op ORDER BY id))[1]::text AS first,
          (array_agg(op ORDER BY id DESC))[1]::text AS last,
          (array_agg(xid::text || ':' || id ORDER BY id DESC))[1] AS event
     FROM (${events}) e GROUP BY tbl, op = 'T', key ORDER BY max(id)`;

const CURSOR = 'pgfig_changed_keys';

/** The changed keys of a turn, in the order of their last events, some at a time. */
export interface KeySource {
  next(): Promise<readonly ChangedKey[]>;
  close(): Promise<void>;
}

/**
 * Opens the keys within the running transaction. Those of a large transaction stay in the server, materialized when
 * this transaction commits: then they hold no snapshot.
 * @throws what the driver throws
 */
export async function changedKeys(client: pg.ClientBase, since: readonly Since[], cut: Cut): Promise<KeySource> {
  const sql = keysSql(eventsSince(since, cut.below));
  if (!cut.large) {
    const { rows } = await client.query<KeyRow>(sql);
    let keys = rows.map(toKey);
    return {
      next: async () => keys.splice(0),
      close: async () => {
        keys = [];
      },
    };
  }
  await client.query(`DECLARE ${CURSOR} NO SCROLL CURSOR WITH HOLD FOR ${sql}`);
  return {
    next: async () => (await client.query<KeyRow>(`FETCH ${MOST_EVENTS} FROM ${CURSOR}`)).rows.map(toKey),
    close: async () => {
      await client.query(`CLOSE ${CURSOR}`);
    },
  };
}

/** Whether any event waits: asked without a lock on any table. @throws what the driver throws */
export async function anyWaiting(client: pg.ClientBase, since: readonly Since[]): Promise<boolean> {
  const { rows } = await client.query<{ waits: boolean }>(
    `SELECT EXISTS (SELECT FROM (${eventsSince(since, null)}) e) AS waits`,
  );
  return rows[0]?.waits === true;
}

/** How many events wait. @throws what the driver throws */
export async function countWaiting(client: pg.ClientBase, since: readonly Since[]): Promise<number> {
  if (since.length === 0) return 0;
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM (${eventsSince(since, null)}) e`);
  return Number(rows[0]?.count ?? 0);
}
