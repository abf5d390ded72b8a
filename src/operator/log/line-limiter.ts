const WINDOW_MS = 1_000;
const LINES_PER_WINDOW = 10;
const MOST_KEYS = 1_000;

/**
 * Holds back lines that repeat: the first ten of a kind in a second are written, the rest are counted
 * and told with the next one. A service that repeats a refused statement in a loop must not fill a disk.
 */
export class LineLimiter {
  readonly #windows = new Map<string, { until: number; written: number; held: number }>();

  /** null: hold the line back. Otherwise how many of this kind were held back before it. */
  admit(key: string, now = Date.now()): number | null {
    const window = this.#windows.get(key);
    if (window === undefined || now >= window.until) {
      if (window === undefined && this.#windows.size >= MOST_KEYS) this.#windows.clear();
      this.#windows.set(key, { until: now + WINDOW_MS, written: 1, held: 0 });
      return window?.held ?? 0;
    }
    if (window.written < LINES_PER_WINDOW) {
      window.written += 1;
      return 0;
    }
    window.held += 1;
    return null;
  }
}
