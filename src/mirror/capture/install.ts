import type pg from 'pg';
import { ensureSchemaPart } from '../../backend/schema-steps.js';
import type { Config } from '../../config/config.js';
import { withBoth } from '../connection.js';
import { crashPoint } from '../crash-points.js';
import type { Mirror } from '../mirror.js';
import { readShapes } from '../shape/read-shapes.js';
import type { TableShape } from '../shape/table-shape.js';
import { CAPTURE_SCHEMA } from './capture-schema.js';
import { captureState, captureTable } from './capture-table.js';
import { loginWarning } from './checks/ownership-problems.js';
import { refuseWhatCannotBe } from './checks/refuse.js';
import { ensureMirror, exclusively, findMirror } from './exclusively.js';
import { dropGuards, guardTable } from './guards.js';
import { ensureRelayRole, grantRelay, mayBeReplica } from './relay-role.js';
import { leaveRelay, registerRelay, sourceMoment, stallTable } from './relay-rows.js';
import { RELAY_SCHEMA } from './relay-schema.js';
import { forgetTable, stopRecording, strayTables, unsentOf } from './release-table.js';
import type { LockPatience } from './short-locks.js';
import { readIdentity } from './source-identity.js';

export interface InstallOptions extends LockPatience {
  readonly onStep?: (step: InstallStep) => void;
}

export interface InstallStep {
  /** 'stopped': it has left the rule and is recorded no longer; 'released' once nothing of it is to be sent any more. */
  readonly kind: 'captured' | 'guarded' | 'stopped' | 'released' | 'stalled';
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
  /** What would better be otherwise. */
  readonly warnings: readonly string[];
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
    for (let tries = 1; ; tries++) {
      try {
        await refuseWhatCannotBe(source, target, mirror);
        break;
      } catch (error) {
        // A removal has just dropped pgfig's tables, while they were read.
        if (tries === 3 || !(error instanceof Error && 'code' in error && error.code === '42P01')) throw error;
      }
    }
    for (;;) {
      await ensureSchemaPart(source, CAPTURE_SCHEMA);
      const id = await ensureMirror(source, mirror.domain);
      if (id === null) continue;
      const installed = await exclusively(source, id, options, async () => {
        // A removal may have come in between.
        if ((await findMirror(source, mirror.domain)) !== id) return null;
        return installAll(source, target, mirror, id, options);
      });
      if (installed !== null) return installed;
    }
  });
}

const UNSENT = 'its change feed has yet to send what was recorded of it, which is kept until then';
const LOST = 'it was dropped, renamed or given another key: what its change feed had yet to send of it is not sent';

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
    if (state.gap !== '' && (await stallTable(target, mirror.domain, shape.name, state.gap))) {
      step('stalled', shape.name, state.gap);
    }
    await captureTable(source, id, shape, options);
    step('captured', shape.name);
    crashPoint('install-half');
  }
  // Before their triggers go, which may take long: the relay would find these missing, and stall what has left.
  await leaveRelay(target, mirror.domain, mirror.tables);
  const kept: string[] = [];
  for (const stray of await strayTables(source, id, here)) {
    const stopped = await stopRecording(source, stray, options);
    const unsent = await unsentOf(source, id, stray);
    if (unsent === 'waits') {
      if (stopped) step('stopped', stray.table, UNSENT);
      else kept.push(`table ${stray.table} has left the rule: ${UNSENT}`);
      continue;
    }
    await forgetTable(source, stray);
    step('released', stray.table, unsent === 'lost' ? LOST : undefined);
  }
  const text = { domain: mirror.domain, phase: mirror.phase, writtenIn: mirror.source };
  const guarded = mirror.rule.guard === 'off' ? [] : there;
  for (const shape of guarded) if (await guardTable(target, shape, text, options)) step('guarded', shape.name);
  await dropGuards(target, mirror.domain, guarded, options);
  await registerRelay(target, mirror, id, await readIdentity(source), await sourceMoment(source));
  const warnings = [
    ...kept,
    await loginWarning({ client: source, name: mirror.source }),
    await loginWarning({ client: target, name: mirror.target }),
  ].filter((text) => text !== '');
  return { mirror: id, changed: [...changed], replica: await mayBeReplica(target), warnings };
}

async function shapesOf(client: pg.ClientBase, { tables }: Mirror): Promise<readonly TableShape[]> {
  return [...(await readShapes(client, tables)).values()];
}
