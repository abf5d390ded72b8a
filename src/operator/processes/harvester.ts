import { matrixToText } from '../../matrix/wire-text.js';
import type { WorkerTraffic } from '../../session/worker-traffic.js';

/** A worker that dies loses what it has counted in this time. */
const INTERVAL_MS = 1_000;
/** Statements that are gathered at a time: half a millisecond's work. */
const SLICE = 200;
const PAUSE_MS = 5;

/** Hands on what a worker has counted for the matrix, once a second, in slices, so that no session waits for it. */
export class Harvester {
  readonly #traffic: Pick<WorkerTraffic, 'harvest' | 'unharvested'>;
  readonly #send: (matrix: string) => void;
  #timer: NodeJS.Timeout | null = null;

  /** @param send text of matrix/wire-text.ts */
  constructor(traffic: Pick<WorkerTraffic, 'harvest' | 'unharvested'>, send: (matrix: string) => void) {
    this.#traffic = traffic;
    this.#send = send;
    this.#later();
  }

  /** Hands on all there is. */
  now(): void {
    this.#handOn(Number.POSITIVE_INFINITY);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #later(): void {
    this.#timer = setTimeout(() => this.#slice(this.#traffic.unharvested), INTERVAL_MS);
  }

  /** @param left of what there was when this round began: what is counted meanwhile waits for the next */
  #slice(left: number): void {
    this.#handOn(SLICE);
    if (left <= SLICE) return this.#later();
    this.#timer = setTimeout(() => this.#slice(left - SLICE), PAUSE_MS);
  }

  #handOn(most: number): void {
    const matrix = this.#traffic.harvest(most);
    if (matrix.cells.length + matrix.pairs.length > 0) this.#send(matrixToText(matrix));
  }
}
