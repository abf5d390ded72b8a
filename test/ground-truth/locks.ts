import type pg from 'pg';

/** A relation that this backend's transaction has locked. */
export interface Lock {
  readonly oid: number;
  /** 'AccessShareLock' and so on, the strongest last. */
  readonly modes: readonly string[];
}

/** From weak to strong (PostgreSQL documentation, Explicit Locking). */
const MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

const READ = `
SELECT relation::int AS oid, array_agg(DISTINCT mode) AS modes FROM pg_catalog.pg_locks
WHERE locktype = 'relation' AND pid = pg_catalog.pg_backend_pid() AND granted
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
GROUP BY relation`;

/** Locks on relations are held until the transaction ends, so they name all that its statements touched. */
export async function readLocks(client: pg.Client): Promise<Lock[]> {
  const { rows } = await client.query<Lock>(READ);
  return rows.map(({ oid, modes }) => ({
    oid,
    modes: [...modes].sort((a, b) => MODES.indexOf(a) - MODES.indexOf(b)),
  }));
}

/** Taken by what changes rows, or defines: INSERT, UPDATE, DELETE, DDL, maintenance. */
export const writes = (lock: Lock): boolean => MODES.indexOf(lock.modes.at(-1) ?? '') >= 2;

/** Taken by SELECT FOR UPDATE and its kin, and by the checks of foreign keys. */
export const locksRows = (lock: Lock): boolean => lock.modes.at(-1) === 'RowShareLock';

/** Relations in a plan of EXPLAIN (VERBOSE, FORMAT JSON), as `schema.name` parts. */
export function plannedRelations(plan: unknown, found: [schema: string, name: string][] = []): [string, string][] {
  if (Array.isArray(plan)) for (const part of plan) plannedRelations(part, found);
  else if (typeof plan === 'object' && plan !== null) {
    const node = plan as Record<string, unknown>;
    if (typeof node['Relation Name'] === 'string') found.push([String(node.Schema), node['Relation Name']]);
    for (const value of Object.values(node)) plannedRelations(value, found);
  }
  return found;
}
