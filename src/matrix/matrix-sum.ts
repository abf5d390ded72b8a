import { CellColumns } from './cell-columns.js';
import { type Cell, type Matrix, type Pair, pairKey } from './matrix.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Adds matrices up. What is added is not kept: the sum has cells of its own. */
export class MatrixSum {
  readonly #most: number;
  readonly #cells = new CellColumns();
  readonly #pairs = new Map<string, Mutable<Pair>>();
  /** Cells and pairs that there was no room for. */
  dropped = 0;

  /** @param most cells and pairs: what is new beyond that is dropped, and counted */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** Cells and pairs held now. */
  get size(): number {
    return this.#cells.size + this.#pairs.size;
  }

  add({ cells, pairs }: Matrix): void {
    const hasRoom = (): boolean => this.size < this.#most;
    for (const cell of cells) if (!this.#cells.add(cell, hasRoom)) this.dropped++;
    for (const pair of pairs) this.#addPair(pair);
  }

  #addPair(pair: Pair): void {
    const key = pairKey(pair);
    const sum = this.#pairs.get(key);
    if (sum === undefined) {
      if (this.size < this.#most) this.#pairs.set(key, { ...pair });
      else this.dropped++;
      return;
    }
    sum.count += pair.count;
    sum.refused += pair.refused;
    sum.first = Math.min(sum.first, pair.first);
    sum.last = Math.max(sum.last, pair.last);
    if (sum.exampleA === '') sum.exampleA = pair.exampleA;
    if (sum.exampleB === '') sum.exampleB = pair.exampleB;
  }

  /** The sum so far; what is added later does not change it. */
  matrix(): Matrix {
    return { cells: [...this.#allCells()], pairs: [...this.#pairs.values()].map((pair) => ({ ...pair })) };
  }

  /** The same in parts of so many cells or pairs at most, for what must not be in memory as a whole. */
  *parts(most: number): Iterable<Matrix> {
    let cells: Cell[] = [];
    for (const cell of this.#allCells()) {
      cells.push(cell);
      if (cells.length < most) continue;
      yield { cells, pairs: [] };
      cells = [];
    }
    if (cells.length > 0) yield { cells, pairs: [] };
    const pairs = [...this.#pairs.values()];
    for (let at = 0; at < pairs.length; at += most) yield { cells: [], pairs: pairs.slice(at, at + most) };
  }

  *#allCells(): Iterable<Cell> {
    for (let row = 0; row < this.#cells.size; row++) yield this.#cells.at(row);
  }
}

/** One matrix of several. */
export function sumOf(matrices: Iterable<Matrix>): Matrix {
  const sum = new MatrixSum();
  for (const matrix of matrices) sum.add(matrix);
  return sum.matrix();
}
