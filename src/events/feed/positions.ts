import type pg from 'pg';
import { parseSnapshot, type Snapshot, snapshotText } from '../../mirror/position/snapshot.js';

/** Name of the consumer in pgfig.consumers; a table that lags behind the others has one of its own. */
const CONSUMER = 'kafka';
const PREFIX = `${CONSUMER}:`;

/** What of a domain's events has been sent. */
export interface Positions {
  readonly mirror: number;
  readonly position: Snapshot;
  /** When everything that was there had been sent, at the latest. */
  readonly at: Date;
  /** 'schema.table' -> its own position */
  readonly apart: ReadonlyMap<string, Snapshot>;
}

/** Another feed has moved the position: what has just been sent may be sent again. */
export class PositionLost extends Error {
  constructor() {
    super('the position of the feed was moved by another instance');
    this.name = 'PositionLost';
  }
}

/** The position of one who has not begun yet: it sees nothing. */
const NOTHING = '3:3:';

/**
 * The positions; a feed that has none begins with what is written from now on.
 * @param client with no transaction open
 * @throws what the driver throws
 */
export async function readPositions(client: pg.ClientBase, mirror: number): Promise<Positions> {
  const found = await select(client, mirror);
  if (found !== null) return found;
  await register(client, mirror);
  const registered = await select(client, mirror);
  if (registered === null) throw new PositionLost();
  return registered;
}

/**
 * In two transactions. A commit may take long (a synchronous standby), and until then a sweep of the outbox does not see
 * this consumer: events that are later than the snapshot would be swept before the row counts. So the snapshot is taken
 * when a row is there that keeps every event.
 */
async function register(client: pg.ClientBase, mirror: number): Promise<void> {
  await client.query(
    `INSERT INTO pgfig.consumers (mirror, consumer, position, updated_at)
     VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT DO NOTHING`,
    [mirror, CONSUMER, NOTHING],
  );
  await client.query(
    `UPDATE pgfig.consumers SET position = pg_current_snapshot(), updated_at = clock_timestamp()
      WHERE mirror = $1 AND consumer = $2 AND position::text = $3`,
    [mirror, CONSUMER, NOTHING],
  );
}

/** @returns null: the feed has not begun */
async function select(client: pg.ClientBase, mirror: number): Promise<Positions | null> {
  const { rows } = await client.query<{ consumer: string; position: string; at: Date }>(
    `SELECT consumer, position::text, updated_at AS at FROM pgfig.consumers
      WHERE mirror = $1 AND (consumer = $2 OR starts_with(consumer, $3)) ORDER BY consumer`,
    [mirror, CONSUMER, PREFIX],
  );
  const own = rows.find(({ consumer }) => consumer === CONSUMER);
  if (own === undefined || own.position === NOTHING) return null;
  const apart = rows.filter((row) => row !== own);
  return {
    mirror,
    position: parseSnapshot(own.position),
    at: own.at,
    apart: new Map(apart.map((row) => [row.consumer.slice(PREFIX.length), parseSnapshot(row.position)])),
  };
}

const MOVE = `
UPDATE pgfig.consumers SET position = $4::pg_snapshot, updated_at = $5
 WHERE mirror = $1 AND consumer = $2 AND position::text = $3`;

/**
 * Moves the position of a domain's feed (compare and set); tables that had their own and are as far now, have it no
 * longer.
 * @throws PositionLost; what the driver throws
 */
export async function movePosition(
  client: pg.ClientBase,
  { mirror, position, at }: Positions,
  to: Snapshot,
  joined: readonly string[],
  moment: Date | null,
): Promise<void> {
  await client.query('BEGIN');
  const { rowCount } = await client.query(MOVE, [
    mirror,
    CONSUMER,
    snapshotText(position),
    snapshotText(to),
    moment ?? at,
  ]);
  if (rowCount !== 1) {
    await client.query('ROLLBACK');
    throw new PositionLost();
  }
  await forget(client, mirror, joined);
  await client.query('COMMIT');
}

/** Moves the position of a table that has its own. @throws PositionLost; what the driver throws */
export async function moveTable(
  client: pg.ClientBase,
  { mirror, apart }: Positions,
  table: string,
  to: Snapshot,
): Promise<void> {
  const from = apart.get(table);
  const values = [mirror, PREFIX + table, from && snapshotText(from), snapshotText(to), new Date()];
  if ((await client.query(MOVE, values)).rowCount !== 1) throw new PositionLost();
}

/** Gives tables positions of their own, where the domain's stands now. @throws PositionLost; what the driver throws */
export async function setApart(
  client: pg.ClientBase,
  { mirror, position }: Positions,
  tables: readonly string[],
): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO pgfig.consumers (mirror, consumer, position, updated_at)
     SELECT c.mirror, $3 || t, c.position, c.updated_at FROM pgfig.consumers c, unnest($4::text[]) AS t
      WHERE c.mirror = $1 AND c.consumer = $2 AND c.position::text = $5`,
    [mirror, CONSUMER, PREFIX, tables, snapshotText(position)],
  );
  if (rowCount !== tables.length) throw new PositionLost();
}

/** Takes their own positions from tables. @throws what the driver throws */
async function forget(client: pg.ClientBase, mirror: number, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  await client.query('DELETE FROM pgfig.consumers WHERE mirror = $1 AND consumer = ANY ($2::text[])', [
    mirror,
    tables.map((table) => PREFIX + table),
  ]);
}

/** Ends the positions of tables that are captured no longer, by what is captured now. @throws what the driver throws */
export async function forgetUncaptured(client: pg.ClientBase, mirror: number): Promise<void> {
  await client.query(
    `DELETE FROM pgfig.consumers c WHERE c.mirror = $1 AND starts_with(c.consumer, $2)
        AND NOT EXISTS (SELECT FROM pgfig.captured k WHERE k.mirror = c.mirror AND c.consumer = $2 || k.table_name)`,
    [mirror, PREFIX],
  );
}

/** Ends a feed for good: nothing is kept for it any more. @throws what the driver throws */
export async function endConsumer(client: pg.ClientBase, domain: string): Promise<void> {
  await client.query(
    `DELETE FROM pgfig.consumers c USING pgfig.mirrors m
      WHERE m.domain = $1 AND c.mirror = m.id AND (c.consumer = $2 OR starts_with(c.consumer, $3))`,
    [domain, CONSUMER, PREFIX],
  );
}
