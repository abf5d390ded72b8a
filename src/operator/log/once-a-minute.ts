const MINUTE_MS = 60_000;
const MOST_KEYS = 100;

/**
 * Lets a line through once a minute: for trouble that lasts and shows with everything that is tried. Unlike the
 * LineLimiter it says nothing of a flood; what was held back is counted elsewhere.
 */
export class OnceAMinute {
  readonly #said = new Map<string, number>();

  /** Whether to say it. @param now ms since 1970 */
  admit(key: string, now = Date.now()): boolean {
    const last = this.#said.get(key);
    if (last !== undefined && now - last < MINUTE_MS) return false;
    if (last === undefined && this.#said.size >= MOST_KEYS) this.#said.clear();
    this.#said.set(key, now);
    return true;
  }
}
