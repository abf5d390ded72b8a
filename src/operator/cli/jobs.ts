import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { BackfillArgs, BackfillResult } from '../../jobs/backfill/backfill-job.js';
import type { RepairArgs, RepairResult } from '../../jobs/repair/repair-job.js';
import type { StoredDivergence } from '../../jobs/store/divergence-store.js';
import type { Job, JobKind } from '../../jobs/store/job-store.js';
import type { VerifyArgs, VerifyResult } from '../../jobs/verify/verify-job.js';
import { mirrorStatus } from '../../mirror/capture/status.js';
import type { Mirror } from '../../mirror/mirror.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { backfillText, repairText, verifyText } from './jobs-text.js';
import { answered, mirrorNamed } from './named-domain.js';
import { JobDesk } from './watch-job.js';

export interface JobOptions {
  readonly config: string;
  readonly table?: string;
  readonly json?: boolean;
}

export interface BackfillOptions extends JobOptions {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly rate?: number;
  readonly maxLoad?: number;
  readonly jobs: number;
}

export interface VerifyOptions extends JobOptions {
  /** Percentage. */
  readonly sample?: number;
  readonly values?: boolean;
}

interface Streams {
  readonly output: Writable;
  readonly progress: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const STREAMS: Streams = { output: process.stdout, progress: process.stderr };
/** Divergences of one table that a verify looks for. */
export const MOST_DIVERGENCES = 10_000;
/** Divergences that are printed; all are in pgfig.divergences. */
const SHOWN = 100;

/**
 * `pgfig backfill DOMAIN`
 * @throws PgfigError NAME_UNKNOWN, MIRROR_REFUSED, CONFIG_INVALID, RULES_INVALID, BACKEND_UNREACHABLE, BACKEND_ANSWERED
 */
export async function backfill(name: string, options: BackfillOptions, streams: Streams = STREAMS): Promise<ExitCode> {
  const mode = options.resume ? 'resume' : options.overwrite ? 'replace' : 'fresh';
  const { rate = null, maxLoad = null, jobs } = options;
  return run(name, 'backfill', options, streams, (tables): BackfillArgs => ({ tables, mode, rate, maxLoad, jobs }), {
    text: (job) => backfillText(job.result as BackfillResult),
  });
}

/** `pgfig verify DOMAIN` @throws as backfill */
export async function verify(name: string, options: VerifyOptions, streams: Streams = STREAMS): Promise<ExitCode> {
  const { sample = 100, values = false } = options;
  const args = (tables: string[] | null): VerifyArgs => ({
    ...{ tables, sample, values, seed: randomUUID(), most: MOST_DIVERGENCES },
  });
  return run(name, 'verify', options, streams, args, {
    text: (job, found) => verifyText(job.result as VerifyResult, found),
  });
}

/** `pgfig repair DOMAIN` @throws as backfill */
export async function repair(name: string, options: JobOptions, streams: Streams = STREAMS): Promise<ExitCode> {
  const args = (tables: string[] | null): RepairArgs => ({ table: tables?.[0] ?? null });
  return run(name, 'repair', options, streams, args, { text: (job) => repairText(job.result as RepairResult, name) });
}

interface Shown {
  readonly text: (job: Job, found: readonly StoredDivergence[]) => string;
}

async function run(
  name: string,
  kind: JobKind,
  options: JobOptions,
  { output, progress }: Streams,
  args: (tables: string[] | null) => object,
  { text }: Shown,
): Promise<ExitCode> {
  const { config, mirror } = mirrorNamed(name, options);
  const tables = options.table === undefined ? null : [tableOf(mirror, options.table)];
  await refuseUnlessInstalled(config, mirror);
  const desk = new JobDesk(config);
  try {
    const job = await answered(() => desk.run(mirror, kind, args(tables), progress));
    const found =
      kind === 'verify' ? await desk.divergences.ofJob(job.id, options.json ? MOST_DIVERGENCES : SHOWN) : [];
    const { id, state, result, error } = job;
    if (options.json) output.write(`${JSON.stringify({ job: id, state, result, error, ...shownIn(kind, found) })}\n`);
    else if (state === 'done') output.write(text(job, found));
    else progress.write(`pgfig: ${kind} of ${name} ${state === 'canceled' ? 'was canceled' : `failed: ${error}`}\n`);
    return state === 'done' && (result as { good: boolean }).good ? EXIT.done : EXIT.no;
  } finally {
    await desk.close();
  }
}

/** @throws PgfigError MIRROR_REFUSED; as answered */
async function refuseUnlessInstalled(config: Config, mirror: Mirror): Promise<void> {
  const { installed } = await answered(() => mirrorStatus(config, mirror));
  if (installed) return;
  throw new PgfigError('MIRROR_REFUSED', `domain ${mirror.domain} is not wholly mirrored yet`, {
    hint: `Run pgfig mirror install ${mirror.domain} first; pgfig mirror status ${mirror.domain} shows what is missing.`,
  });
}

const shownIn = (kind: JobKind, divergences: readonly StoredDivergence[]): object =>
  kind === 'verify' ? { divergences } : {};

/** @throws PgfigError NAME_UNKNOWN */
function tableOf({ domain, tables }: Mirror, given: string): string {
  const table = tables.find((one) => one === given) ?? tables.find((one) => one === `public.${given}`);
  if (table !== undefined) return table;
  throw new PgfigError('NAME_UNKNOWN', `domain ${domain} has no table ${JSON.stringify(given)}`, {
    hint: `There are: ${tables.join(', ')}.`,
  });
}
