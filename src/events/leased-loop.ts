import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type EventSink, type OpenSink, SendFailure } from './event.js';

/** Milliseconds. */
export interface LoopPauses {
  /** Between two turns that nobody has asked for. */
  readonly poll: number;
  /** Between two tries to become the one who runs it. */
  readonly standby: number;
  /** After a failure; it doubles up to the longest. */
  readonly first: number;
  readonly longest: number;
}

export const PAUSES: LoopPauses = { poll: 500, standby: 2_000, first: 250, longest: 10_000 };

/** What is done by one process of the fleet at a time. */
export interface LeasedWork {
  connect(): Promise<pg.Client>;
  /** Tries to take the lock that elects, on this connection. @returns the owner for the sink; null: another one has it */
  elect(client: pg.Client): Promise<string | null>;
  /** Once after each election. */
  begin(client: pg.Client): Promise<void>;
  /** @returns whether more waits already */
  turn(client: pg.Client, sink: EventSink): Promise<boolean>;
  /** Counts what waits; between turns, also while the sink is away. */
  measure(client: pg.Client): Promise<void>;
  /** A turn has failed; null: one has succeeded. */
  told(error: unknown): void;
}

export type LoopState = 'starting' | 'leading' | 'standby';

/**
 * Runs turns on one connection, which holds an advisory lock: whoever has it leads, and loses it with the connection.
 * The lock only elects. That one who has lost it unawares does no harm is for the sink (fencing) and for the position
 * (compare and set) to see to.
 */
export class LeasedLoop {
  readonly #work: LeasedWork;
  readonly #openSink: OpenSink;
  readonly #pauses: LoopPauses;
  #client: pg.Client | null = null;
  #owner = '';
  #sink: EventSink | null = null;
  #wake: (() => void) | null = null;
  #poked = false;
  #closed = false;
  #troubled = false;
  readonly #running: Promise<void>;
  state: LoopState = 'starting';
  failures = 0;

  constructor(work: LeasedWork, openSink: OpenSink, pauses: LoopPauses = PAUSES) {
    this.#work = work;
    this.#openSink = openSink;
    this.#pauses = pauses;
    // Not before whoever constructs it, as a part of itself, is whole.
    this.#running = Promise.resolve().then(() => this.#run());
  }

  /** Something was written: a turn begins at once, or right after the running one. */
  poke(): void {
    this.#poked = true;
    if (!this.#troubled) this.#wake?.();
  }

  /** Ends after the running turn, or about `deadline` ms later: what is on its way then may be repeated by the next leader. */
  async close(deadline = 2_000): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    const timer = setTimeout(() => this.abandon(), deadline);
    const late = sleep(2 * deadline, undefined, { ref: false });
    await Promise.race([this.#running, late]);
    clearTimeout(timer);
  }

  /** As a crash would: connections break at once. */
  abandon(): void {
    this.#closed = true;
    this.#wake?.();
    this.#client?.connection.stream.destroy();
    void this.#sink?.close();
  }

  async #run(): Promise<void> {
    for (let pause = 0; !this.#closed; await this.#sleep(pause)) {
      try {
        pause = await this.#step();
        if (this.#troubled && this.state === 'leading') this.#tell(null);
      } catch (error) {
        pause = await this.#failed(error, pause);
      }
    }
    await this.#dropSink();
    await this.#dropClient();
  }

  /** @returns how long to wait until the next */
  async #step(): Promise<number> {
    this.#poked = false;
    this.#client ??= await this.#work.connect();
    const client = this.#client;
    if (this.state !== 'leading' && !(await this.#lead(client))) return this.#pauses.standby;
    await this.#work.measure(client);
    // First the sink, and then whatever is read: see EventSink.
    this.#sink ??= await this.#openSink(this.#owner);
    const more = await this.#work.turn(client, this.#sink);
    return more || this.#poked ? 0 : this.#pauses.poll;
  }

  async #lead(client: pg.Client): Promise<boolean> {
    const owner = await this.#work.elect(client);
    if (owner === null) {
      this.state = 'standby';
      return false;
    }
    this.#owner = owner;
    await this.#work.begin(client);
    this.state = 'leading';
    return true;
  }

  async #failed(error: unknown, before: number): Promise<number> {
    await this.#dropSink();
    const kind = error instanceof SendFailure ? error.kind : 'lost';
    // A database error leaves the connection in doubt; a fenced one has probably lost its lock.
    if (kind === 'lost' || kind === 'fenced') await this.#dropClient();
    if (this.#closed || kind === 'at-once') return 0;
    this.failures++;
    this.#tell(error);
    return Math.min(Math.max(2 * before, this.#pauses.first), this.#pauses.longest);
  }

  #tell(error: unknown): void {
    this.#troubled = error !== null;
    this.#work.told(error);
  }

  async #dropSink(): Promise<void> {
    const sink = this.#sink;
    this.#sink = null;
    await sink?.close();
  }

  async #dropClient(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    this.state = 'starting';
    // `end` waits for an answer that a dead server never gives.
    const timer = setTimeout(() => client?.connection.stream.destroy(), 1_000);
    await client?.end().catch(() => {});
    clearTimeout(timer);
  }

  #sleep(ms: number): Promise<void> {
    if (ms === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#wake = end;
    });
  }
}
