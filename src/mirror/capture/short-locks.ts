import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';
import { literal } from '../shape/table-shape.js';
import { type Blockers, blockersOf, type LockMode, onlyAutovacuum } from './lock-queue.js';

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
  /** Before each try for a lock; what it throws ends them. */
  readonly beforeTry?: () => Promise<void>;
}

export interface LockedWork {
  readonly what: string;
  /** Quoted and qualified: '"schema"."table"'. */
  readonly tables: string;
  readonly mode: LockMode;
  /** Of the relations that are locked. */
  readonly oids: readonly number[];
  /** Key of an advisory lock that is taken first. */
  readonly schema?: number;
}

const BUDGET_MS = 120_000;
/** Writers notice no wait that short; those that come and go leave a gap in it. */
const SHORT_MS = 50;
/** Half a second above the server's deadlock_timeout: at that, autovacuum is made to give way. */
const ABOVE_DEADLOCK_MS = 500;
/** Locking each of many partitions takes its while. */
const LOCK_EACH_MS = 1;
/** What DDL on a locked table may take: some milliseconds are the rule. */
const DDL_MS = 2_000;
const DDL_EACH_MS = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
/** For each millisecond in the queue, in which writers wait behind: at most a twentieth of the time. */
const PAUSE_FOR_EACH = 19;

/** Lock not available; deadlock; canceled by statement_timeout. */
const BUSY = new Set(['55P03', '40P01', '57014']);

/**
 * Runs DDL on a table in a transaction of its own, sent as one message: while the lock is held nothing waits for this
 * process. It stands in the table's lock queue for a moment alone, or slightly longer than the server's
 * deadlock_timeout where an autovacuum is in the way; partitions are locked one by one, and the limit is on all of them.
 * When it gets no lock it leaves the queue and pauses, longer each time, so that of the time that it takes writers are
 * held up for a twentieth at most.
 *
 * @param statements what to run, as it is seen before each try
 * @throws PgfigError MIRROR_BUSY when the budget is spent; what the driver throws for other reasons
 */
export async function ddlUnderShortLock(
  client: pg.ClientBase,
  locked: LockedWork,
  statements: () => Promise<Ddl>,
  patience: LockPatience = {},
): Promise<void> {
  const ddlMs = DDL_MS + DDL_EACH_MS * locked.oids.length;
  await tries(client, locked, patience, async (begin) => {
    const ddl = ddlSql(await statements());
    return async () => void (await client.query(`${begin}; SET LOCAL statement_timeout = ${ddlMs}; ${ddl}; COMMIT`));
  });
}

/**
 * Runs `work` under a lock that is had as by ddlUnderShortLock. For tables that no user writes: they are locked for as
 * long as it takes.
 * @throws PgfigError MIRROR_BUSY; what the driver and `work` throw
 */
export async function underShortLock(
  client: pg.ClientBase,
  locked: LockedWork,
  work: () => Promise<void>,
  patience: LockPatience = {},
): Promise<void> {
  await tries(client, locked, patience, async (begin) => async () => {
    await client.query(`${begin}; SET LOCAL statement_timeout = 0`);
    await work();
    await client.query('COMMIT');
  });
}

export interface Ddl {
  readonly statements: readonly string[];
  /** Triggers that run these functions, 'pgfig.f()', are to fire always: clones for partitions are made on the way. */
  readonly always: readonly string[];
  /** Only on these relations. */
  readonly on?: readonly number[];
}

/** All of it as one statement, for which one statement_timeout counts. It is all or nothing. */
export function ddlSql({ statements, always, on }: Ddl): string {
  const where = on === undefined ? '' : `AND t.tgrelid = ANY ('{${on.join()}}'::pg_catalog.oid[])`;
  const enable = always.map(
    (name) => `
  FOR one IN SELECT t.tgrelid::pg_catalog.regclass AS relation, t.tgname AS name FROM pg_catalog.pg_trigger t
              WHERE t.tgfoid = ${literal(name)}::pg_catalog.regprocedure AND t.tgenabled <> 'A' ${where} LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', one.relation, one.name);
  END LOOP;`,
  );
  const body = `DECLARE one record;\nBEGIN${statements.map((sql) => `\n  EXECUTE ${literal(sql)};`).join('')}${enable.join('')}\nEND`;
  return `DO ${literal(body)}`;
}

/** @param prepare gets the beginning of the transaction, with the lock; it may look around, and gives what is to be run */
async function tries(
  client: pg.ClientBase,
  { what, tables, mode, oids, schema }: LockedWork,
  { budget = BUDGET_MS, onWait, beforeTry }: LockPatience,
  prepare: (begin: string) => Promise<() => Promise<void>>,
): Promise<void> {
  const began = Date.now();
  let before: Blockers | null = null;
  for (let attempt = 1; ; attempt++) {
    await beforeTry?.();
    const blockers: Blockers = await blockersOf(client, oids, mode);
    const timeout = onlyAutovacuum(blockers, before) ? await aboveDeadlock(client) : SHORT_MS;
    before = blockers;
    const first = schema === undefined ? '' : `; SELECT pg_advisory_xact_lock(${schema})`;
    const run = await prepare(
      `BEGIN; SET LOCAL lock_timeout = ${timeout}; SET LOCAL statement_timeout = ${2 * SHORT_MS + timeout + LOCK_EACH_MS * oids.length}` +
        `${first}; LOCK TABLE ${tables} IN ${mode} MODE`,
    );
    const started = performance.now();
    try {
      await run();
      return;
    } catch (error) {
      const blocked = performance.now() - started;
      await client.query('ROLLBACK').catch(() => {});
      if (!isBusy(error)) throw error;
      const holders = await holdersOf(client, oids);
      const waited = Date.now() - began;
      onWait?.({ what, attempt, waited, holders });
      const pause = pauseAfter(attempt, blocked);
      if (waited + pause > budget) throw busy(what, waited, holders);
      await sleep(pause);
    }
  }
}

function pauseAfter(attempt: number, blocked: number): number {
  const growing = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
  return Math.max(growing * (0.75 + Math.random() / 2), PAUSE_FOR_EACH * blocked);
}

const isBusy = (error: unknown): boolean => error instanceof Error && 'code' in error && BUSY.has(String(error.code));

function busy(what: string, waited: number, holders: readonly string[]): PgfigError {
  const by = holders.length === 0 ? '' : `; it is held by ${holders.join(', ')}`;
  return new PgfigError('MIRROR_BUSY', `${what} got no lock within ${Math.round(waited / 1_000)} s${by}`, {
    hint: 'Let these transactions end and run it again: what is installed already is harmless, and the next run completes it.',
  });
}

/** Milliseconds. */
async function aboveDeadlock(client: pg.ClientBase): Promise<number> {
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
