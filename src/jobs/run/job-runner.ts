import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../../config/config.js';
import type { DivergenceStore } from '../store/divergence-store.js';
import type { Job, JobKind, JobStore } from '../store/job-store.js';
import type { JobRelay, JobWork } from './job-work.js';

const POLL_MS = 500;
const BEAT_MS = 2_000;
/** Beats that fail for longer than this: others take the job for dead. A little less than they wait. */
const MUTE_MS = 12_000;

export interface RunnerEvents {
  onStarted(job: Job): void;
  /** `error`: null for one that is done, canceled or left to the next process. */
  onEnded(job: Job, end: 'done' | 'failed' | 'left', error: Error | null, result: object | null): void;
  onError(error: Error): void;
}

export interface RunnerOptions<R extends JobRelay> {
  readonly config: Config;
  readonly store: JobStore;
  readonly divergences: DivergenceStore;
  /** The relays of this process; only those that lead get jobs. */
  readonly relays: () => Iterable<R>;
  readonly work: Readonly<Record<JobKind, JobWork<R>>>;
  readonly events: RunnerEvents;
}

interface Running {
  readonly ended: Promise<void>;
  readonly abort: AbortController;
  /** Newer than what is stored. */
  readonly progress: { now: object };
}

/** Takes and runs the jobs of the domains that this process leads, one at a time for each. */
export class JobRunner<R extends JobRelay> {
  readonly name = `${hostname()}:${process.pid}:${randomUUID()}`;
  readonly #options: RunnerOptions<R>;
  /** By domain. */
  readonly #running = new Map<string, Running>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | null = null;
  #closed = false;

  constructor(options: RunnerOptions<R>) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), POLL_MS);
    this.#timer.unref();
  }

  /** Looks for jobs now. */
  look(): void {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
  }

  /** Of the job that this process runs for the domain; null: none. */
  progressOf(domain: string): object | null {
    return this.#running.get(domain)?.progress.now ?? null;
  }

  /** Leaves what runs to the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking;
    for (const { abort } of this.#running.values()) abort.abort();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #look(): Promise<void> {
    for (const relay of this.#options.relays()) {
      const { domain } = relay.mirror;
      if (this.#closed || relay.leader === null || this.#running.has(domain)) continue;
      try {
        const job = await this.#options.store.take(domain, this.name);
        if (job !== null) this.#start(job, relay);
      } catch (error) {
        this.#options.events.onError(asError(error));
        return;
      }
    }
  }

  #start(job: Job, relay: R): void {
    const abort = new AbortController();
    const progress = { now: (job.progress as object | null) ?? {} };
    const ended = this.#run(job, relay, abort, progress).finally(() => this.#running.delete(job.domain));
    this.#running.set(job.domain, { ended, abort, progress });
  }

  async #run(job: Job, relay: R, abort: AbortController, progress: Running['progress']): Promise<void> {
    const { config, divergences, events, work } = this.#options;
    const beats = this.#beat(job, abort, () => progress.now);
    events.onStarted(job);
    try {
      const doing = work[job.kind];
      if (doing === undefined) throw new Error(`this version of pgfig knows no job of kind ${job.kind}`);
      const result = await doing({
        ...{ config, job, relay, divergences, signal: abort.signal },
        progress: (now) => {
          progress.now = now;
        },
        keep: async (now) => {
          progress.now = now;
          if (!(await this.#options.store.beat(job.id, this.name, now))) abort.abort();
        },
      });
      // A work that was called off may end as if it were done.
      if (abort.signal.aborted) await this.#leave(job, progress.now);
      else {
        await this.#own(() => this.#options.store.beat(job.id, this.name, progress.now));
        await this.#own(() => this.#options.store.finish(job.id, this.name, { result }));
        events.onEnded(job, 'done', null, result);
      }
    } catch (error) {
      if (abort.signal.aborted || relay.leader === null) await this.#leave(job, progress.now);
      else {
        await this.#own(() => this.#options.store.finish(job.id, this.name, { error: asError(error).message }));
        events.onEnded(job, 'failed', asError(error), null);
      }
    } finally {
      clearInterval(beats);
    }
  }

  /** Where the job was canceled or taken over this changes nothing. */
  async #leave(job: Job, progress: object): Promise<void> {
    await this.#own(() => this.#options.store.release(job.id, this.name, progress));
    this.#options.events.onEnded(job, 'left', null, null);
  }

  #beat(job: Job, abort: AbortController, progress: () => object): NodeJS.Timeout {
    let heard = Date.now();
    const beat = async (): Promise<void> => {
      try {
        if (!(await this.#options.store.beat(job.id, this.name, progress()))) abort.abort();
        heard = Date.now();
      } catch (error) {
        if (Date.now() - heard > MUTE_MS) abort.abort();
        this.#options.events.onError(asError(error));
      }
    };
    return setInterval(() => void beat(), BEAT_MS);
  }

  /** A job that cannot be told to be over is taken for dead later, and run again from its last beat. */
  async #own(change: () => Promise<unknown>): Promise<void> {
    await change().catch((error: unknown) => this.#options.events.onError(asError(error)));
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
