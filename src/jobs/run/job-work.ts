import type { Config } from '../../config/config.js';
import type { Mirror } from '../../mirror/mirror.js';
import type { TurnWork } from '../../mirror/relay/relay-events.js';
import type { TurnOutcome } from '../../mirror/turn-outcome.js';
import type { DivergenceStore } from '../store/divergence-store.js';
import type { Job } from '../store/job-store.js';

/** What jobs ask of the relay of their domain. */
export interface JobRelay {
  readonly mirror: Mirror;
  /** Null: another instance leads, or none. */
  readonly leader: object | null;
  turnAfterNow(): Promise<TurnOutcome> | null;
  whole(work: TurnWork): Promise<void>;
}

/** What a job's work is given. */
export interface JobRun<R extends JobRelay = JobRelay> {
  readonly config: Config;
  readonly job: Job;
  readonly relay: R;
  readonly divergences: DivergenceStore;
  /** Aborted: the job was canceled, taken over, or is to be left to the next process. */
  readonly signal: AbortSignal;
  /** Kept at the next beat, and shown: what a later run goes on from. Plain JSON. */
  progress(now: object): void;
  /** Kept when it resolves: for what a later run must know whatever happens. @throws what the driver throws */
  keep(now: object): Promise<void>;
}

/** What came of a job. */
export interface JobResult {
  /** false: the answer is no (something diverges). */
  readonly good: boolean;
}

export type JobWork<R extends JobRelay = JobRelay> = (run: JobRun<R>) => Promise<JobResult>;

const TRIES = 5;
const PAUSE_MS = 300;

/**
 * Runs `work` when both sides are the same moment. A turn may fail for reasons that are not the job's, and is tried
 * again; what `work` throws of itself is thrown as it is, and harms no turn.
 */
export async function inWholeTurn<T>(
  { relay, signal }: JobRun,
  work: (turn: Parameters<TurnWork>[0]) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    let outcome: { value: T } | { thrown: unknown } | null = null;
    try {
      await relay.whole(async (turn) => {
        outcome = await undone(turn, work);
      });
      const ended = outcome as { value: T } | { thrown: unknown } | null;
      if (ended === null) throw new Error('the turn has ended without its work');
      if ('value' in ended) return ended.value;
      throw new WorkFailed(ended.thrown);
    } catch (error) {
      if (error instanceof WorkFailed) throw error.cause;
      if (tries >= TRIES || relay.leader === null || signal.aborted) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
  }
}

/** What `work` does is undone where it throws: a statement that failed would make the relay's COMMIT a ROLLBACK. */
async function undone<T>(
  turn: Parameters<TurnWork>[0],
  work: (turn: Parameters<TurnWork>[0]) => Promise<T>,
): Promise<{ value: T } | { thrown: unknown }> {
  const onBoth = async (sql: string): Promise<void> => {
    await Promise.all([turn.source.query(sql), turn.target.query(sql)]);
  };
  await onBoth('SAVEPOINT pgfig_job');
  try {
    const value = await work(turn);
    await onBoth('RELEASE SAVEPOINT pgfig_job');
    return { value };
  } catch (thrown) {
    await onBoth('ROLLBACK TO SAVEPOINT pgfig_job; RELEASE SAVEPOINT pgfig_job');
    return { thrown };
  }
}

/** The turn went well, and what ran in it did not. */
class WorkFailed extends Error {
  constructor(cause: unknown) {
    super('work failed', { cause });
  }
}
