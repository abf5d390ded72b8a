import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { hasOwnTable, SCHEMA_LOCK } from '../../backend/schema-steps.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { LockPatience } from './short-locks.js';

/** The first key of the advisory lock that is held on the source while capture is installed or removed. */
const INSTALL_LOCK = 706_466_712;
const POLL_MS = 200;
const BUDGET_MS = 120_000;

/** pgfig.mirrors.id of a domain; null: it has none there. @throws what the driver throws */
export async function findMirror(source: pg.ClientBase, domain: string): Promise<number | null> {
  if (!(await hasOwnTable(source, 'mirrors'))) return null;
  const { rows } = await source.query<{ id: number }>('SELECT id FROM pgfig.mirrors WHERE domain = $1', [domain]);
  return rows[0]?.id ?? null;
}

/**
 * The id of a domain's mirror, made where it is missing; null: somebody has just removed the tables.
 * @throws what the driver throws
 */
export async function ensureMirror(source: pg.ClientBase, domain: string): Promise<number | null> {
  await source.query('BEGIN');
  try {
    // Not ON CONFLICT, which would take a number of the sequence at each install.
    await source.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    let id = await findMirror(source, domain);
    if (id === null && (await hasOwnTable(source, 'mirrors'))) {
      const { rows } = await source.query<{ id: number }>(
        'INSERT INTO pgfig.mirrors (domain) VALUES ($1) RETURNING id',
        [domain],
      );
      id = rows[0]?.id ?? 0;
    }
    await source.query('COMMIT');
    return id;
  } catch (error) {
    await source.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Runs `work` while no other install or removal of that mirror runs. @throws PgfigError MIRROR_BUSY */
export async function exclusively<T>(
  source: pg.ClientBase,
  mirror: number,
  { budget = BUDGET_MS }: LockPatience,
  work: () => Promise<T>,
): Promise<T> {
  const call = async (name: 'pg_try_advisory_lock' | 'pg_advisory_unlock'): Promise<boolean> => {
    const { rows } = await source.query<{ done: boolean }>(`SELECT ${name}($1, $2) AS done`, [INSTALL_LOCK, mirror]);
    return rows[0]?.done === true;
  };
  const deadline = Date.now() + budget;
  while (!(await call('pg_try_advisory_lock'))) {
    if (Date.now() > deadline) {
      throw new PgfigError('MIRROR_BUSY', 'another pgfig has been installing or removing this mirror for too long', {
        hint: 'Let it end, and run it again.',
      });
    }
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await call('pg_advisory_unlock').catch(() => {});
  }
}
