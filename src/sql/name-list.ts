import { nameKey } from './names.js';
import type { FunctionName, TableChange, TableName } from './statement.js';

/** Tables in order of first appearance, without duplicates. A table named with and without ONLY is meant whole. */
export class TableList {
  readonly names: TableName[] = [];
  readonly #at = new Map<string, number>();

  add(name: TableName): void {
    const key = nameKey(name);
    const at = this.#at.get(key);
    if (at === undefined) {
      this.#at.set(key, this.names.length);
      this.names.push(name);
    } else if (name.only !== true && this.names[at]?.only === true) {
      this.names[at] = name;
    }
  }
}

/** Functions in order of first appearance; one called with different numbers of arguments is several. */
export class FunctionList {
  readonly names: FunctionName[] = [];
  readonly #seen = new Set<string>();

  add(name: FunctionName): void {
    const key = `${nameKey(name)}\0${name.args ?? ''}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.names.push(name);
  }

  /** Forgets all but the first `length`. */
  cut(length: number): void {
    this.names.length = Math.min(length, this.names.length);
    this.#seen.clear();
    for (const name of this.names.splice(0)) this.add(name);
  }
}

/** Changes in order of first appearance; those of one kind to one table are one, whatever columns each sets. */
export class ChangeList {
  readonly changes: TableChange[] = [];
  readonly #at = new Map<string, number>();

  add(change: TableChange): void {
    const key = `${change.op}\0${nameKey(change.table)}`;
    const at = this.#at.get(key);
    const before = at === undefined ? undefined : this.changes[at];
    if (at !== undefined && before !== undefined) {
      this.changes[at] = unite(before, change);
      return;
    }
    this.#at.set(key, this.changes.length);
    this.changes.push(change);
  }

  clear(): void {
    this.changes.length = 0;
    this.#at.clear();
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
