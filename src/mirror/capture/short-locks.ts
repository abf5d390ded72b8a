import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';

/** One try of DDL that has to wait: who holds the table, and for how long it has been tried. */
export interface LockWait {
  /** What is being done: 'capture of public.orders'. */
  readonly what: string;
  readonly attempt: number;
  /** Milliseconds since the first try. */
  readonly waited: number;
  /** 'pid 4711 (pg_dump, in transaction for 35 s)' */
  readonly holders: readonly string[];
}

export interface LockPatience {
  /** Milliseconds after which it gives up; 2 minutes unless told. */
  readonly budget?: number;
  readonly onWait?: (wait: LockWait) => void;
}

export interface LockedWork {
  readonly what: string;
  readonly lock: string;
  readonly oids: readonly number[];
  readonly schema?: number;
}

const BUDGET_MS = 120_000;
/** Half a second above the server's deadlock_timeout: at that, autovacuum is made to give way. */
const ABOVE_DEADLOCK_MS = 500;
/** Those who queued behind the request go on in the pause. */
const PAUSE_MS = 1_000;

/** Lock not available; deadlock; canceled by statement_timeout. */
const BUSY = new Set(['55P03', '40P01', '57014']);

/**
 * Runs DDL on a table in a transaction of its own that stands in the table's lock queue no longer than a lock_timeout
 * slightly above the server's deadlock_timeout, in all: partitions are locked one by one, and every wait would have the
 * whole lock_timeout. When it gets no lock it leaves the queue, pauses, and tries again.
 *
 * @param lock the LOCK statement that the rest needs: 'LOCK TABLE ... IN SHARE ROW EXCLUSIVE MODE'
 * @param oids of the locked relations, to tell who holds them
 * @param schema key of an advisory lock that is taken first
 * @throws PgfigError MIRROR_BUSY when the budget is used up; what `work` throws
 */
export async function underShortLock(
  client: pg.ClientBase,
  { what, lock, oids, schema }: LockedWork,
  work: () => Promise<void>,
  { budget = BUDGET_MS, onWait }: LockPatience = {},
): Promise<void> {
  const timeout = await lockTimeout(client);
  const began = Date.now();
  for (let attempt = 1; ; attempt++) {
    await client.query(
      `BEGIN; SET LOCAL lock_timeout = ${timeout}; SET LOCAL statement_timeout = ${timeout + ABOVE_DEADLOCK_MS / 5}`,
    );
    try {
      if (schema !== undefined) await client.query('SELECT pg_advisory_xact_lock($1)', [schema]);
      await client.query(lock);
      await client.query('SET LOCAL statement_timeout = 0');
      await work();
      await client.query('COMMIT');
      return;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      if (!isBusy(error)) throw error;
      const holders = await holdersOf(client, oids);
      const waited = Date.now() - began;
      onWait?.({ what, attempt, waited, holders });
      if (waited >= budget) throw busy(what, waited, holders);
    }
    await sleep(PAUSE_MS * (0.5 + Math.random()));
  }
}

const isBusy = (error: unknown): boolean => error instanceof Error && 'code' in error && BUSY.has(String(error.code));

function busy(what: string, waited: number, holders: readonly string[]): PgfigError {
  const by = holders.length === 0 ? '' : `; it is held by ${holders.join(', ')}`;
  return new PgfigError('MIRROR_BUSY', `${what} got no lock within ${Math.round(waited / 1_000)} s${by}`, {
    hint: 'Let these transactions end and run it again: what is installed already is harmless, and the next run completes it.',
  });
}

/** Milliseconds. */
async function lockTimeout(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ ms: number }>(
    "SELECT setting::pg_catalog.int4 AS ms FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'",
  );
  return (rows[0]?.ms ?? 1_000) + ABOVE_DEADLOCK_MS;
}

/** Who has locks on the relations now. */
async function holdersOf(client: pg.ClientBase, oids: readonly number[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ holder: string }>(
    `SELECT CASE WHEN l.pid IS NULL THEN 'a prepared transaction (pg_prepared_xacts)' ELSE pg_catalog.format('pid %s (%s)', l.pid, pg_catalog.concat_ws(', ', nullif(a.application_name, ''), a.state,
              'in transaction for ' || extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::int4 || ' s')) END AS holder
       FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY ($1::int8[]::oid[])
        AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      GROUP BY l.pid, a.application_name, a.state, a.xact_start ORDER BY a.xact_start LIMIT 5`,
    [oids],
  );
  return rows.map(({ holder }) => holder);
}
