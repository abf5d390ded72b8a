import type { Mirroring } from '../../routing/mirroring.js';
import type { SessionLink } from '../session-link.js';
import type { Transaction } from '../transaction/transaction.js';
import type { DivergenceReason, MirrorFailure } from './divergence.js';
import type { KeysOf } from './ledger.js';
import type { MirrorReply } from './mirror-owner.js';
import type { StatementMirror } from './statement-mirror.js';

/** A statement that ran on the monolith, as the mirror needs to know it. */
export interface MirroredStatement {
  readonly mirroring: Mirroring;
  readonly fingerprint: string;
  /** Tells which rows it concerns; asked for what becomes a divergence only. */
  readonly keys: KeysOf | null;
}

/** How the client's transaction ended on the monolith; 'unknown': nobody heard. */
export type Outcome = 'committed' | 'rolled back' | 'unknown';

/** The statement mirrors of one session, one for each new database, and what its transaction has given them to do. */
export interface Mirrors {
  /** The transaction under way has something for a mirror: its end must be told by `end`. */
  readonly isOpen: boolean;
  /** Resolves when the transaction's end that is under way is through; null: none is. */
  readonly ending: Promise<void> | null;
  /** Copy data are waiting to be taken. */
  readonly congested: boolean;
  /** The client has sent something: it may wait so many ms for each new database until it is answered. */
  allow(budget: number): void;
  /** The same as the last time, for something new that it has sent. */
  renew(): void;
  mirror(database: string, budget: number): StatementMirror;
  /** Savepoints of this transaction are those of the ledger from now on. */
  follow(tx: Transaction | null): void;
  /**
   * Runs a statement on the new database that the monolith has carried out. Never rejects.
   * @param tag what it was answered there; null: not known
   */
  repeat(
    statement: MirroredStatement,
    tag: string | null,
    budget: number,
    send: (target: SessionLink, reply: MirrorReply) => void,
  ): Promise<void>;
  /** Compares what both have answered, and notes it. */
  settle(
    statement: MirroredStatement,
    mirror: StatementMirror,
    answer: MirrorReply | MirrorFailure,
    facts: { readonly tag: string | null; readonly wasGivenUp: boolean },
  ): void;
  /** @param failure null: it has run there too, as far as that is known yet */
  note(statement: MirroredStatement, failure: MirrorFailure | null): void;
  /** Nothing more of the transaction is repeated: how it ends will not be seen. */
  giveUp(reason: DivergenceReason, why: string): void;
  /** The monolith's COMMIT is about to be sent. @returns to be called when all is through */
  beginEnd(): () => void;
  /**
   * The monolith has ended its transaction: what is committed there is committed here, and what is missing here is told.
   * Never rejects.
   */
  end(outcome: Outcome): Promise<void>;
  /** RESET ALL, DISCARD ALL. */
  reset(): void;
  /** The session is over. @param unknown its COMMIT was on its way */
  close(unknown: boolean): void;
}

/** A COPY FROM STDIN under way on the monolith. */
export interface MirroredCopy {
  /** The same COPY on the new database; null: no mirror gets it. */
  readonly copy: {
    /** A part of a CopyData message. @returns whether the client is to be held back */
    feed(bytes: Buffer): boolean;
  } | null;
  readonly simple: boolean;
  /** What is to be done when it has ended. */
  readonly finish: () => Promise<void>;
}
