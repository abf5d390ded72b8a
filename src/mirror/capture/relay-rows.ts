import type pg from 'pg';
import { hasOwnTable } from '../../backend/schema-steps.js';
import type { Mirror } from '../mirror.js';
import type { DatabaseIdentity } from './source-identity.js';

/** The source that a target's copy of a domain is registered for; null: none yet. */
export interface RegisteredSource extends DatabaseIdentity {
  /** The id that the mirror had in that source. */
  readonly mirror: number;
}

/** Null also where schema pgfig is not there yet. @throws what the driver throws */
export async function registeredSource(client: pg.ClientBase, domain: string): Promise<RegisteredSource | null> {
  if (!(await hasOwnTable(client, 'relay'))) return null;
  const { rows } = await client.query<RegisteredSource>(
    `SELECT mirror, source_system AS system, source_database AS database, source_timeline AS timeline
       FROM pgfig.relay WHERE domain = $1`,
    [domain],
  );
  return rows[0] ?? null;
}

/** Where the source stands now. Taken when its triggers are committed: whatever it does not see is in the outbox. */
export interface SourceMoment {
  readonly position: string;
  readonly lsn: string;
  readonly at: string;
}

export async function sourceMoment(source: pg.ClientBase): Promise<SourceMoment> {
  const { rows } = await source.query<SourceMoment>(
    `SELECT pg_catalog.pg_current_snapshot()::text AS position, pg_catalog.pg_current_wal_insert_lsn()::text AS lsn,
            pg_catalog.clock_timestamp()::text AS at`,
  );
  const [moment] = rows;
  if (moment === undefined) throw new Error('pg_current_snapshot() gave no row');
  return moment;
}

/**
 * Registers the copy in the target. A row that is there keeps its position, unless it is of an earlier mirror of that
 * domain, whose outbox is gone: then nothing of the copy counts any more.
 * @throws what the driver throws
 */
export async function registerRelay(
  target: pg.ClientBase,
  { domain, tables }: Mirror,
  mirror: number,
  source: DatabaseIdentity,
  { position, lsn, at }: SourceMoment,
): Promise<void> {
  await target.query('BEGIN');
  try {
    const gone = await target.query('DELETE FROM pgfig.relay WHERE domain = $1 AND mirror <> $2', [domain, mirror]);
    if ((gone.rowCount ?? 0) > 0) await target.query('DELETE FROM pgfig.relay_tables WHERE domain = $1', [domain]);
    await target.query(
      `INSERT INTO pgfig.relay (domain, mirror, source_system, source_database, source_timeline, position, lsn, moment, applied_at, whole)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, pg_catalog.clock_timestamp(), true) ON CONFLICT (domain) DO NOTHING`,
      [domain, mirror, source.system, source.database, source.timeline, position, lsn, at],
    );
    await leaveRelay(target, domain, tables);
    await target.query(
      `INSERT INTO pgfig.relay_tables (domain, table_name, state)
       SELECT $1, t, 'new' FROM unnest($2::text[]) AS t ON CONFLICT DO NOTHING`,
      [domain, tables],
    );
    await target.query('COMMIT');
  } catch (error) {
    await target.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Forgets the tables that are not among these: they are relayed no longer. @throws what the driver throws */
export async function leaveRelay(target: pg.ClientBase, domain: string, tables: readonly string[]): Promise<void> {
  await target.query('DELETE FROM pgfig.relay_tables WHERE domain = $1 AND NOT table_name = ANY ($2::text[])', [
    domain,
    tables,
  ]);
}

/**
 * Says that a copied table may have missed changes, before its capture is mended: nothing is applied to it until it is
 * filled again, from the beginning: a backfill that went on, or a position of its own, would step over the gap. What was
 * never copied is as it was.
 * @returns whether there is such a copy
 */
export async function stallTable(target: pg.ClientBase, domain: string, table: string, gap: string): Promise<boolean> {
  const { rowCount } = await target.query(
    `UPDATE pgfig.relay_tables SET state = 'stalled', remedy = 'backfill', backfill = NULL, position = NULL, changed_at = pg_catalog.now(), reason = $3
      WHERE domain = $1 AND table_name = $2 AND state <> 'new'`,
    [
      domain,
      table,
      `${gap}, so changes may have passed unrecorded. Fill it again: pgfig backfill ${domain} --overwrite`,
    ],
  );
  return (rowCount ?? 0) > 0;
}
