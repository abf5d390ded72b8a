import { NameList } from './facts.js';
import { nameKey } from './names.js';
import type { FunctionName, Statement, TableChange, TableName, Touches } from './statement.js';

/** Gathers what several pieces of SQL touch into one. */
export class TouchesSum {
  readonly #reads = new NameList<TableName>();
  readonly #writes = new NameList<TableName>();
  readonly #locks = new NameList<TableName>();
  readonly #sequences = new NameList<TableName>();
  readonly #functions = new NameList<FunctionName>();
  readonly #changes = new Map<string, TableChange>();
  opaque: string | null = null;

  /** `isOutside`: which of its tables count; all where it is not given. */
  add(touches: Touches, isOutside: (table: TableName) => boolean = () => true): void {
    for (const table of touches.reads) if (isOutside(table)) this.#reads.add(table);
    for (const table of touches.writes) if (isOutside(table)) this.#writes.add(table);
    for (const table of touches.locks) if (isOutside(table)) this.#locks.add(table);
    for (const sequence of touches.sequences) if (isOutside(sequence)) this.#sequences.add(sequence);
    for (const called of touches.functions) this.#functions.add(called);
    for (const change of touches.changes) if (isOutside(change.table)) this.#change(change);
    this.opaque ??= touches.opaque;
  }

  /** Changes of the same kind to the same table become one, or a body of a thousand lines says each a hundred times. */
  #change(change: TableChange): void {
    const key = `${change.op}\0${nameKey(change.table)}`;
    const before = this.#changes.get(key);
    this.#changes.set(key, before === undefined ? change : unite(before, change));
  }

  finish(): Touches {
    return {
      reads: Object.freeze(this.#reads.names),
      writes: Object.freeze(this.#writes.names),
      locks: Object.freeze(this.#locks.names),
      changes: Object.freeze([...this.#changes.values()]),
      sequences: Object.freeze(this.#sequences.names),
      functions: Object.freeze(this.#functions.names),
      opaque: this.opaque,
    };
  }
}

function unite(one: TableChange, other: TableChange): TableChange {
  return {
    table: one.table.only === true ? other.table : one.table,
    op: one.op,
    columns: one.columns === null ? null : [...new Set([...one.columns, ...(other.columns ?? [])])],
    cascade: one.cascade || other.cascade,
  };
}

/** What a statement touches, without what it is and does besides. */
export function touchesOf(statement: Statement): Touches {
  const { reads, writes, locks, changes, sequences, functions, opaque } = statement;
  return { reads, writes, locks, changes, sequences, functions, opaque };
}

/** The union; the first reason for which something cannot be seen through stands for all. */
export function mergeTouches(parts: Iterable<Touches>): Touches {
  const sum = new TouchesSum();
  for (const part of parts) sum.add(part);
  return sum.finish();
}
