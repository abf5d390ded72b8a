import type { Tally } from '../matrix/tally.js';
import type { TallyBook } from '../matrix/tally-book.js';
import { TransactionWork } from '../matrix/transaction-work.js';
import type { SessionEffect } from '../sql/statement.js';
import type { PlannedStatement, PlannedText, SeenTable } from './planned-text.js';
import type { SessionNames } from './session-names.js';

/** Prepared statements of SQL's PREPARE that are remembered for a session. */
const MOST_PREPARED = 200;

/** A text that the log has told of before it ran. */
export interface BegunRun {
  readonly plan: PlannedText;
  /** What its EXECUTE runs, where the log tells. */
  readonly prepared: PlannedText | null;
  /** Bytes of the text. */
  readonly length: number;
  readonly run: Run;
}

/** What a log tells of one run of a text. */
export interface Run {
  /** Milliseconds since 1970; NaN where not known. */
  readonly time: number;
  /** Virtual id of its transaction; '' where not known, or over. */
  readonly transaction: string;
  readonly seconds: number;
  /** Rows read or changed, where known. */
  readonly rows?: number;
  /** What its statements were seen to touch besides what their text tells. */
  readonly more?: readonly SeenTable[];
}

/** One session as its log shows it: what names mean in it, and the transaction that it is in. */
export class RecordedSession {
  /** Its application_name now, and its service by that. */
  application = '';
  service = '';
  /** What was logged before it ran, and how it ended is not known yet. */
  begun: BegunRun | null = null;
  readonly names: SessionNames;
  /** By their names: the statements inside. */
  readonly prepared = new Map<string, PlannedStatement>();
  readonly #work: TransactionWork;
  /** Between BEGIN and COMMIT; else what is written belongs to the transaction of its statement, or of its pipeline. */
  #block = false;
  #failed = false;
  /** Virtual id of the transaction that is open, where the log has it. */
  #transaction = '';
  #lastTime = 0;

  constructor(names: SessionNames, book: TallyBook) {
    this.names = names;
    this.#work = new TransactionWork(book);
  }

  /**
   * A text begins, or an error is told.
   * @param transaction virtual id of the transaction that it is in; '' where the log does not say, or it is over already
   */
  enter(transaction: string): void {
    if (this.#transaction !== '' && transaction === this.#transaction) return;
    // Outside of a block, another transaction's id says that the one before is over. In a block so does another id, when
    // its end was not logged; none says nothing.
    if (!this.#block || (this.#transaction !== '' && transaction !== '')) this.#end(true);
    if (transaction !== '') this.#transaction = transaction;
  }

  /** A statement was carried out. */
  did({ statement, inside }: PlannedStatement, tally: Tally | null, time: number): void {
    this.#lastTime = time;
    if (tally !== null && tally.footprint.written.length > 0) this.#work.wrote(tally);
    for (const effect of statement.effects) this.#control(effect, inside);
    if (statement.effects.length > 0) this.names.did(statement);
  }

  /** All statements of a text were carried out, and its transaction too, unless it goes on. @param transaction as above */
  leave(transaction: string): void {
    if (!this.#block && transaction === '') this.#end(true);
  }

  /** A statement failed: in a block nothing counts up to a ROLLBACK TO, else the transaction is over. */
  fail(): void {
    if (this.#block) this.#failed = true;
    else this.#end(false);
  }

  /** Nothing more comes of it. */
  close(): void {
    // A session that ends within a block is rolled back; of one whose log ends there nothing is known.
    this.#end(!this.#block);
  }

  #control(effect: SessionEffect, inside: PlannedStatement | null): void {
    switch (effect.type) {
      case 'begin':
        // What the same pipeline or string has done before becomes part of the block.
        this.#block = true;
        return;
      case 'commit':
      case 'rollback':
        this.#end(effect.type === 'commit');
        this.#block = effect.chain;
        return;
      case 'prepare-transaction':
        // It will be committed, as a rule; when is not told by its session.
        return this.#end(true);
      case 'savepoint':
        return this.#work.savepoint(effect.name);
      case 'release':
        return this.#work.release(effect.name);
      case 'rollback-to':
        this.#failed = false;
        return this.#work.rollbackTo(effect.name);
      case 'prepare':
        if (this.prepared.size >= MOST_PREPARED) this.prepared.clear();
        if (inside !== null) this.prepared.set(effect.name, inside);
        return;
      case 'deallocate':
        if (effect.name === null) this.prepared.clear();
        else this.prepared.delete(effect.name);
        return;
      case 'discard':
        if (effect.what === 'all') this.prepared.clear();
        return;
      default:
        return;
    }
  }

  #end(committed: boolean): void {
    const good = committed && !this.#failed;
    this.#work.end(good, this.#lastTime);
    this.names.end(good);
    this.#block = false;
    this.#failed = false;
    this.#transaction = '';
  }
}
