/** A process that lived this long was healthy: its replacement starts at once. */
const HEALTHY_MS = 10_000;
const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/**
 * How long to wait before a dead process is replaced: nothing after a long life, then 100 ms, doubled
 * up to 5 s while the replacements die young, so that a crash at start never becomes a fork loop.
 */
export class BackOff {
  #wait = 0;

  /** `livedMs`: how long the process that just died had run. */
  next(livedMs: number): number {
    if (livedMs >= HEALTHY_MS) {
      this.#wait = 0;
      return 0;
    }
    this.#wait = this.#wait === 0 ? FIRST_MS : Math.min(LONGEST_MS, this.#wait * 2);
    return this.#wait;
  }
}
