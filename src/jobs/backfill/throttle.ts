/** What holds a backfill back: rows per second over all its tables, and what the source says of its load. */
export interface ThrottleOptions {
  /** Rows per second; null: as fast as it goes. */
  readonly rate: number | null;
  /** Why to pause now; null: no reason. Asked at most every POLL_MS. */
  readonly load: () => Promise<string | null>;
  readonly onPause: (reason: string | null) => void;
  readonly signal: AbortSignal;
  /** The machine's unless told. */
  readonly clock?: Clock;
}

export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Ends early when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const POLL_MS = 1_000;

/**
 * Rows are paid for after they were copied, since a chunk's are known only then: a debt that shrinks by the rate, and
 * nothing begins while there is one. A chunk is granted a second's rows, so that the debt stays short.
 */
export class Throttle {
  readonly #options: ThrottleOptions;
  readonly #clock: Clock;
  #debt = 0;
  #at: number;
  #looking: Promise<string | null> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #paused: string | null = null;

  constructor(options: ThrottleOptions) {
    this.#options = options;
    this.#clock = options.clock ?? { now: () => performance.now(), sleep };
    this.#at = this.#clock.now();
  }

  /** So many rows were copied. */
  note(rows: number): void {
    this.#pay();
    this.#debt += rows;
  }

  /** Waits until a chunk may begin. @returns how many rows it may have at most */
  async pace(): Promise<number> {
    const { rate, signal } = this.#options;
    while (!signal.aborted) {
      const reason = await this.#load();
      this.#pay();
      if (reason === null && (rate === null || this.#debt <= 0)) break;
      const wait = reason === null && rate !== null ? Math.min((this.#debt / rate) * 1_000, POLL_MS) : POLL_MS;
      await this.#clock.sleep(wait, signal);
    }
    return rate === null ? Number.MAX_SAFE_INTEGER : Math.max(1, Math.ceil(rate));
  }

  #pay(): void {
    const now = this.#clock.now();
    this.#debt = Math.max(0, this.#debt - ((now - this.#at) / 1_000) * (this.#options.rate ?? 0));
    this.#at = now;
  }

  /** One question at a time, for all tables. */
  async #load(): Promise<string | null> {
    if (this.#looking === null && this.#clock.now() - this.#lookedAt >= POLL_MS) {
      this.#looking = this.#options.load().finally(() => {
        this.#looking = null;
        this.#lookedAt = this.#clock.now();
      });
    }
    const reason = this.#looking === null ? this.#paused : await this.#looking;
    if (reason !== this.#paused) this.#options.onPause(reason);
    this.#paused = reason;
    return reason;
  }
}

/** Ends early when the signal is aborted. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
