import { PgfigError } from '../../errors/pgfig-error.js';
import { readShapes } from '../../mirror/shape/read-shapes.js';
import { inWholeTurn, type JobResult, type JobRun } from '../run/job-work.js';
import { TableVerify } from './table-verify.js';
import { BEGIN, type VerifyState } from './verify-state.js';

export interface VerifyArgs {
  /** 'schema.table'; null: all of the domain. */
  readonly tables: readonly string[] | null;
  readonly sample: number;
  readonly seed: string;
  readonly values: boolean;
  /** The most divergences of one table that are looked for. */
  readonly most: number;
}

export interface VerifyProgress {
  /** By 'schema.table', in the order of the work. */
  readonly tables: Readonly<Record<string, VerifyState & { readonly estimate: number }>>;
}

export interface TableVerdict {
  readonly table: string;
  readonly rows: number;
  readonly skipped: number;
  readonly divergences: number;
  /** There are more: the table was given up. */
  readonly cutShort: boolean;
  /** Why it was not compared; null: it was. */
  readonly problem: string | null;
}

export interface VerifyResult extends JobResult {
  readonly divergences: number;
  readonly tables: readonly TableVerdict[];
}

/** How long a step may hold the turn, and with it whoever waits for the next one. */
const STEP_MS = 250;

/** Compares the tables one after the other; goes on where a run before has ended. */
export async function verifyJob(run: JobRun): Promise<VerifyResult> {
  const args = run.job.args as VerifyArgs;
  const tables = args.tables ?? run.relay.mirror.tables;
  const done: Record<string, VerifyState & { estimate: number }> = {
    ...(run.job.progress as VerifyProgress | null)?.tables,
  };
  const verdicts: TableVerdict[] = [];
  for (const table of tables) {
    const { estimate = await estimateOf(run, table), ...state } =
      done[table] ?? (BEGIN as VerifyState & { estimate?: number });
    const verify = new TableVerify(table, args, state);
    let problem: string | null = null;
    try {
      while (!verify.done && !run.signal.aborted) {
        await step(run, verify);
        done[table] = { ...verify.state, estimate };
        run.progress({ tables: { ...done } });
      }
    } catch (error) {
      if (!(error instanceof PgfigError)) throw error;
      problem = error.message;
    }
    if (run.signal.aborted) break;
    if (problem === null && args.sample >= 100 && !verify.cutShort)
      await run.divergences.closeOthers(run.job.domain, table, run.job.id);
    const { rows, skipped, found } = verify.state;
    verdicts.push({ table, rows, skipped, divergences: found, cutShort: verify.cutShort, problem });
  }
  const divergences = verdicts.reduce((sum, verdict) => sum + verdict.divergences, 0);
  return {
    good: divergences === 0 && verdicts.every(({ problem }) => problem === null),
    divergences,
    tables: verdicts,
  };
}

/** One step, in a turn of its own; what it found is kept before the next one. */
async function step(run: JobRun, verify: TableVerify): Promise<void> {
  const { table } = verify;
  const done = await inWholeTurn(run, async ({ source, target, shapes }) => {
    const here = shapes.get(table);
    if (here === undefined) throw new PgfigError('NOT_COMPARABLE', `${table} is not in step`, { hint: NOT_IN_STEP });
    const there = (await readShapes(target, [table])).get(table);
    if (there === undefined) throw new PgfigError('NOT_COMPARABLE', `${table} is not in ${run.relay.mirror.target}`);
    return verify.step({ source, target }, here, there, STEP_MS);
  });
  await run.divergences.record(run.job.domain, table, run.job.id, done.found);
  verify.took(done);
}

const NOT_IN_STEP = 'pgfig relay status says why; a table that was not copied yet needs pgfig backfill.';

/** Rows as the source's statistics have them. */
async function estimateOf(run: JobRun, table: string): Promise<number> {
  return inWholeTurn(run, async ({ source, shapes }) => {
    const oids = shapes.get(table);
    if (oids === undefined) return 0;
    const leaves = oids.kind === 'partitioned' ? oids.partitions.map(({ oid }) => oid) : [oids.oid];
    const { rows } = await source.query<{ rows: string }>(
      'SELECT coalesce(sum(greatest(reltuples, 0)), 0)::int8 AS rows FROM pg_class WHERE oid = ANY ($1::oid[])',
      [leaves],
    );
    return Number(rows[0]?.rows ?? 0);
  });
}
