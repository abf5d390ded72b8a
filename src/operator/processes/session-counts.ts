import type { SessionCounts } from './messages.js';

const NONE: SessionCounts = { total: 0, byUser: {} };

/**
 * Sessions of each worker, as last reported, and what each must know of the others to keep
 * `limits.clients` and `limits.clientsPerUser` for the whole process group.
 */
export class SessionCountBook {
  readonly #bySlot = new Map<number, SessionCounts>();

  set(slot: number, counts: SessionCounts): void {
    this.#bySlot.set(slot, counts);
  }

  /** A worker is gone, and its sessions with it. */
  clear(slot: number): void {
    this.#bySlot.delete(slot);
  }

  of(slot: number): SessionCounts {
    return this.#bySlot.get(slot) ?? NONE;
  }

  /** The sum over all workers but `slot`; over all when it is null. */
  others(slot: number | null): SessionCounts {
    let total = 0;
    const byUser: Record<string, number> = Object.create(null);
    for (const [at, counts] of this.#bySlot) {
      if (at === slot) continue;
      total += counts.total;
      for (const [user, count] of Object.entries(counts.byUser)) byUser[user] = (byUser[user] ?? 0) + count;
    }
    return { total, byUser };
  }
}

/** Counts this worker's own sessions by user, from the session events. */
export class SessionTally {
  #total = 0;
  readonly #byUser = new Map<string, number>();

  opened(user: string): void {
    this.#total += 1;
    this.#byUser.set(user, (this.#byUser.get(user) ?? 0) + 1);
  }

  closed(user: string): void {
    this.#total -= 1;
    const left = (this.#byUser.get(user) ?? 0) - 1;
    if (left > 0) this.#byUser.set(user, left);
    else this.#byUser.delete(user);
  }

  counts(): SessionCounts {
    return { total: this.#total, byUser: Object.fromEntries(this.#byUser) };
  }
}

/**
 * Calls `run` soon after the first `poke`, then at most every `interval` milliseconds: a burst of
 * connects costs a few messages, not one each.
 */
export class Throttle {
  readonly #run: () => void;
  readonly #interval: number;
  #timer: NodeJS.Timeout | null = null;
  #last = 0;

  constructor(interval: number, run: () => void) {
    this.#interval = interval;
    this.#run = run;
  }

  poke(): void {
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#last + this.#interval - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#last = Date.now();
      this.#run();
    }, wait);
    this.#timer.unref();
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
