import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { JobRunner } from '../../jobs/run/job-runner.js';
import { ControlDatabase } from '../../jobs/store/control-database.js';
import { DivergenceStore } from '../../jobs/store/divergence-store.js';
import { type Job, type JobKind, JobStore } from '../../jobs/store/job-store.js';
import type { Mirror } from '../../mirror/mirror.js';
import { DomainRelay } from '../../mirror/relay/domain-relay.js';
import { sqlstateOf } from '../../mirror/relay/sqlstate.js';
import { JOB_WORK, sightOf } from '../mirror/job-kinds.js';
import { rowsProgress } from './progress-rows.js';

const POLL_MS = 100;
/** How long the control database may be away while a job is watched: whoever runs the job goes on with it. */
const UNHEARD_MS = 30_000;
/** A running pgfig takes a job within this time. */
const TAKEN_MS = 2_000;
/** How long a relay of this process may take until it leads, or follows another one. */
const STARTED_MS = 10_000;

/** What a command needs of jobs; closed by `close`. */
export class JobDesk {
  readonly store: JobStore;
  readonly divergences: DivergenceStore;
  readonly #config: Config;
  readonly #control: ControlDatabase;

  constructor(config: Config) {
    this.#config = config;
    this.#control = new ControlDatabase(config);
    this.store = new JobStore(this.#control);
    this.divergences = new DivergenceStore(this.#control);
  }

  /**
   * Stores a job and waits for its end. The process that leads the domain runs it; where none does, this one leads it
   * for as long as the job takes. Ctrl-C cancels the job.
   * @param say lines for people on the way
   */
  async run(
    mirror: Mirror,
    kind: JobKind,
    args: object,
    stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
  ): Promise<Job> {
    const before = await this.store.open(mirror.domain);
    const job = await this.store.create(mirror.domain, kind, args);
    const cancel = (): void => void this.store.cancel(job.id).catch(() => {});
    process.once('SIGINT', cancel);
    for (const other of before) stream.write(`waiting for job ${other.id}, ${other.kind}, which is ${other.state}\n`);
    const own = new OwnRelay(this.#config, mirror, this, stream);
    try {
      return await this.#watch(job, own, stream);
    } catch (error) {
      await this.store.cancel(job.id).catch(() => {});
      throw error;
    } finally {
      process.off('SIGINT', cancel);
      await own.close();
    }
  }

  async close(): Promise<void> {
    await this.#control.close();
  }

  async #watch(job: Job, own: OwnRelay, stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): Promise<Job> {
    const bar = rowsProgress(stream);
    const began = Date.now();
    let heard = began;
    try {
      for (; ; await new Promise((resolve) => setTimeout(resolve, POLL_MS))) {
        const now = await this.store.get(job.id).catch((error: unknown) => {
          if (!isAway(error) || Date.now() - heard > UNHEARD_MS) throw error;
          return undefined;
        });
        if (now === undefined) continue;
        heard = Date.now();
        if (now === null) throw new PgfigError('INTERNAL', `job ${job.id} is gone from the control database`);
        if (now.state !== 'waiting' && now.state !== 'running') return now;
        const { rows, total, note } = sightOf(job.kind, own.progress ?? now.progress);
        bar.update(rows, total, note);
        if (now.state === 'waiting' && Date.now() - began > TAKEN_MS) own.start();
        own.check();
      }
    } finally {
      bar.stop();
    }
  }
}

/** The connection is lost, or the server is down or starts: as against an answer that would be the same again. */
const isAway = (error: unknown): boolean =>
  /^(|08...|57P..|53...)$/.test(sqlstateOf(error)) && !(error instanceof PgfigError);

/** A relay and a runner in this process, for when no other leads the domain. */
class OwnRelay {
  readonly #config: Config;
  readonly #mirror: Mirror;
  readonly #desk: JobDesk;
  readonly #stream: NodeJS.WritableStream;
  #relay: DomainRelay | null = null;
  #runner: JobRunner<DomainRelay> | null = null;
  #startedAt = 0;

  constructor(config: Config, mirror: Mirror, desk: JobDesk, stream: NodeJS.WritableStream) {
    this.#config = config;
    this.#mirror = mirror;
    this.#desk = desk;
    this.#stream = stream;
  }

  /** Newer than what is stored. */
  get progress(): object | null {
    return this.#runner?.progressOf(this.#mirror.domain) ?? null;
  }

  start(): void {
    if (this.#relay !== null) return;
    const tell = (text: string): void => void this.#stream.write(`${text}\n`);
    this.#startedAt = Date.now();
    this.#relay = new DomainRelay(this.#config, this.#mirror, {
      onRole: () => {},
      onTurn: () => {},
      onStalled: (_, table, reason) => tell(`stalled: ${table}: ${reason}`),
      onGoesOn: (_, table) => tell(`goes on: ${table}`),
      onError: (_, error) => tell(`the relay begins anew: ${error.message}`),
    });
    const relay = this.#relay;
    this.#runner = new JobRunner({
      config: this.#config,
      store: this.#desk.store,
      divergences: this.#desk.divergences,
      relays: () => [relay],
      work: JOB_WORK,
      events: { onStarted: () => {}, onEnded: () => {}, onError: (error) => tell(error.message) },
    });
  }

  /** @throws PgfigError MIRROR_REFUSED, BACKEND_UNREACHABLE where nothing will come of waiting */
  check(): void {
    const status = this.#relay?.status;
    if (status === undefined) return;
    const { domain } = this.#mirror;
    if (status.role === 'not-installed')
      throw new PgfigError('MIRROR_REFUSED', `domain ${domain} is not mirrored yet`, {
        hint: `Run pgfig mirror install ${domain} first.`,
      });
    if (status.role === 'starting' && Date.now() - this.#startedAt > STARTED_MS)
      throw new PgfigError(
        'BACKEND_UNREACHABLE',
        `the relay of ${domain} does not come up: ${status.error ?? 'it waits'}`,
      );
  }

  async close(): Promise<void> {
    await this.#runner?.close();
    await this.#relay?.close();
  }
}
