import { type Cell, cellKey, type Matrix, type Pair, pairKey } from '../../src/matrix/matrix.js';

/** 'public.orders', how it is touched, and whether the statement does not name it. */
export type Touch = readonly [table: string, access: 'read' | 'write' | 'ddl' | 'opaque', hidden?: 'hidden' | 'view'];

type Counts = { -readonly [K in 'statements' | 'hidden' | 'errors' | 'refused' | 'rows']: Cell[K] };

/**
 * What a workload knows of itself: added up from what each statement is declared to touch, in the plainest way, with
 * nothing of pgfig's own.
 */
export class Truth {
  readonly cells = new Map<string, Counts>();
  readonly pairs = new Map<string, { count: number; refused: number }>();
  readonly #database: string;

  constructor(database: string) {
    this.#database = database;
  }

  /** One statement was carried out. */
  done(service: string, touches: readonly Touch[], rows: number): void {
    for (const [table, access, how] of touches) {
      const cell = this.#cell(service, table, access, this.#database);
      cell.statements++;
      if (how === 'hidden') cell.hidden++;
      else cell.rows += rows;
    }
    this.#joined(service, touches, 'count');
  }

  failed(service: string, touches: readonly Touch[]): void {
    for (const [table, access] of touches) this.#cell(service, table, access, this.#database).errors++;
  }

  refused(service: string, touches: readonly Touch[]): void {
    for (const [table, access] of touches) this.#cell(service, table, access, '').refused++;
    this.#joined(service, touches, 'refused');
  }

  /** One transaction was committed that wrote these tables. */
  committed(service: string, written: ReadonlySet<string>): void {
    for (const [a, b] of pairsOf(written)) this.#pair(service, 'transaction', a, b).count++;
  }

  #joined(service: string, touches: readonly Touch[], what: 'count' | 'refused'): void {
    const tables = new Set(
      touches.filter(([, access, how]) => how !== 'view' && access !== 'opaque').map(([table]) => table),
    );
    for (const [a, b] of pairsOf(tables)) this.#pair(service, 'join', a, b)[what]++;
  }

  #cell(service: string, table: string, access: Touch[1], database: string): Counts {
    const key = `${service}\0${table}\0${access}\0${database}`;
    let cell = this.cells.get(key);
    if (cell === undefined) {
      cell = { statements: 0, hidden: 0, errors: 0, refused: 0, rows: 0 };
      this.cells.set(key, cell);
    }
    return cell;
  }

  #pair(service: string, kind: Pair['kind'], a: string, b: string): { count: number; refused: number } {
    const key = `${service}\0${kind}\0${a}\0${b}`;
    let pair = this.pairs.get(key);
    if (pair === undefined) {
      pair = { count: 0, refused: 0 };
      this.pairs.set(key, pair);
    }
    return pair;
  }
}

function* pairsOf(tables: ReadonlySet<string>): Iterable<[string, string]> {
  const sorted = [...tables].sort();
  for (const [at, a] of sorted.entries()) for (const b of sorted.slice(at + 1)) yield [a, b];
}

/** Truth and matrix as lines that can be compared. */
export function linesOf(matrix: Matrix, rows = true): string[] {
  const cells = matrix.cells.map((cell) => cellLine(cellKey(cell), cell, rows));
  return [...cells, ...matrix.pairs.map((pair) => pairLine(pairKey(pair), pair))].sort();
}

export function truthLines(truth: Truth, rows = true): string[] {
  const cells = [...truth.cells].map(([key, counts]) => cellLine(key, counts, rows));
  return [...cells, ...[...truth.pairs].map(([key, pair]) => pairLine(key, pair))].sort();
}

const cellLine = (key: string, { statements, hidden, errors, refused, rows }: Counts, withRows: boolean): string =>
  `${key.replaceAll('\0', ' | ')}: ${statements} statements, ${hidden} hidden, ${errors} errors, ${refused} refused` +
  (withRows ? `, ${rows} rows` : '');

const pairLine = (key: string, { count, refused }: { count: number; refused: number }): string =>
  `${key.replaceAll('\0', ' | ')}: ${count} times, ${refused} refused`;
