import type { Link } from '../../backend/link.js';
import type { Tally } from '../../matrix/tally.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { Outcome } from './outcome.js';
import type { CountedPart, WorkEffect } from './plan-tallies.js';
import { recordOf } from './records.js';

/**
 * What stands with a request in the reply queue, to be told what became of its statements. A plain Tally is the mark of
 * one statement that is only counted: nothing is made for it.
 */
export type Mark = Tally | TextMark;

/** How much of a statement a request stands for. */
export type Share =
  /** All of it. */
  | 'whole'
  /** Its Parse or Bind: only its failure counts. */
  | 'failure'
  /** A further part of a portal's rows: it has been counted. */
  | 'rest';

/** The mark of a text that has several statements, ends or divides transactions, is logged, or comes in parts. */
export class TextMark {
  readonly #parts: readonly CountedPart[];
  readonly #plan: TextPlan | null;
  readonly #share: Share;
  /** When it arrived, ms since 1970; 0 where it is not logged. */
  readonly #time: number;
  /** Execute's limit of rows, which is what it gives when its portal is suspended; 0: none. */
  readonly limit: number;
  #at = 0;

  /** @param logged its plan, where it goes to the access log; null: it does not */
  constructor(parts: readonly CountedPart[], logged: TextPlan | null, share: Share = 'whole', limit = 0) {
    this.#parts = parts;
    this.#plan = logged;
    this.#share = share;
    this.limit = limit;
    this.#time = logged === null ? 0 : Date.now();
  }

  /** The statement whose turn it is was answered. */
  answered(session: SessionCore, link: Link, outcome: Outcome): void {
    const at = this.#at++;
    const part = this.#parts[at];
    if (outcome.error === null && this.#share === 'failure') return;
    if (part !== undefined) this.#count(session, part, outcome);
    if (this.#plan !== null)
      recordOf(session, this.#plan, at, { ...outcome, database: link.database, time: this.#time });
  }

  #count(session: SessionCore, { tally, work }: CountedPart, outcome: Outcome): void {
    const { book } = session.traffic;
    if (outcome.error === null && work !== null) follow(session, work, outcome.rolledBack);
    if (tally === null || book === null) return;
    if (outcome.error !== null) {
      // Of which the first part was carried out, and counted.
      if (this.#share !== 'rest') book.failed(tally);
    } else if (this.#share === 'rest') book.more(tally, outcome.rows, outcome.seconds);
    else {
      book.done(tally, outcome.rows, outcome.seconds);
      if (tally.writes) session.work.wrote(tally);
    }
  }
}

/** What the transaction has written follows what the server says of its end and its savepoints. */
function follow(session: SessionCore, effect: WorkEffect, rolledBack: boolean): void {
  const { work } = session;
  switch (effect.type) {
    case 'commit':
    case 'prepare-transaction':
      return work.end(!rolledBack);
    case 'rollback':
      return work.end(false);
    case 'savepoint':
      return work.savepoint(effect.name);
    case 'release':
      return work.release(effect.name);
    default:
      return work.rollbackTo(effect.name);
  }
}
