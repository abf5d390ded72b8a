import { type Cell, cellKey, type Matrix, type Pair, pairKey } from './matrix.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Adds matrices up. What is added is not kept: the sum has cells of its own. */
export class MatrixSum {
  readonly #most: number;
  /** Cells and pairs that there was no room for. */
  dropped = 0;
  #cells = new Map<string, Mutable<Cell>>();
  #pairs = new Map<string, Mutable<Pair>>();

  /** @param most cells and pairs: what is new beyond that is dropped, and counted */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** Cells and pairs held now. */
  get size(): number {
    return this.#cells.size + this.#pairs.size;
  }

  add({ cells, pairs }: Matrix): void {
    for (const cell of cells) this.#addCell(cell);
    for (const pair of pairs) this.#addPair(pair);
  }

  #addCell(cell: Cell): void {
    const key = cellKey(cell);
    const sum = this.#cells.get(key);
    if (sum === undefined) {
      if (this.#hasRoom()) this.#cells.set(key, { ...cell });
      return;
    }
    sum.statements += cell.statements;
    sum.hidden += cell.hidden;
    sum.errors += cell.errors;
    sum.refused += cell.refused;
    sum.rows += cell.rows;
    sum.seconds += cell.seconds;
    span(sum, cell);
    if (sum.example === '') sum.example = cell.example;
  }

  #hasRoom(): boolean {
    if (this.size < this.#most) return true;
    this.dropped++;
    return false;
  }

  #addPair(pair: Pair): void {
    const key = pairKey(pair);
    const sum = this.#pairs.get(key);
    if (sum === undefined) {
      if (this.#hasRoom()) this.#pairs.set(key, { ...pair });
      return;
    }
    sum.count += pair.count;
    sum.refused += pair.refused;
    span(sum, pair);
    if (sum.exampleA === '') sum.exampleA = pair.exampleA;
    if (sum.exampleB === '') sum.exampleB = pair.exampleB;
  }

  /** The sum so far; what is added later does not change it. */
  matrix(): Matrix {
    return {
      cells: [...this.#cells.values()].map((cell) => ({ ...cell })),
      pairs: [...this.#pairs.values()].map((pair) => ({ ...pair })),
    };
  }

  /** The sum so far, and begins anew. */
  take(): Matrix {
    const taken = { cells: [...this.#cells.values()], pairs: [...this.#pairs.values()] };
    this.#cells = new Map();
    this.#pairs = new Map();
    return taken;
  }
}

function span(sum: { first: number; last: number }, more: { readonly first: number; readonly last: number }): void {
  if (more.first < sum.first) sum.first = more.first;
  if (more.last > sum.last) sum.last = more.last;
}

/** One matrix of several. */
export function sumOf(matrices: Iterable<Matrix>): Matrix {
  const sum = new MatrixSum();
  for (const matrix of matrices) sum.add(matrix);
  return sum.take();
}
