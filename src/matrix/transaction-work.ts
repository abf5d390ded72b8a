import type { Tally } from './tally.js';
import type { TallyBook } from './tally-book.js';
import type { WorkNode } from './work-node.js';

/** What the transaction of one session has written, with its savepoints. */
export class TransactionWork {
  readonly #book: TallyBook;
  #now: WorkNode | null = null;
  #savepoints: { readonly name: string; readonly at: WorkNode | null }[] = [];

  constructor(book: TallyBook) {
    this.#book = book;
  }

  /** A statement that writes was carried out. */
  wrote(tally: Tally): void {
    this.#now = (this.#now ?? this.#book.nothingWritten).and(tally);
  }

  /** A statement was refused because it would write in a second database. */
  refused(tally: Tally): void {
    if (this.#now !== null) this.#book.refusedTogether(this.#now.and(tally));
  }

  savepoint(name: string): void {
    this.#savepoints.push({ name, at: this.#now });
  }

  release(name: string): void {
    const at = this.#find(name);
    if (at >= 0) this.#savepoints.length = at;
  }

  rollbackTo(name: string): void {
    const at = this.#find(name);
    if (at < 0) return;
    this.#now = this.#savepoints[at]?.at ?? null;
    // The savepoint itself stays.
    this.#savepoints.length = at + 1;
  }

  #find(name: string): number {
    return this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
  }

  /** The transaction is over. @param at when it was committed, in ms since 1970, where the source knows; else 0 */
  end(committed: boolean, at = 0): void {
    if (committed && this.#now !== null) this.#book.committed(this.#now, at);
    this.#now = null;
    if (this.#savepoints.length > 0) this.#savepoints = [];
  }
}
