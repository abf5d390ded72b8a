/** How long a new database is left alone after it could not be reached; doubles with each further failure. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
/** A statement may run into its time-out alone; so many in a row mean that the database is ill. */
const TIMEOUTS = 3;

interface State {
  /** Not before this moment, in ms since 1970; 0: open. */
  until: number;
  pause: number;
  timeouts: number;
}

/**
 * Circuit breaker of a worker's statement mirrors: while a new database is down, clients do not wait for it. Once the
 * pause is over one session tries, and the others go on without until it has succeeded.
 */
export class MirrorGate {
  readonly #states = new Map<string, State>();

  /** Whether a statement may be tried there now. */
  mayTry(database: string, now = Date.now()): boolean {
    const state = this.#states.get(database);
    if (state === undefined || state.until === 0) return true;
    if (now < state.until) return false;
    state.until = now + state.pause;
    return true;
  }

  /** It answered. */
  succeeded(database: string): void {
    if (this.#states.size > 0) this.#states.delete(database);
  }

  /** The connection could not be opened, or broke. */
  failed(database: string, now = Date.now()): void {
    const before = this.#states.get(database);
    const pause = before === undefined || before.until === 0 ? FIRST_PAUSE_MS : before.pause * 2;
    const bounded = Math.min(pause, LONGEST_PAUSE_MS);
    this.#states.set(database, { until: now + bounded, pause: bounded, timeouts: 0 });
  }

  /** A statement was not answered in time. */
  timedOut(database: string, now = Date.now()): void {
    const state = this.#states.get(database) ?? { until: 0, pause: FIRST_PAUSE_MS, timeouts: 0 };
    this.#states.set(database, state);
    if (++state.timeouts >= TIMEOUTS || state.until > 0) this.failed(database, now);
  }
}
