import { type BackfillProgress, type BackfillRelay, backfillJob } from '../../jobs/backfill/backfill-job.js';
import { type RepairProgress, repairJob } from '../../jobs/repair/repair-job.js';
import type { JobWork } from '../../jobs/run/job-work.js';
import type { JobKind } from '../../jobs/store/job-store.js';
import { type VerifyProgress, verifyJob } from '../../jobs/verify/verify-job.js';

/** What each kind of job does. */
export const JOB_WORK: Readonly<Record<JobKind, JobWork<BackfillRelay>>> = {
  backfill: backfillJob,
  verify: verifyJob,
  repair: repairJob,
};

export interface JobSight {
  readonly rows: number;
  readonly total: number;
  readonly note: string;
}

/** How far a job is, from its progress as it is stored. */
export function sightOf(kind: JobKind, progress: unknown): JobSight {
  if (progress === null || progress === undefined || Object.keys(progress).length === 0)
    return { rows: 0, total: 0, note: '' };
  if (kind === 'repair') {
    const { repaired, open } = progress as RepairProgress;
    return { rows: repaired + open, total: 0, note: '' };
  }
  if (kind === 'verify') {
    const tables = Object.values((progress as VerifyProgress).tables);
    const found = tables.reduce((sum, table) => sum + table.found, 0);
    return {
      rows: tables.reduce((sum, { rows, skipped }) => sum + rows + skipped, 0),
      total: tables.reduce((sum, { estimate }) => sum + estimate, 0),
      note: found === 0 ? '' : `${found} divergences`,
    };
  }
  const { tables, paused } = progress as BackfillProgress;
  const copied = Object.values(tables);
  return {
    rows: copied.reduce((sum, { rows }) => sum + rows, 0),
    total: copied.reduce((sum, { estimate }) => sum + estimate, 0),
    note: paused === null ? '' : `pauses: ${paused}`,
  };
}
