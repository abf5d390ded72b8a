const INTERVAL_MS = 1_000;
/** A ping that comes this late tells of the pinger itself: it was stopped, asleep or starved. */
const LATE_MS = 3_000;

/** Time, as far as a pulse needs it; another one in tests. */
export interface PulseClock {
  /** Milliseconds that never go back. */
  now(): number;
  /** @returns what calls it off */
  later(ms: number, run: () => void): () => void;
}

const REAL_CLOCK: PulseClock = {
  now: () => performance.now(),
  later: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

export interface PulseOptions {
  /** Pings in a row, one a second, that may stay without an answer. */
  readonly patience: number;
  readonly ping: () => void;
  /** Called once: no ping has been answered for too long; the pulse has stopped. */
  readonly onHung: () => void;
  readonly clock?: PulseClock;
}

/**
 * Whether another process still takes turns of its event loop: it is pinged once a second and answers from there.
 *
 * Pings are counted, not seconds. Whoever was asleep together with the other (SIGSTOP of the group, a paused
 * machine) or could not run itself finds much time gone and says nothing by it: the count begins anew.
 */
export class Pulse {
  readonly #options: PulseOptions;
  readonly #clock: PulseClock;
  #unanswered = 0;
  #lastPing: number;
  #callOff: () => void = () => {};

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? REAL_CLOCK;
    this.#lastPing = this.#clock.now();
    this.#later();
  }

  /** Whichever ping it was for: the other ran when it wrote this. */
  answered(): void {
    this.#unanswered = 0;
  }

  stop(): void {
    this.#callOff();
  }

  #later(): void {
    this.#callOff = this.#clock.later(INTERVAL_MS, () => this.#beat());
  }

  #beat(): void {
    const now = this.#clock.now();
    if (now - this.#lastPing > LATE_MS) this.#unanswered = 0;
    this.#lastPing = now;
    if (this.#unanswered >= this.#options.patience) {
      this.#options.onHung();
      return;
    }
    this.#unanswered += 1;
    this.#options.ping();
    this.#later();
  }
}
