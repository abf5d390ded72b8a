import { randomUUID } from 'node:crypto';
import type { Matrix } from '../../matrix/matrix.js';
import { MatrixSum } from '../../matrix/matrix-sum.js';
import { matrixFromText } from '../../matrix/wire-text.js';
import type { FlushId } from './matrix-store.js';

/** Cells and pairs of one transaction. */
const MOST_AT_ONCE = 20_000;
/** About 60 MB. Names that do not exist, asked for without end, must not fill the memory while nobody takes them. */
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
  /** It does not take one cell or pair, now or ever, which is left out. */
  readonly onRefused?: (error: Error) => void;
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
  #pending = new MatrixSum(MOST_PENDING);
  /** What is being stored, part by part, and the part whose turn it is. */
  #storing: { readonly sum: MatrixSum; readonly parts: Iterator<Matrix> } | null = null;
  readonly #timer: NodeJS.Timeout;
  /** Is sent, and may be stored already. */
  #part: { readonly matrix: Matrix; readonly id: FlushId } | null = null;
  /** Of a part that could not be stored as a whole; they go first. */
  readonly #halves: Matrix[] = [];
  #sequence = 0;
  #droppedBefore = 0;
  #flushing: Promise<void> | null = null;
  #broken: string | null = null;
  #flushedAt: Date | null = null;

  constructor(options: MatrixKeeperOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), options.interval);
  }

  /** Cells and pairs that are not stored yet. */
  get pending(): number {
    return this.#pending.size + (this.#storing?.sum.size ?? 0);
  }

  /** Cells and pairs that there was no room for. */
  get dropped(): number {
    return this.#pending.dropped + this.#droppedBefore;
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
    // What could not be stored the last time goes first, then what has come since.
    for (let round = this.#storing === null ? 1 : 0; round < 2; round++) {
      this.#storing ??= this.#takePending();
      if (!(await this.#storeParts(this.#storing.parts))) return;
      this.#storing = null;
    }
  }

  #takePending(): { readonly sum: MatrixSum; readonly parts: Iterator<Matrix> } {
    const sum = this.#pending;
    this.#droppedBefore += sum.dropped;
    this.#pending = new MatrixSum(MOST_PENDING);
    return { sum, parts: sum.parts(MOST_AT_ONCE)[Symbol.iterator]() };
  }

  async #storeParts(parts: Iterator<Matrix>): Promise<boolean> {
    for (;;) {
      if (this.#part === null) {
        const next = this.#halves.shift() ?? parts.next().value;
        if (next === undefined) return true;
        this.#part = { matrix: next, id: { instance: this.#instance, sequence: ++this.#sequence } };
      }
      const { matrix } = this.#part;
      const error = await this.#store(this.#part);
      if (error !== null && !isAboutData(error)) return false;
      this.#part = null;
      if (error !== null) this.#split(matrix, error);
    }
  }

  /** Something in it cannot be stored, now or ever: the rest must not wait for that. */
  #split(matrix: Matrix, error: Error): void {
    const halves = halvesOf(matrix);
    this.#halves.unshift(...halves);
    if (halves.length > 0) return;
    this.#droppedBefore++;
    this.#options.onRefused?.(error);
  }

  async #store({ matrix, id }: { readonly matrix: Matrix; readonly id: FlushId }): Promise<Error | null> {
    try {
      await this.#options.store.add(matrix, id);
    } catch (raised) {
      const error = raised instanceof Error ? raised : new Error(String(raised));
      if (isAboutData(error)) return error;
      if (this.#broken === null) this.#options.onError(error);
      this.#broken = error.message;
      return error;
    }
    this.#flushedAt = new Date();
    if (this.#broken !== null) this.#options.onRecovered();
    this.#broken = null;
    this.#options.onFlushed?.(matrix);
    return null;
  }

  /** Stores what there is, and ends. @param within milliseconds; what is not stored by then is lost */
  async close(within: number): Promise<void> {
    clearInterval(this.#timer);
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, within).unref());
    await Promise.race([this.flush().then(() => this.#options.store.close()), deadline]);
  }
}

/** SQLSTATE classes 21, 22, 23 and 54: a character that the database's encoding lacks, a limit. It was rolled back. */
const isAboutData = (error: Error): boolean =>
  'code' in error && typeof error.code === 'string' && /^(21|22|23|54)/.test(error.code);

/** Two matrices that are this one together; none of a single cell or pair. */
function halvesOf({ cells, pairs }: Matrix): readonly Matrix[] {
  if (cells.length + pairs.length < 2) return [];
  if (cells.length > 0 && pairs.length > 0) {
    return [
      { cells, pairs: [] },
      { cells: [], pairs },
    ];
  }
  const middle = Math.ceil(Math.max(cells.length, pairs.length) / 2);
  return [
    { cells: cells.slice(0, middle), pairs: pairs.slice(0, middle) },
    { cells: cells.slice(middle), pairs: pairs.slice(middle) },
  ];
}
