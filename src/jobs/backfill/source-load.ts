import type pg from 'pg';

/** A standby that is further behind than this holds a backfill back. */
const MOST_LAG_SECONDS = 10;

/** pgfig's own connections have names that begin with its own; what waits for a client is no load. */
const LOAD = `
SELECT (SELECT count(*) FROM pg_stat_activity
         WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
           AND datname = current_database() AND application_name !~ '^pgfig')::int AS active,
       (SELECT coalesce(max(extract(epoch FROM replay_lag)), 0) FROM pg_stat_replication)::float8 AS lag`;

/**
 * Why a backfill should pause now; null: no reason.
 * @param most active sessions; null: any number
 * @throws what the driver throws
 */
export async function sourceLoad(source: pg.ClientBase, most: number | null): Promise<string | null> {
  const { rows } = await source.query<{ active: number; lag: number }>(LOAD);
  const { active = 0, lag = 0 } = rows[0] ?? {};
  if (most !== null && active > most) return `${active} active sessions on the source, more than ${most}`;
  return lag > MOST_LAG_SECONDS ? `a standby of the source is ${Math.round(lag)} s behind` : null;
}
