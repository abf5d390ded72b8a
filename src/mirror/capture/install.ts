import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { ensureSchemaPart, SCHEMA_LOCK } from '../../backend/schema-steps.js';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { openMirrorClient } from '../connection.js';
import type { Mirror } from '../mirror.js';
import { readShapes } from '../shape/read-shapes.js';
import type { TableShape } from '../shape/table-shape.js';
import { CAPTURE_SCHEMA } from './capture-schema.js';
import { captureState, captureTable } from './capture-table.js';
import { dropGuards, guardTable } from './guards.js';
import { refuseWhatCannotBe } from './refusals.js';
import { ensureRelayRole, grantRelay, mayBeReplica } from './relay-role.js';
import { registerRelay, sourceMoment, stallTable } from './relay-rows.js';
import { RELAY_SCHEMA } from './relay-schema.js';
import { releaseTable, strayTables } from './release-table.js';
import type { LockPatience } from './short-locks.js';
import { readIdentity } from './source-identity.js';

/** The first key of the advisory lock that is held on the source while capture is installed or removed. */
const INSTALL_LOCK = 706_466_712;
const POLL_MS = 200;

export interface InstallOptions extends LockPatience {
  readonly onStep?: (step: InstallStep) => void;
}

export interface InstallStep {
  readonly kind: 'captured' | 'guarded' | 'released' | 'stalled';
  readonly table: string;
  readonly reason?: string;
}

export interface Installed {
  /** pgfig.mirrors.id on the source */
  readonly mirror: number;
  /** Tables whose capture or guard was made or mended. */
  readonly changed: readonly string[];
  /** Triggers and foreign keys of the target do not fire for the relay. */
  readonly replica: boolean;
}

/**
 * Installs, completes, mends or upgrades capture on the source and guards on the target, table by table, each under
 * short locks. It may end anywhere: what is there already is harmless, and the next run goes on. Two at once wait for
 * each other.
 *
 * @throws PgfigError MIRROR_REFUSED with every reason, before anything is changed; MIRROR_BUSY when a table's lock was
 *   not to be had; UNKNOWN_DATABASE; what the driver throws
 */
export async function installMirror(config: Config, mirror: Mirror, options: InstallOptions = {}): Promise<Installed> {
  return withBoth(config, mirror, async (source, target) => {
    await refuseWhatCannotBe(source, target, mirror);
    await ensureSchemaPart(source, CAPTURE_SCHEMA);
    const id = await mirrorId(source, mirror.domain);
    return exclusively(source, id, options, () => installAll(source, target, mirror, id, options));
  });
}

async function installAll(
  source: pg.ClientBase,
  target: pg.ClientBase,
  mirror: Mirror,
  id: number,
  options: InstallOptions,
): Promise<Installed> {
  const changed = new Set<string>();
  const step = (kind: InstallStep['kind'], table: string, reason?: string): void => {
    changed.add(table);
    options.onStep?.(reason === undefined ? { kind, table } : { kind, table, reason });
  };
  const here = await shapesOf(source, mirror);
  const there = await shapesOf(target, mirror);
  await ensureRelayRole(target);
  await ensureSchemaPart(target, RELAY_SCHEMA);
  await grantRelay(target, there);
  for (const shape of here) {
    const state = await captureState(source, id, shape);
    if (state.whole) continue;
    if (state.gap !== '') {
      await stallTable(target, mirror.domain, shape.name, state.gap);
      step('stalled', shape.name, state.gap);
    }
    await captureTable(source, id, shape, options);
    step('captured', shape.name);
  }
  for (const stray of await strayTables(source, id, here)) {
    await releaseTable(source, stray, options);
    step('released', stray.table);
  }
  const text = { domain: mirror.domain, phase: mirror.phase, writtenIn: mirror.source };
  const guarded = mirror.rule.guard === 'off' ? [] : there;
  for (const shape of guarded) if (await guardTable(target, shape, text, options)) step('guarded', shape.name);
  await dropGuards(target, mirror.domain, guarded, options);
  await registerRelay(target, mirror, id, await readIdentity(source), await sourceMoment(source));
  return { mirror: id, changed: [...changed], replica: await mayBeReplica(target) };
}

async function shapesOf(client: pg.ClientBase, { tables }: Mirror): Promise<readonly TableShape[]> {
  return [...(await readShapes(client, tables)).values()];
}

/** Opens both sides, source first, and closes them. */
export async function withBoth<T>(
  config: Config,
  { domain, source, target }: Pick<Mirror, 'domain' | 'source' | 'target'>,
  work: (source: pg.Client, target: pg.Client) => Promise<T>,
): Promise<T> {
  const open: pg.Client[] = [];
  try {
    for (const database of [source, target]) {
      open.push(await openMirrorClient(config, database, `pgfig mirror ${domain}`));
    }
    const [from, to] = open;
    if (from === undefined || to === undefined) throw new PgfigError('INTERNAL', 'no connection');
    return await work(from, to);
  } finally {
    await Promise.all(open.map((client) => client.end().catch(() => {})));
  }
}

/** The mirror's id, made where it is missing. */
async function mirrorId(source: pg.ClientBase, domain: string): Promise<number> {
  await source.query('BEGIN');
  try {
    await source.query('SELECT pg_catalog.pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await source.query(
      'INSERT INTO pgfig.mirrors (domain) SELECT $1 WHERE NOT EXISTS (SELECT FROM pgfig.mirrors WHERE domain = $1)',
      [domain],
    );
    const { rows } = await source.query<{ id: number }>('SELECT id FROM pgfig.mirrors WHERE domain = $1', [domain]);
    await source.query('COMMIT');
    return rows[0]?.id ?? 0;
  } catch (error) {
    await source.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Runs `work` while no other install or removal of that mirror runs. @throws PgfigError MIRROR_BUSY */
export async function exclusively<T>(
  source: pg.ClientBase,
  mirror: number,
  { budget = 120_000 }: LockPatience,
  work: () => Promise<T>,
): Promise<T> {
  const lock = async (name: string): Promise<boolean> => {
    const { rows } = await source.query<{ got: boolean }>(`SELECT pg_catalog.${name}($1, $2) AS got`, [
      INSTALL_LOCK,
      mirror,
    ]);
    return rows[0]?.got === true;
  };
  const deadline = Date.now() + budget;
  while (!(await lock('pg_try_advisory_lock'))) {
    if (Date.now() > deadline) throw new PgfigError('MIRROR_BUSY', 'another pgfig installs or removes this mirror');
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await lock('pg_advisory_unlock').catch(() => {});
  }
}
