import cluster, { type Worker } from 'node:cluster';
import { BackOff } from './back-off.js';
import type { Asker, FromWorker, ToWorker, WorkerStatus } from './messages.js';
import { Pulse } from './pulse.js';

/**
 * Pings without an answer, one a second, after which a worker hangs: more than for the control process, since all its
 * sessions end with it. They would be served no more, and keep their locks.
 */
const PATIENCE = 30;

/** What the pool does about one of its workers. */
export interface SlotOwner {
  /** `gone`: it has ended; what it had sent before comes late. */
  onMessage(slot: WorkerSlot, message: FromWorker, gone: boolean): void;
  onExit(slot: WorkerSlot, code: number | null, signal: string | null): void;
  /** It has answered no ping of so many, and is being killed. */
  onHung(slot: WorkerSlot, pings: number): void;
}

/** A place for a worker: the process that fills it now, and what outlives that. */
export class WorkerSlot {
  readonly number: number;
  listening = false;
  rulesVersion = 0;
  restarts = 0;
  hangs = 0;
  readonly #owner: SlotOwner;
  readonly #backOff = new BackOff();
  #worker: Worker | null = null;
  #startedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #pulse: Pulse | null = null;

  constructor(number: number, owner: SlotOwner) {
    this.number = number;
    this.#owner = owner;
  }

  get empty(): boolean {
    return this.#worker === null;
  }

  /** Its process, as one that asks for something. */
  get asker(): Asker {
    return { worker: this.number, pid: this.#worker?.process.pid ?? 0 };
  }

  /** @param sessions that it has now */
  status(sessions: number): WorkerStatus {
    const { number: worker, listening, rulesVersion, restarts } = this;
    return { worker, pid: this.#worker?.process.pid ?? null, listening, sessions, rulesVersion, restarts };
  }

  fork(): void {
    const worker = cluster.fork();
    this.#worker = worker;
    this.#startedAt = Date.now();
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'pong') this.#pulse?.answered();
      // A message may come after 'exit'.
      else this.#owner.onMessage(this, message, this.#worker !== worker);
    });
    // A message to a worker that just died fails here; 'exit' follows and says more.
    worker.on('error', () => {});
    worker.on('exit', (code, signal) => {
      this.#worker = null;
      this.listening = false;
      this.#pulse?.stop();
      this.#owner.onExit(this, code, signal);
    });
  }

  /** Counts a restart, and forks after a pause that grows with each early death. @returns the pause in ms */
  forkAgain(): number {
    const wait = this.#backOff.next(Date.now() - this.#startedAt);
    this.restarts += 1;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.fork();
    }, wait);
    return wait;
  }

  send(message: ToWorker): void {
    if (this.#worker?.isConnected()) this.#worker.send(message, () => {});
  }

  /** Kills it when it hangs. */
  watch(): void {
    this.#pulse = new Pulse({
      patience: PATIENCE,
      ping: () => this.send({ type: 'ping' }),
      onHung: () => {
        this.hangs += 1;
        this.#owner.onHung(this, PATIENCE);
        this.kill();
      },
    });
  }

  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }

  /** No other process comes into this slot, and whether the one that is there hangs is for others to see. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#pulse?.stop();
  }
}
