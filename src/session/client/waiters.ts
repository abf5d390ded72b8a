/** Those who wait for something to become true of the session; asked again whenever a link made progress. */
export class Waiters {
  #waiting: Waiter[] = [];

  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ isSo, resolve }));
  }

  check(): void {
    if (this.#waiting.length === 0) return;
    const still: Waiter[] = [];
    for (const waiter of this.#waiting) {
      if (waiter.isSo()) waiter.resolve();
      else still.push(waiter);
    }
    this.#waiting = still;
  }
}

interface Waiter {
  readonly isSo: () => boolean;
  readonly resolve: () => void;
}
