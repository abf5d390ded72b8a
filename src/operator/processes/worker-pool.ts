import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { TurnOutcome } from '../../mirror/turn-outcome.js';
import { workerOfPid } from '../../session/login/cancel-keys.js';
import { MetricsLedger } from '../metrics/ledger.js';
import { counter, gauge, type Metric } from '../metrics/metric-json.js';
import type {
  Asker,
  FromWorker,
  HeldBackends,
  ToWorker,
  WorkerInit,
  WorkerSessions,
  WorkerStatus,
} from './messages.js';
import { SessionCountBook, Throttle } from './session-counts.js';
import { WorkerAsks } from './worker-asks.js';
import { type SlotOwner, WorkerSlot } from './worker-slot.js';

/** How long workers may take beyond the drain's deadline before they are killed. */
const GRACE_MS = 2_000;
const REPORT_INTERVAL_MS = 20;
/** A worker that dies this often before all listen will not do better the next time. */
const START_TRIES = 3;
export interface WorkerPoolOptions {
  /** File of the worker's program. */
  readonly exec: string;
  readonly count: number;
  readonly log: Logger;
  readonly init: (slot: number) => WorkerInit;
  /** `id`: the worker waits for `catalogRead`; null: it does not. */
  readonly onDdl: (from: Asker, id: number | null) => void;
  readonly onMatrix: (matrix: string) => void;
  readonly onDivergences: (divergences: string) => void;
  /** A worker asks for a command of the console to be carried out; to be answered by `answerConsole`. */
  readonly onConsole: (from: Asker, request: Extract<FromWorker, { type: 'console' }>) => void;
  /** To be answered by `turnOver`, if a control process gets it. */
  readonly onSync: (from: Asker, request: Extract<FromWorker, { type: 'mirror-sync' }>) => void;
  readonly onPoke: (domains: readonly string[]) => void;
}

/**
 * The workers of the cluster: forks them, replaces those that die, speaks with them. Lives in the
 * primary, which must stay free to accept: nothing here waits or computes.
 */
export class WorkerPool implements SlotOwner {
  readonly #options: WorkerPoolOptions;
  readonly #slots: WorkerSlot[] = [];
  readonly #counts = new SessionCountBook();
  readonly #ledger = new MetricsLedger();
  readonly #shareCounts = new Throttle(REPORT_INTERVAL_MS, () => this.#sendOthers());
  readonly #scrapes = new WorkerAsks<null>();
  readonly #sightings = new WorkerAsks<string>();
  readonly #backends = new WorkerAsks<string>();
  #ending = false;
  #onStart: { listening: (at: { host: string; port: number }) => void; failed: (error: Error) => void } | null = null;
  #onAllGone: (() => void) | null = null;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves when all workers listen. @throws PgfigError PORT_IN_USE, INTERNAL */
  start(): Promise<{ host: string; port: number }> {
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ exec: this.#options.exec, args: [] });
    return new Promise((resolve, reject) => {
      this.#onStart = { listening: resolve, failed: reject };
      for (let number = 1; number <= this.#options.count; number += 1) {
        const slot = new WorkerSlot(number, this);
        this.#slots.push(slot);
        slot.fork();
      }
    });
  }

  broadcast(message: ToWorker, except: number | null = null): void {
    for (const slot of this.#slots) if (slot.number !== except) slot.send(message);
  }

  status(): WorkerStatus[] {
    return this.#slots.map((slot) => slot.status(this.#counts.of(slot.number).total));
  }

  sessionsByUser(): Readonly<Record<string, number>> {
    return this.#counts.others(null).byUser;
  }

  /** JSON texts of Metric[]s; asks every worker, and waits for none longer than a second. */
  async metrics(): Promise<string[]> {
    await this.#scrapes.ask(this.#listening(), (slot, id) => this.#sendTo(slot, { type: 'metrics', id }));
    // A worker that did not answer is shown as it last was.
    return [...(await this.#ledger.parts()), JSON.stringify(this.#ownMetrics())];
  }

  /** The sessions of each worker, of none more than `most`; one that does not answer in a second is left out. */
  async sessions(most: number): Promise<WorkerSessions[]> {
    const ask = (slot: number, id: number): void => this.#sendTo(slot, { type: 'see-sessions', id, most });
    const seen = await this.#sightings.ask(this.#listening(), ask);
    return [...seen].map(([worker, sessions]) => ({ worker, sessions })).sort((a, b) => a.worker - b.worker);
  }

  /** The backends that sessions hold, as far as workers answer within a second. */
  async backends(): Promise<HeldBackends> {
    const asked = this.#listening();
    const seen = await this.#backends.ask(asked, (slot, id) => this.#sendTo(slot, { type: 'see-backends', id }));
    // What has ended meanwhile holds none.
    const silent = this.#listening().some((slot) => asked.includes(slot) && !seen.has(slot));
    return { incomplete: silent, parts: [...seen.values()] };
  }

  /** Tells the process that asked that the catalog shows its DDL, unless it is gone. */
  catalogRead(to: Asker, id: number, whole: boolean): void {
    this.#answer(to, { type: 'catalog-read', id, whole });
  }

  /** Hands an answer of the console to the process that asked, unless it is gone. */
  answerConsole(to: Asker, id: number, outcome: string): void {
    this.#answer(to, { type: 'console', id, outcome });
  }

  /** Hands the answer to a commit's request to the process that asked, unless it is gone. */
  turnOver(to: Asker, id: number, outcome: TurnOutcome): void {
    this.#answer(to, { type: 'mirror-synced', id, outcome });
  }

  #answer(to: Asker, message: ToWorker): void {
    const slot = this.#slots.find(({ number }) => number === to.worker);
    if (slot?.asker.pid === to.pid) slot.send(message);
  }

  /** No new clients; resolves when all workers are gone, killed at the latest a little after `timeout` ms. */
  drain(timeout: number): Promise<void> {
    return this.#finish({ type: 'drain', timeout }, timeout + GRACE_MS);
  }

  /** Ends all sessions now. */
  stop(): Promise<void> {
    return this.#finish({ type: 'stop' }, GRACE_MS);
  }

  #finish(message: ToWorker, killAfter: number): Promise<void> {
    this.#ending = true;
    for (const slot of this.#slots) slot.close();
    this.broadcast(message);
    const timer = setTimeout(() => {
      for (const slot of this.#slots) slot.kill();
    }, killAfter);
    return new Promise((resolve) => {
      const before = this.#onAllGone;
      this.#onAllGone = () => {
        clearTimeout(timer);
        before?.();
        resolve();
      };
      this.#checkAllGone();
    });
  }

  #checkAllGone(): void {
    if (this.#ending && this.#slots.every((slot) => slot.empty)) this.#onAllGone?.();
  }

  onMessage(slot: WorkerSlot, message: FromWorker, gone: boolean): void {
    // Of metrics, the numbers of one that has ended were already added to those of the dead.
    if (!gone) this.#receive(slot, message);
    else if (message.type === 'matrix') this.#options.onMatrix(message.matrix);
    else if (message.type === 'divergences') this.#options.onDivergences(message.divergences);
  }

  onHung(slot: WorkerSlot, pings: number): void {
    const { worker, pid } = slot.asker;
    this.#options.log.error({ worker, pid, unanswered_pings: pings }, 'worker hangs; it is killed');
  }

  #receive(slot: WorkerSlot, message: FromWorker): void {
    switch (message.type) {
      case 'hello':
        slot.send(this.#ending ? { type: 'stop' } : this.#options.init(slot.number));
        if (!this.#ending) slot.watch();
        this.#shareCounts.poke();
        break;
      case 'listening':
        slot.listening = true;
        slot.rulesVersion = message.rulesVersion;
        if (this.#slots.every((each) => each.listening)) this.#started(message);
        break;
      case 'listen-failed':
        this.#listenFailed(slot, message.code, message.message);
        break;
      case 'start-failed':
        this.#options.log.error({ worker: slot.number, error: message.message }, 'worker could not start');
        this.#onStart?.failed(new PgfigError('INTERNAL', `a worker could not start: ${message.message}`));
        this.#onStart = null;
        slot.kill();
        break;
      case 'rules-taken':
        slot.rulesVersion = message.version;
        break;
      case 'sessions':
        this.#counts.set(slot.number, message.counts);
        this.#shareCounts.poke();
        break;
      case 'cancel':
        this.#forwardCancel(slot, message);
        break;
      case 'cancelled':
        this.#cancelled(message.from, message.id);
        break;
      case 'metrics':
        this.#ledger.report(slot.number, message.metrics);
        if (message.id !== null) this.#scrapes.answer(message.id, slot.number, null);
        break;
      case 'sessions-seen':
        this.#sightings.answer(message.id, slot.number, message.sessions);
        break;
      case 'backends-seen':
        this.#backends.answer(message.id, slot.number, message.backends);
        break;
      case 'console':
        this.#options.onConsole(slot.asker, message);
        break;
      case 'matrix':
        this.#options.onMatrix(message.matrix);
        break;
      case 'divergences':
        this.#options.onDivergences(message.divergences);
        break;
      case 'mirror-sync':
        this.#options.onSync(slot.asker, message);
        break;
      case 'mirror-poke':
        this.#options.onPoke(message.domains);
        break;
      case 'ddl-seen':
        this.#options.onDdl(slot.asker, message.id);
        break;
    }
  }

  #started(at: { host: string; port: number }): void {
    this.#onStart?.listening({ host: at.host, port: at.port });
    this.#onStart = null;
  }

  #listenFailed(slot: WorkerSlot, code: string, message: string): void {
    if (this.#ending) return;
    const { host, port } = this.#options.init(slot.number).config.listen;
    const error =
      code === 'EADDRINUSE'
        ? new PgfigError('PORT_IN_USE', `${host}:${port} is in use by another program`, {
            hint: 'Stop that program, or set another listen.port in pgfig.yaml.',
          })
        : new PgfigError('PORT_IN_USE', `cannot listen on ${host}:${port}: ${message}`, {
            hint: 'Set another listen.host or listen.port in pgfig.yaml.',
          });
    if (this.#onStart !== null) this.#onStart.failed(error);
    else this.#options.log.error({ worker: slot.number, code }, error.message);
    this.#onStart = null;
    slot.kill();
  }

  onExit(slot: WorkerSlot, code: number | null, signal: string | null): void {
    const sessions = this.#counts.of(slot.number).total;
    this.#counts.clear(slot.number);
    this.#ledger.retire(slot.number);
    this.#shareCounts.poke();
    this.#scrapes.gone(slot.number);
    this.#sightings.gone(slot.number);
    this.#backends.gone(slot.number);
    if (this.#ending) {
      this.#checkAllGone();
      return;
    }
    if (this.#onStart !== null && slot.restarts >= START_TRIES) {
      this.#onStart.failed(new PgfigError('INTERNAL', `worker ${slot.number} dies again and again before it listens`));
      this.#onStart = null;
      return;
    }
    const wait = slot.forkAgain();
    this.#options.log.error(
      { worker: slot.number, code, signal, sessions_ended: sessions, restart_in_ms: wait },
      'worker died; a new one takes its place',
    );
  }

  /** From the owner itself it comes when it has no such session: then it ends here, as in Postgres. */
  #forwardCancel(from: WorkerSlot, request: Extract<FromWorker, { type: 'cancel' }>): void {
    const owner = this.#slots.find((slot) => slot.number === workerOfPid(request.pid));
    if (owner === undefined || owner === from || owner.empty) this.#cancelled(from.number, request.id);
    else owner.send({ ...request, from: from.number });
  }

  /** The client of a cancel request may hear that it is done. */
  #cancelled(at: number, id: number): void {
    this.#sendTo(at, { type: 'cancelled', id });
  }

  #sendTo(number: number, message: ToWorker): void {
    const slot = this.#slots.find((each) => each.number === number);
    slot?.send(message);
  }

  #listening(): number[] {
    return this.#slots.filter((slot) => slot.listening).map((slot) => slot.number);
  }

  #sendOthers(): void {
    for (const slot of this.#slots) slot.send({ type: 'others', counts: this.#counts.others(slot.number) });
  }

  #ownMetrics(): Metric[] {
    return [
      gauge('pgfig_workers_listening', 'Workers that accept clients.', this.#slots.filter((s) => s.listening).length),
      counter(
        'pgfig_worker_restarts_total',
        'Workers that died and were replaced.',
        this.#slots.map((slot) => [{ worker: `${slot.number}` }, slot.restarts]),
      ),
      counter(
        'pgfig_worker_hangs_total',
        'Workers that hung and were killed.',
        this.#slots.map((slot) => [{ worker: `${slot.number}` }, slot.hangs]),
      ),
    ];
  }
}
