import type pg from 'pg';

export type LockMode = 'SHARE ROW EXCLUSIVE' | 'ACCESS EXCLUSIVE';

/** Modes that a lock of that mode does not wait for. */
const HARMLESS: Readonly<Record<LockMode, readonly string[]>> = {
  'SHARE ROW EXCLUSIVE': ['AccessShareLock', 'RowShareLock'],
  'ACCESS EXCLUSIVE': [],
};

/** Who a lock on relations would wait for. */
export interface Blockers {
  /** An autovacuum that gives way to whoever waits for longer than deadlock_timeout. */
  readonly autovacuum: boolean;
  /** Virtual transactions of all others. */
  readonly others: ReadonlySet<string>;
}

export const NO_BLOCKERS: Blockers = { autovacuum: false, others: new Set() };

/**
 * Looks who holds locks that would be waited for. What another user's session is may be hidden from us: then it counts
 * as an autovacuum if it holds what one does. One against wraparound does not give way.
 * @throws what the driver throws
 */
export async function blockersOf(client: pg.ClientBase, oids: readonly number[], mode: LockMode): Promise<Blockers> {
  const { rows } = await client.query<{ transaction: string; autovacuum: boolean }>(
    `SELECT l.virtualtransaction AS transaction,
            pg_catalog.bool_and(l.mode = 'ShareUpdateExclusiveLock' AND l.pid IS NOT NULL
              AND (a.backend_type IS NULL OR a.backend_type = 'autovacuum worker')
              AND coalesce(a.query, '') NOT LIKE '%(to prevent wraparound)') AS autovacuum
       FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY ($1::int8[]::oid[])
        AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() AND NOT l.mode = ANY ($2::text[])
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      GROUP BY l.virtualtransaction`,
    [oids, HARMLESS[mode]],
  );
  return {
    autovacuum: rows.some(({ autovacuum }) => autovacuum),
    others: new Set(rows.filter(({ autovacuum }) => !autovacuum).map(({ transaction }) => transaction)),
  };
}

/**
 * Whether to stand in the queue for so long that autovacuum gives way: where nobody else is in the way but writers that
 * come and go, as those that a look some time before has not seen.
 */
export const onlyAutovacuum = (now: Blockers, before: Blockers | null): boolean =>
  now.autovacuum &&
  (now.others.size === 0 || (before !== null && [...now.others].every((one) => !before.others.has(one))));
