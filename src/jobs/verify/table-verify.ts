import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { TableShape } from '../../mirror/shape/table-shape.js';
import { ChunkSize } from './chunk-plan.js';
import { TableSide } from './chunk-sql.js';
import type { Divergence } from './divergence.js';
import { sameKeyOrder } from './key-order.js';
import type { TablePair } from './pair-rows.js';
import { chooseHash, type RowHash } from './row-hash.js';
import { comparedColumns, missingColumns } from './row-text.js';
import { TableWalk, type WalkSizes } from './table-walk.js';
import { BEGIN, type VerifyOptions, type VerifyState } from './verify-state.js';

/** Two connections that see the same moment. */
export interface Sides {
  readonly source: pg.ClientBase;
  readonly target: pg.ClientBase;
}

/** What one step has found, and the state it has led to. */
export interface VerifyStep {
  readonly found: readonly Divergence[];
  readonly state: VerifyState;
}

const LEAST_ROWS = 1_000;
const MOST_ROWS = 100_000;
/** Where keys travel. */
const MOST_KEYS = 10_000;

/**
 * Compares one table, in steps: each lies within one turn, so that both sides are the same moment, and ends after about
 * its time. Counts and sums are computed in the databases, on both sides at once; what differs is halved until single
 * rows are left. Memory does not grow with the table.
 *
 * Chunks are ranges of the key in the source's order. Where the target may have another order (text under another
 * collation), a range there would be other rows: the chunk's keys travel instead, and a second pass looks for keys that
 * only the target has.
 */
export class TableVerify {
  readonly table: string;
  readonly #options: VerifyOptions;
  readonly #sizes: WalkSizes;
  #state: VerifyState;
  #hash: RowHash | null = null;

  constructor(table: string, options: VerifyOptions, state: VerifyState = BEGIN) {
    this.table = table;
    this.#options = options;
    this.#state = state;
    // A sample is the better the more chunks it is of.
    const most = (rows: number): number => (options.sample < 100 ? LEAST_ROWS : rows);
    this.#sizes = {
      rows: new ChunkSize(LEAST_ROWS, most(MOST_ROWS)),
      keys: new ChunkSize(LEAST_ROWS, most(MOST_KEYS)),
    };
  }

  get state(): VerifyState {
    return this.#state;
  }

  get done(): boolean {
    return this.#state.pass === 'done';
  }

  /** So much differs that the rest of the table was left alone. */
  get cutShort(): boolean {
    return this.#state.found >= this.#options.most;
  }

  /**
   * Goes on for about so many milliseconds. The state stays that of before until `took` is told: the turn that a step
   * runs in may fail after it, and what it has found is then of no moment that both sides ever had.
   * @param source the table's shape there; its key is what both sides are asked by
   * @throws PgfigError NOT_COMPARABLE; what the driver throws
   */
  async step(sides: Sides, source: TableShape, target: TableShape, budget: number): Promise<VerifyStep> {
    const pair = await this.#pair(sides, source, target);
    const ordered = await sameKeyOrder(sides.source, sides.target, source, target);
    const walk = new TableWalk({ ...pair, ordered }, this.#options, this.#sizes, this.#state);
    await walk.until(performance.now() + budget);
    return { found: walk.found, state: walk.state };
  }

  /** The step's turn has ended well, and what it has found is kept. */
  took({ state }: VerifyStep): void {
    this.#state = state;
  }

  async #pair(sides: Sides, source: TableShape, target: TableShape): Promise<TablePair> {
    const { key, name: table } = source;
    if (key === null) throw new PgfigError('NOT_COMPARABLE', `${table} cannot be compared: ${source.keyProblem}`);
    const missing = missingColumns(source, target);
    if (missing.length > 0)
      throw new PgfigError(
        'NOT_COMPARABLE',
        `${table} cannot be compared: the target has no column ${missing.join(', ')}`,
      );
    this.#hash ??= await chooseHash(sides.source, sides.target);
    const columns = comparedColumns(source, target);
    return {
      table,
      columns,
      values: this.#options.values,
      source: new TableSide(sides.source, source, key, columns, this.#hash),
      target: new TableSide(sides.target, target, key, columns, this.#hash),
    };
  }
}
