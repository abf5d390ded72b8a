import type { Config } from '../config/config.js';
import type { WorkerStatus } from './processes/messages.js';
import { rulesToWire } from './processes/wire-forms.js';
import type { ReloadOutcome, RulesKeeper } from './rules-keeper.js';

export type RulesState = Pick<RulesKeeper, 'current' | 'error' | 'errors' | 'pending' | 'warnings' | 'files'>;

/** Which version each worker routes by: all the same but for a moment after a change. */
export interface WorkerRules {
  readonly worker: number;
  readonly rulesVersion: number;
}

export const workerRules = (workers: readonly WorkerStatus[]): WorkerRules[] =>
  workers.map(({ worker, rulesVersion }) => ({ worker, rulesVersion }));

/**
 * The answer of /api/rules: what is in effect, where it came from, what waits and what is wrong; docs/operations.md
 * shows one. `pgfig check --diff` reads it, so what it needs to read the files as the running instance would is here
 * too: the default database and the names of all databases.
 */
export function rulesReport(config: Config, rules: RulesState, workers: readonly WorkerStatus[]): object {
  return {
    ...rulesToWire(rules.current),
    loadedAt: rules.current.loadedAt,
    knownDatabases: [...config.databases.keys()],
    source: { folder: config.rules, files: rules.files },
    pending: rules.pending,
    warnings: rules.warnings,
    error: rules.error,
    errors: rules.errors,
    workers: workerRules(workers),
  };
}

/** The answer of POST /api/reload. `everywhere`: every worker that listens routes by this version already. */
export function reloadReport(outcome: ReloadOutcome, workers: readonly WorkerStatus[]): object {
  return { ...outcome, workers: workerRules(workers), everywhere: takenEverywhere(outcome.version, workers) };
}

export const takenEverywhere = (version: number, workers: readonly WorkerStatus[]): boolean =>
  workers.every(({ listening, rulesVersion }) => !listening || rulesVersion >= version);
