import type pg from 'pg';

/** Which database this is: a clone of it on other disks has the same system, until it was promoted on its own. */
export interface DatabaseIdentity {
  /** pg_control_system().system_identifier */
  readonly system: string;
  /** Its name. */
  readonly database: string;
  /** Grows with every promotion of a standby. */
  readonly timeline: number;
}

/** @throws what the driver throws; a standby writes no WAL, and has no timeline to tell */
export async function readIdentity(client: pg.ClientBase): Promise<DatabaseIdentity> {
  const { rows } = await client.query<DatabaseIdentity>(
    `SELECT (pg_catalog.pg_control_system()).system_identifier::text AS system, pg_catalog.current_database()::text AS database,
            ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int4 AS timeline`,
  );
  return rows[0] ?? { system: '', database: '', timeline: 0 };
}

export const sameDatabase = (a: DatabaseIdentity, b: DatabaseIdentity): boolean =>
  a.system === b.system && a.database === b.database && a.timeline === b.timeline;
