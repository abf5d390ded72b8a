import type pg from 'pg';
import { hasOwnTable, SCHEMA_LOCK } from '../../backend/schema-steps.js';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { openMirrorClient } from '../connection.js';
import { CAPTURE_SCHEMA, CAPTURE_TABLES } from './capture-schema.js';
import { exclusively, findMirror } from './exclusively.js';
import { dropGuards } from './guards.js';
import { dropRelayRole, RELAY_ROLE, revokeRelay } from './relay-role.js';
import { RELAY_SCHEMA, RELAY_TABLES, TAKE_TURN } from './relay-schema.js';
import { releaseTable, strayTables } from './release-table.js';
import { type LockPatience, underShortLock } from './short-locks.js';

export interface Removed {
  /** Tables that were captured. */
  readonly released: readonly string[];
  /** What could not be removed, and why; '' where nothing is left. */
  readonly left: string;
}

export interface MirrorSides {
  readonly domain: string;
  readonly source: string;
  /** Null: nobody knows (any more), and only the source is cleared. */
  readonly target: string | null;
}

/**
 * Removes what installMirror has made, source first: triggers, functions, guards, rows, and with the last domain of a
 * database the tables, and the schema where it holds nothing else. It may end anywhere, and the next run goes on. What
 * fails in the target is told in `left`.
 * @throws PgfigError MIRROR_BUSY, MIRROR_REFUSED, UNKNOWN_DATABASE; what the driver throws, all of the source
 */
export async function removeMirror(
  config: Config,
  { domain, source, target }: MirrorSides,
  patience: LockPatience = {},
): Promise<Removed> {
  const name = `pgfig mirror ${domain}`;
  const from = await openMirrorClient(config, source, name);
  try {
    const id = await findMirror(from, domain);
    if (id === null) {
      return {
        released: [],
        left: target === null ? '' : await clearTarget(config, { domain, target }, from, patience),
      };
    }
    return await exclusively(from, id, patience, async () => {
      const released = await removeCapture(from, id, patience);
      if (target === null) return { released, left: '' };
      return { released, left: await leftOf(domain, target, () => inTarget(config, target, name, domain, patience)) };
    });
  } finally {
    await from.end().catch(() => {});
  }
}

/**
 * Removes what a removal has left in the target; nothing where the domain is captured again, for then it is in use.
 * @returns what is left, and why; '' where nothing is
 * @throws UNKNOWN_DATABASE; what the driver throws, of the source
 */
export async function removeLeft(
  config: Config,
  { domain, source, target }: MirrorSides & { readonly target: string },
  patience: LockPatience = {},
): Promise<string> {
  const from = await openMirrorClient(config, source, `pgfig mirror ${domain}`);
  try {
    return await clearTarget(config, { domain, target }, from, patience);
  } finally {
    await from.end().catch(() => {});
  }
}

class CapturedAgain extends PgfigError {
  constructor(domain: string) {
    super('MIRROR_BUSY', `domain ${domain} is captured again`);
  }
}

/** Without a mirror there is no lock that would keep an install out: it is looked for before each step. */
async function clearTarget(
  config: Config,
  { domain, target }: { readonly domain: string; readonly target: string },
  source: pg.ClientBase,
  patience: LockPatience,
): Promise<string> {
  const beforeTry = async (): Promise<void> => {
    if ((await findMirror(source, domain)) === null) return;
    throw new CapturedAgain(domain);
  };
  return leftOf(domain, target, () =>
    inTarget(config, target, `pgfig mirror ${domain}`, domain, { ...patience, beforeTry }),
  );
}

/** Opened only now: a target that is gone for good does not keep the source's writers recording. */
async function inTarget(
  config: Config,
  target: string,
  name: string,
  domain: string,
  patience: LockPatience,
): Promise<string> {
  const to = await openMirrorClient(config, target, name);
  try {
    return await removeCopy(to, domain, patience);
  } finally {
    await to.end().catch(() => {});
  }
}

/** The source is cleared by now, so that a failure here is told with what it leaves. */
async function leftOf(domain: string, target: string, work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CapturedAgain) return `${error.message}, and the copy in ${target} is in use`;
    if (!(error instanceof Error)) throw error;
    return (
      `not wholly removed from ${target}: ${error.message || String(error)}\n` +
      `Nothing is recorded in the source any more. In ${target} there may still be guards, which refuse writes to the ` +
      `copy's tables, pgfig's rows or tables in schema pgfig, and role ${RELAY_ROLE}. Once ${target} answers and lets it: ` +
      `pgfig mirror remove ${domain}`
    );
  }
}

async function removeCapture(source: pg.ClientBase, id: number, patience: LockPatience): Promise<readonly string[]> {
  const captured = await strayTables(source, id, []);
  for (const table of captured) await releaseTable(source, table, patience);
  if (!(await othersThan(source, id))) {
    const tables = CAPTURE_TABLES.map((table) => `pgfig.${table}`).join(', ');
    let gone = false;
    const work = async (): Promise<void> => {
      if (await othersThan(source, id)) return;
      for (const table of CAPTURE_TABLES) await source.query(`DROP TABLE pgfig.${table}`);
      await dropPart(source, CAPTURE_SCHEMA.part);
      gone = true;
    };
    await underShortLock(
      source,
      { what: 'removal of the outbox', tables, mode: 'ACCESS EXCLUSIVE', oids: [], schema: SCHEMA_LOCK },
      work,
      patience,
    );
    if (gone) return captured.map(({ table }) => table);
  }
  await emptyOutbox(source, id);
  await source.query('DELETE FROM pgfig.consumers WHERE mirror = $1', [id]);
  await source.query('DELETE FROM pgfig.mirrors WHERE id = $1', [id]);
  return captured.map(({ table }) => table);
}

async function othersThan(source: pg.ClientBase, id: number): Promise<boolean> {
  const { rows } = await source.query<{ others: boolean }>(
    'SELECT EXISTS (SELECT FROM pgfig.mirrors WHERE id <> $1) AS others',
    [id],
  );
  return rows[0]?.others === true;
}

const BATCH = 20_000;

/** In batches: one DELETE of millions of rows would hold back vacuum everywhere. */
async function emptyOutbox(source: pg.ClientBase, id: number): Promise<void> {
  for (let more = true; more; ) {
    const { rowCount } = await source.query(
      `DELETE FROM pgfig.outbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM pgfig.outbox WHERE mirror = $1 LIMIT ${BATCH}))`,
      [id],
    );
    more = (rowCount ?? 0) === BATCH;
  }
}

/** @returns what is left, and why */
async function removeCopy(target: pg.ClientBase, domain: string, patience: LockPatience): Promise<string> {
  await patience.beforeTry?.();
  if (!(await hasOwnTable(target, 'relay'))) return dropRelayRole(target);
  const tables = await target.query<{ name: string }>(
    'SELECT table_name AS name FROM pgfig.relay_tables WHERE domain = $1',
    [domain],
  );
  await dropGuards(target, domain, [], patience);
  await patience.beforeTry?.();
  const names = tables.rows.map(({ name }) => name);
  await revokeRelay(target, names);
  await target.query('BEGIN');
  try {
    await target.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await target.query('DELETE FROM pgfig.relay_tables WHERE domain = $1', [domain]);
    await target.query('DELETE FROM pgfig.relay WHERE domain = $1', [domain]);
    const { rows } = await target.query<{ others: boolean }>('SELECT EXISTS (SELECT FROM pgfig.relay) AS others');
    if (rows[0]?.others === true) {
      await target.query('COMMIT');
      return '';
    }
    for (const table of RELAY_TABLES) await target.query(`DROP TABLE pgfig.${table}`);
    await target.query(`DROP FUNCTION pgfig.refuse(), ${TAKE_TURN}`);
    await dropPart(target, RELAY_SCHEMA.part);
    await target.query('COMMIT');
  } catch (error) {
    await target.query('ROLLBACK').catch(() => {});
    throw error;
  }
  return dropRelayRole(target);
}

/** Within a transaction: forgets a part's version, and drops the schema when nothing else is in it. */
async function dropPart(client: pg.ClientBase, part: string): Promise<void> {
  await client.query('DELETE FROM pgfig.schema_version WHERE part = $1', [part]);
  const { rows } = await client.query<{ used: boolean }>(
    `SELECT EXISTS (SELECT FROM pgfig.schema_version)
         OR EXISTS (SELECT FROM pg_class WHERE relnamespace = 'pgfig'::regnamespace AND relname NOT LIKE 'schema\\_version%')
         OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'pgfig'::regnamespace) AS used`,
  );
  if (rows[0]?.used === true) return;
  await client.query('DROP TABLE pgfig.schema_version; DROP SCHEMA pgfig');
}
