import type pg from 'pg';
import { openMirrorClient } from '../../mirror/connection.js';
import type { JobRelay, JobResult, JobRun } from '../run/job-work.js';
import { checkBeforeBackfill } from './pre-checks.js';
import { advanceSequences, type SequenceSet } from './sequences.js';
import { sourceLoad } from './source-load.js';
import { Throttle } from './throttle.js';

export interface BackfillArgs {
  /** 'schema.table'; null: all of the domain. */
  readonly tables: readonly string[] | null;
  /** fresh: into empty tables; resume: go on with what was begun; replace: over what the target has. */
  readonly mode: 'fresh' | 'resume' | 'replace';
  /** Rows per second over all tables; null: as fast as it goes. */
  readonly rate: number | null;
  /** Active sessions on the source beyond which it pauses; null: any number. */
  readonly maxLoad: number | null;
  /** Tables that are copied at a time. */
  readonly jobs: number;
}

export interface TableProgress {
  readonly rows: number;
  readonly estimate: number;
  readonly done: boolean;
}

export interface BackfillProgress {
  /** By 'schema.table': those that were begun. */
  readonly tables: Readonly<Record<string, TableProgress>>;
  /** Why it pauses; null: it does not. */
  readonly paused: string | null;
  /** The checks are passed: rows of the target may be this job's own from here on. */
  readonly checked: boolean;
}

export interface BackfillResult extends JobResult {
  readonly rows: number;
  readonly sequences: readonly SequenceSet[];
}

/** How far the relay is with one table. */
export interface CopyProgress {
  readonly rows: number;
  readonly estimate: number;
}

/** What a backfill asks of the relay. */
export interface BackfillRelay extends JobRelay {
  backfill(
    table: string,
    options: {
      readonly mode: 'fresh' | 'replace' | 'resume';
      readonly pace: () => Promise<number>;
      readonly onProgress: (progress: CopyProgress) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<void>;
}

const TRIES = 5;
const PAUSE_MS = 1_000;

/** Copies the domain's tables, several at a time, and sets the target's sequences past the source's. */
export async function backfillJob(run: JobRun<BackfillRelay>): Promise<BackfillResult> {
  const { mirror } = run.relay;
  const source = await openMirrorClient(run.config, mirror.source, 'pgfig backfill');
  let target: pg.Client | null = null;
  try {
    target = await openMirrorClient(run.config, mirror.target, 'pgfig backfill');
    return await new Backfill(run, source, target).run();
  } finally {
    source.end().catch(() => {});
    target?.end().catch(() => {});
  }
}

class Backfill {
  readonly #run: JobRun<BackfillRelay>;
  readonly #args: BackfillArgs;
  readonly #source: pg.Client;
  readonly #target: pg.Client;
  readonly #throttle: Throttle;
  readonly #tables: Record<string, TableProgress>;
  /** Stops the other tables when one fails. */
  readonly #stop = new AbortController();
  #paused: string | null = null;
  /** An earlier run of this job may have begun any table: progress is kept now and then, and may not say so. */
  readonly #again: boolean;

  constructor(run: JobRun<BackfillRelay>, source: pg.Client, target: pg.Client) {
    this.#run = run;
    this.#args = run.job.args as BackfillArgs;
    this.#source = source;
    this.#target = target;
    const before = run.job.progress as Partial<BackfillProgress> | null;
    this.#tables = { ...before?.tables };
    this.#again = before?.checked === true;
    this.#throttle = new Throttle({
      rate: this.#args.rate,
      load: () => sourceLoad(source, this.#args.maxLoad),
      onPause: (reason) => {
        this.#paused = reason;
        this.#tell();
      },
      signal: this.#signal,
    });
  }

  get #signal(): AbortSignal {
    return AbortSignal.any([this.#run.signal, this.#stop.signal]);
  }

  async run(): Promise<BackfillResult> {
    const { mirror } = this.#run.relay;
    const tables = this.#args.tables ?? mirror.tables;
    const empty = this.#args.mode === 'fresh' && !this.#again;
    const needs = { empty, seesLoad: this.#args.maxLoad !== null };
    await checkBeforeBackfill(this.#source, this.#target, mirror, tables, needs);
    await this.#keepChecked();
    const waiting = tables.filter((table) => this.#tables[table]?.done !== true);
    const lanes = Array.from({ length: Math.min(this.#args.jobs, waiting.length) }, () => this.#lane(waiting));
    const ended = await Promise.allSettled(lanes);
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
    const rows = Object.values(this.#tables).reduce((sum, table) => sum + table.rows, 0);
    if (this.#run.signal.aborted) return { good: false, rows, sequences: [] };
    return { good: true, rows, sequences: await advanceSequences(this.#source, this.#target, tables) };
  }

  /** Takes table after table. */
  async #lane(waiting: string[]): Promise<void> {
    const signal = this.#signal;
    try {
      for (let table = waiting.shift(); table !== undefined && !signal.aborted; table = waiting.shift()) {
        await this.#copy(table, signal);
      }
    } catch (error) {
      this.#stop.abort();
      throw error;
    }
  }

  async #copy(table: string, signal: AbortSignal): Promise<void> {
    const fresh = this.#args.mode === 'fresh';
    let mode: BackfillArgs['mode'] = table in this.#tables || (fresh && this.#again) ? 'resume' : this.#args.mode;
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        await this.#run.relay.backfill(table, {
          mode,
          signal,
          pace: () => this.#throttle.pace(),
          onProgress: ({ rows, estimate }) => {
            // What is told is kept in the target: from here on it can be resumed.
            mode = 'resume';
            tries = 0;
            this.#throttle.note(Math.max(0, rows - (this.#tables[table]?.rows ?? 0)));
            this.#tables[table] = { rows, estimate: Math.max(rows, estimate), done: false };
            this.#tell();
          },
        });
        if (signal.aborted) return;
        const { rows, estimate } = this.#tables[table] ?? { rows: 0, estimate: 0 };
        this.#tables[table] = { rows, estimate, done: true };
        this.#tell();
        return;
      } catch (error) {
        if (!retryable(error) || tries >= TRIES || this.#run.relay.leader === null || signal.aborted) throw error;
        // What was copied before it failed may not have been told.
        if (fresh) mode = 'resume';
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  /** Before the first row: a run that dies before its next beat leaves rows that the next one must know for its own. */
  async #keepChecked(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#run.keep(this.#progress());
      } catch (error) {
        if (tries >= TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  #tell(): void {
    this.#run.progress(this.#progress());
  }

  #progress(): BackfillProgress {
    return { tables: { ...this.#tables }, paused: this.#paused, checked: true };
  }
}

/** What pgfig itself refuses will be refused again. */
const retryable = (error: unknown): boolean => !(error instanceof Error && error.name === 'PgfigError');
