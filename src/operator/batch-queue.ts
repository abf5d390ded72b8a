import { atMost, Sleep } from './waiting.js';

/** 'again': the same batch is to be tried once more, later; 'refused': it never will be taken. */
export type Outcome = 'done' | 'again' | 'refused';

export interface BatchQueueOptions<T> {
  /** Items that may wait or be on their way; more are dropped. */
  readonly most: number;
  readonly mostPerBatch: number;
  /** Of a batch; a single item may be larger. */
  readonly mostBytes: number;
  /** How long the first item of a batch waits for others, in ms. */
  readonly linger: number;
  /** Milliseconds after a try that has failed; it doubles up to the longest. */
  readonly firstPause: number;
  readonly longestPause: number;
  bytesOf(item: T): number;
  /** Tries once to hand on a batch. Must not reject. */
  attempt(batch: readonly T[]): Promise<Outcome>;
}

/**
 * Hands items on in batches, one on its way at a time, to what may be slow or away, without ever making anybody wait:
 * meanwhile the next ones are kept, up to a bound, and what comes beyond it is dropped and counted. Order stays.
 */
export class BatchQueue<T> {
  readonly #options: BatchQueueOptions<T>;
  readonly #sleep = new Sleep();
  #waiting: T[] = [];
  #onItsWay = 0;
  #lingering = false;
  #work: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #hurried = false;
  #abandoned = false;
  /** Items handed on. */
  done = 0;
  /** Items that found no place, were refused, or were left at the end. */
  dropped = 0;

  constructor(options: BatchQueueOptions<T>) {
    this.#options = options;
  }

  /** Items that wait or are on their way. */
  get waiting(): number {
    return this.#waiting.length + this.#onItsWay;
  }

  get full(): boolean {
    return this.#closing !== null || this.waiting >= this.#options.most;
  }

  offer(item: T): void {
    if (this.full) {
      this.dropped++;
      return;
    }
    this.#waiting.push(item);
    this.#work ??= this.#handOn();
    if (this.#lingering && this.#enough) this.#sleep.wake();
  }

  /** Hands on what waits, for `deadline` ms at most; what is left is dropped. Takes no more from now on. */
  close(deadline: number): Promise<void> {
    this.#closing ??= this.#close(deadline);
    return this.#closing;
  }

  async #close(deadline: number): Promise<void> {
    this.#sleep.wake();
    if (this.#work !== null) await atMost(this.#work, deadline);
    this.#abandoned = true;
    this.#sleep.wake();
    this.dropped += this.waiting;
    this.#waiting = [];
    this.#onItsWay = 0;
  }

  async #handOn(): Promise<void> {
    // Also so that nothing is done within the caller's call.
    await this.#linger();
    while (this.#waiting.length > 0 && !this.#abandoned) {
      await this.#handOnBatch(this.#take());
      if (!this.#enough) await this.#linger();
    }
    this.#work = null;
  }

  async #handOnBatch(batch: readonly T[]): Promise<void> {
    const { firstPause, longestPause, attempt } = this.#options;
    let outcome = await attempt(batch);
    for (let pause = firstPause; outcome === 'again'; pause = Math.min(2 * pause, longestPause)) {
      if (this.#abandoned) return;
      await this.#pause(pause);
      if (this.#abandoned) return;
      outcome = await attempt(batch);
    }
    // What arrives after all was counted as dropped.
    if (this.#abandoned) return;
    this.#onItsWay = 0;
    if (outcome === 'done') this.done += batch.length;
    else this.dropped += batch.length;
  }

  async #pause(ms: number): Promise<void> {
    // The end is short: one more try at once, and then often.
    if (this.#closing === null) return this.#sleep.until(ms);
    if (this.#hurried) return this.#sleep.until(this.#options.firstPause);
    this.#hurried = true;
  }

  async #linger(): Promise<void> {
    if (this.#closing !== null) return;
    this.#lingering = true;
    await this.#sleep.until(this.#options.linger);
    this.#lingering = false;
  }

  get #enough(): boolean {
    return this.#waiting.length >= this.#options.mostPerBatch;
  }

  #take(): T[] {
    const { mostPerBatch, mostBytes, bytesOf } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const item of this.#waiting) {
      bytes += bytesOf(item);
      if (count > 0 && (count >= mostPerBatch || bytes > mostBytes)) break;
      count++;
    }
    this.#onItsWay = count;
    return this.#waiting.splice(0, count);
  }
}
