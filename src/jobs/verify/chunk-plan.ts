import { createHash } from 'node:crypto';
import type { TableSide } from './chunk-sql.js';
import type { KeyRange, KeyValues } from './key-sql.js';

export interface Chunk {
  readonly range: KeyRange;
  /** Whether it belongs to the sample. */
  readonly taken: boolean;
  readonly rows: number;
}

export interface PlanOptions {
  /** Rows of the next chunk. */
  size(): number;
  /** Whether another chunk may begin. */
  more(): boolean;
  taken(chunk: number): boolean;
}

/**
 * Cuts one side's table into ranges of its key. The next bound is asked for before the caller asks the same connection
 * for more: the other side then never waits for it.
 */
export class ChunkPlan {
  readonly #side: TableSide;
  readonly #options: PlanOptions;
  #after: KeyValues | null;
  #number: number;
  #ahead: Promise<{ upTo: KeyValues | null; rows: number }> | null;

  constructor(side: TableSide, after: KeyValues | null, number: number, options: PlanOptions) {
    this.#side = side;
    this.#after = after;
    this.#number = number;
    this.#options = options;
    this.#ahead = this.#ask(after);
  }

  /** @returns null: none is left, or none may begin */
  async next(): Promise<Chunk | null> {
    if (this.#ahead === null) return null;
    const { upTo, rows } = await this.#ahead;
    const range = { after: this.#after, upTo };
    this.#after = upTo;
    this.#ahead = upTo === null || !this.#options.more() ? null : this.#ask(upTo);
    return { range, rows, taken: this.#options.taken(this.#number++) };
  }

  /** Resolves when nothing of it runs any more; never rejects. */
  async settle(): Promise<void> {
    await this.#ahead?.catch(() => {});
    this.#ahead = null;
  }

  #ask(after: KeyValues | null): Promise<{ upTo: KeyValues | null; rows: number }> {
    const rows = this.#options.size();
    const asked = this.#side.bound({ after, upTo: null }, rows).then((upTo) => ({ upTo, rows }));
    // Whoever awaits it hears of its failure; until then it is nobody's.
    asked.catch(() => {});
    return asked;
  }
}

/** Chooses by hash, so that whoever knows the seed gets the same sample. The first chunk is always in it. */
export function inSample(percent: number, seed: string, table: string, chunk: number): boolean {
  if (percent >= 100 || chunk === 0) return true;
  const draw = createHash('sha256').update(`${seed}\0${table}\0${chunk}`).digest().readUInt32BE(0);
  return draw < (percent / 100) * 2 ** 32;
}

const CHUNK_MS = 50;

/** Rows of a chunk, so that it takes about CHUNK_MS: long against a round trip, short against a turn. */
export class ChunkSize {
  readonly #least: number;
  readonly #most: number;
  #rows: number;
  #since = performance.now();

  constructor(least: number, most: number) {
    this.#least = least;
    this.#most = most;
    this.#rows = least;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The time from now on is the next chunk's. */
  restart(): void {
    this.#since = performance.now();
  }

  /** A chunk of so many rows is done. */
  done(rows: number): void {
    const took = Math.max(performance.now() - this.#since, 1);
    this.restart();
    if (rows === 0) return;
    const wanted = (rows * CHUNK_MS) / took;
    this.#rows = Math.round(Math.min(Math.max(wanted, this.#rows / 2, this.#least), this.#rows * 2, this.#most));
  }
}
