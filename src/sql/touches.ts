import { ChangeList, FunctionList, TableList } from './name-list.js';
import type { Statement, TableName, Touches } from './statement.js';

/** Gathers what several pieces of SQL touch into one. */
export class TouchesSum {
  readonly #reads = new TableList();
  readonly #writes = new TableList();
  readonly #locks = new TableList();
  readonly #sequences = new TableList();
  readonly #functions = new FunctionList();
  readonly #homonyms = new FunctionList();
  readonly #changes = new ChangeList();
  opaque: string | null = null;

  /** `isOutside`: which of its tables count; all where it is not given. */
  add(touches: Touches, isOutside: (table: TableName) => boolean = () => true): void {
    for (const table of touches.reads) if (isOutside(table)) this.#reads.add(table);
    for (const table of touches.writes) if (isOutside(table)) this.#writes.add(table);
    for (const table of touches.locks) if (isOutside(table)) this.#locks.add(table);
    for (const sequence of touches.sequences) if (isOutside(sequence)) this.#sequences.add(sequence);
    for (const called of touches.functions) this.#functions.add(called);
    for (const called of touches.homonyms ?? []) this.#homonyms.add(called);
    for (const change of touches.changes) if (isOutside(change.table)) this.#changes.add(change);
    this.opaque ??= touches.opaque;
  }

  finish(): Touches {
    return {
      reads: Object.freeze(this.#reads.names),
      writes: Object.freeze(this.#writes.names),
      locks: Object.freeze(this.#locks.names),
      changes: Object.freeze(this.#changes.changes),
      sequences: Object.freeze(this.#sequences.names),
      functions: Object.freeze(this.#functions.names),
      ...(this.#homonyms.names.length > 0 && { homonyms: Object.freeze(this.#homonyms.names) }),
      opaque: this.opaque,
    };
  }
}

/** What a statement touches, without what it is and does besides. */
export function touchesOf(statement: Statement): Touches {
  const { reads, writes, locks, changes, sequences, functions, homonyms, opaque } = statement;
  return { reads, writes, locks, changes, sequences, functions, ...(homonyms && { homonyms }), opaque };
}

/** The union; the first reason for which something cannot be seen through stands for all. */
export function mergeTouches(parts: Iterable<Touches>): Touches {
  const sum = new TouchesSum();
  for (const part of parts) sum.add(part);
  return sum.finish();
}

/** Of a piece of SQL that touches nothing; others are made from it. */
export const NO_TOUCHES: Touches = Object.freeze({
  reads: [],
  writes: [],
  locks: [],
  changes: [],
  sequences: [],
  functions: [],
  opaque: null,
});
