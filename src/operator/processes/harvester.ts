import { setTimeout } from 'node:timers/promises';
import { matrixToText } from '../../matrix/wire-text.js';
import type { WorkerTraffic } from '../../session/worker-traffic.js';

/** A worker that dies loses what it has counted in this time. */
const INTERVAL_MS = 1_000;
/** Cells and pairs that are gathered at a time: about a millisecond's work. */
const SLICE = 300;
const PAUSE_MS = 5;

/** Hands on what a worker has counted for the matrix, once a second, in slices, so that no session waits for it. */
export class Harvester {
  readonly #traffic: Pick<WorkerTraffic, 'harvest' | 'unharvested'>;
  readonly #send: (matrix: string) => void;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** @param send text of matrix/wire-text.ts */
  constructor(traffic: Pick<WorkerTraffic, 'harvest' | 'unharvested'>, send: (matrix: string) => void) {
    this.#traffic = traffic;
    this.#send = send;
    this.#later();
  }

  /** Hands on all there is at once: the last words of a process that ends. */
  now(): void {
    this.#handOn(Number.POSITIVE_INFINITY);
  }

  /** Hands on, in slices, all there is when this is called. */
  async handOnAll(): Promise<void> {
    // What is counted meanwhile waits for the next round, or this one might never end.
    let left = this.#traffic.unharvested;
    while (left > 0) {
      left -= this.#handOn(SLICE);
      if (left > 0) await setTimeout(PAUSE_MS);
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = globalThis.setTimeout(() => void this.handOnAll().then(() => this.#later()), INTERVAL_MS);
  }

  /** @returns how many statements and kinds of transactions that were */
  #handOn(most: number): number {
    const before = this.#traffic.unharvested;
    const matrix = this.#traffic.harvest(most);
    if (matrix.cells.length + matrix.pairs.length > 0) this.#send(matrixToText(matrix));
    return Math.max(1, before - this.#traffic.unharvested);
  }
}
