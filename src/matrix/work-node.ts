import { MOST_PAIRED } from './footprint.js';
import type { Tally } from './tally.js';

/**
 * The tables that a transaction has written so far, as a path: each step adds a statement that wrote a table not yet
 * written. Transactions that write the same tables in the same order share their path, so that noting a write is one
 * look-up and committing one addition.
 */
export class WorkNode {
  readonly #before: WorkNode | null;
  readonly #tally: Tally | null;
  readonly #next = new Map<Tally, WorkNode>();
  /** How many tables are written. */
  readonly tables: number;
  /** Transactions that were committed here since the last harvest; when, in ms since 1970, or 0. */
  count = 0;
  /** Transactions that were not allowed to write what this step adds. */
  refused = 0;
  first = 0;
  last = 0;

  constructor(before: WorkNode | null, tally: Tally | null) {
    this.#before = before;
    this.#tally = tally;
    const more = tally?.footprint.written.filter((table) => before?.hasWritten(table) !== true).length ?? 0;
    this.tables = (before?.tables ?? 0) + more;
  }

  hasWritten(table: string): boolean {
    for (let node: WorkNode | null = this; node !== null; node = node.#before) {
      if (node.#tally?.footprint.written.includes(table)) return true;
    }
    return false;
  }

  /** The path with one more statement. */
  and(tally: Tally): WorkNode {
    // The same statement again, most often.
    if (tally === this.#tally || this.tables > MOST_PAIRED) return this;
    const known = this.#next.get(tally);
    if (known !== undefined) return known;
    if (tally.footprint.written.every((table) => this.hasWritten(table))) return this;
    const next = new WorkNode(this, tally);
    this.#next.set(tally, next);
    return next;
  }

  /** Whether this step has added one of them. */
  adds(a: string, b: string): boolean {
    const written = this.#tally?.footprint.written ?? [];
    return [a, b].some((table) => written.includes(table) && this.#before?.hasWritten(table) !== true);
  }

  service(): string {
    return this.#tally?.service ?? '';
  }

  /** The first statement that wrote it, by table. */
  examples(): Map<string, string> {
    const examples = this.#before?.examples() ?? new Map<string, string>();
    if (this.#tally === null) return examples;
    for (const table of this.#tally.footprint.written) {
      if (!examples.has(table)) examples.set(table, this.#tally.example);
    }
    return examples;
  }
}
