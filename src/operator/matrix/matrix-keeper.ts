import { randomUUID } from 'node:crypto';
import type { Matrix } from '../../matrix/matrix.js';
import { MatrixSum } from '../../matrix/matrix-sum.js';
import { matrixFromText } from '../../matrix/wire-text.js';
import type { FlushId } from './matrix-store.js';

/** About 150 MB. Names that do not exist, asked for without end, must not fill the memory while nobody takes them. */
const MOST_PENDING = 500_000;

export interface MatrixKeeperOptions {
  /** Where it is kept; see MatrixStore. */
  readonly store: { add(matrix: Matrix, id: FlushId): Promise<void>; close(): Promise<void> };
  /** Milliseconds between two flushes. */
  readonly interval: number;
  /** Told of what was stored. */
  readonly onFlushed?: (matrix: Matrix) => void;
  /** The control database did not take it; it is tried again. Told when that begins, and not again until it has worked. */
  readonly onError: (error: Error) => void;
  /** It takes it again. */
  readonly onRecovered: () => void;
}

/**
 * Gathers what the workers have counted and adds it to what the control database holds. What could not be stored stays
 * until it can be; a crash loses what has come since the last flush, and never adds anything twice: each flush has a
 * number that is stored with it, so that one whose answer was lost is known when it is tried again.
 */
export class MatrixKeeper {
  readonly #options: MatrixKeeperOptions;
  readonly #instance = randomUUID();
  readonly #pending = new MatrixSum(MOST_PENDING);
  readonly #timer: NodeJS.Timeout;
  /** Was sent, and may have been stored. */
  #unsure: { readonly matrix: Matrix; readonly id: FlushId } | null = null;
  #sequence = 0;
  #flushing: Promise<void> | null = null;
  #broken: string | null = null;
  #flushedAt: Date | null = null;

  constructor(options: MatrixKeeperOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), options.interval);
  }

  /** Cells and pairs that are not stored yet. */
  get pending(): number {
    return this.#pending.size + (this.#unsure?.matrix.cells.length ?? 0) + (this.#unsure?.matrix.pairs.length ?? 0);
  }

  /** Cells and pairs that there was no room for. */
  get dropped(): number {
    return this.#pending.dropped;
  }

  /** Why the control database did not take it the last time; null: it did. */
  get error(): string | null {
    return this.#broken;
  }

  get flushedAt(): Date | null {
    return this.#flushedAt;
  }

  /** @param text of a worker, as `matrixToText` makes it */
  add(text: string): void {
    this.#pending.add(matrixFromText(text));
  }

  /** Stores what there is now. Never throws; `error` tells what came of it. */
  async flush(): Promise<void> {
    // One that is under way has taken what there was when it began.
    await this.#flushing;
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = null;
    });
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    if (this.#unsure !== null && !(await this.#store(this.#unsure))) return;
    if (this.#pending.size === 0) return;
    this.#unsure = { matrix: this.#pending.take(), id: { instance: this.#instance, sequence: ++this.#sequence } };
    await this.#store(this.#unsure);
  }

  async #store({ matrix, id }: { readonly matrix: Matrix; readonly id: FlushId }): Promise<boolean> {
    try {
      await this.#options.store.add(matrix, id);
    } catch (raised) {
      const error = raised instanceof Error ? raised : new Error(String(raised));
      if (this.#broken === null) this.#options.onError(error);
      this.#broken = error.message;
      return false;
    }
    this.#unsure = null;
    this.#flushedAt = new Date();
    if (this.#broken !== null) this.#options.onRecovered();
    this.#broken = null;
    this.#options.onFlushed?.(matrix);
    return true;
  }

  /** Stores what there is, and ends. @param within milliseconds; what is not stored by then is lost */
  async close(within: number): Promise<void> {
    clearInterval(this.#timer);
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, within).unref());
    await Promise.race([this.flush().then(() => this.#options.store.close()), deadline]);
  }
}
