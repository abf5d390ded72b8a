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

/**
 * Sessions of others show no state to a user without the right to see it: none would ever count.
 * @returns why the number of active sessions cannot be told, with what to do; null: it can
 * @throws what the driver throws
 */
export async function loadProblem(source: pg.ClientBase, name: string): Promise<string | null> {
  const { rows } = await source.query<{ me: string; may: boolean }>(
    "SELECT quote_ident(current_user) AS me, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS may",
  );
  const [facts] = rows;
  if (facts === undefined || facts.may) return null;
  return `database ${name}: --max-load counts active sessions, and user ${facts.me} may not see those of others. A DBA runs: GRANT pg_read_all_stats TO ${facts.me}`;
}
