import type { Link } from '../../backend/link.js';
import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { copyDone, terminate } from '../../wire/frontend-messages.js';
import { FAILED, IDLE } from '../client/client-end.js';
import type { SessionLink } from '../session-link.js';
import { inject, injectQuery, injectSync } from '../transaction/injection.js';
import { failureOf, type MirrorFailure } from './divergence.js';
import type { MirrorGate } from './mirror-gate.js';
import { MirrorOwner, MirrorReply } from './mirror-owner.js';

/** What a mirror needs of its session. Its client is not among it. */
export interface MirrorHost {
  readonly gate: MirrorGate;
  /** @throws PgfigError as `dial` */
  dial(database: string, owner: MirrorOwner, signal: AbortSignal): Promise<Link>;
  /** Asks the server to end what the link runs. */
  cancel(link: SessionLink): void;
  asSessionLink(link: Link): SessionLink;
  /** Gives the link the session's settings, before its transaction begins. @throws PgfigError */
  copySettings(link: SessionLink): Promise<void>;
  /** Puts what the client's transaction has set, saved and rolled back in front of what is sent next. */
  catchUp(link: SessionLink): void;
  until(isSo: () => boolean): Promise<void>;
  /** Something may have become true. */
  wake(): void;
  /** The link has sent what was waiting. */
  drained(): void;
}

/** Always this level: the monolith has ordered the writers by then, and the newest rows are to be changed. */
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED';

/**
 * Repeats the writes of one session on one new database. It owns its link there, beside the session's links:
 *
 *  1. `run`: a statement that the monolith has carried out in a transaction that is still open there. The first one
 *     of a transaction dials if need be, copies settings, and begins a transaction here.
 *  2. The client's journal (savepoints, ROLLBACK TO, SET LOCAL) goes in front of it.
 *  3. The statement runs; its answer is looked at for tag and error alone.
 *  4. `end`, when the monolith's transaction has ended: COMMIT here after its COMMIT, or ROLLBACK.
 *  5. Whatever goes wrong in between gives the whole transaction up (`giveUp`): it is rolled back, and nothing more of
 *     it is tried. The copy never has half of a transaction that failed.
 *
 * The monolith comes first in each statement, and so has already made whoever wants the same rows wait: writers reach
 * the new database in the order that the monolith's row locks gave them, and all waiting is done there. It commits
 * only behind step 3, so that the next writer of the row finds this one's change (or waits for it) here too.
 *
 * Time that is waited for the new database is counted against `budget`, and when that is used up the link is closed.
 */
export class StatementMirror {
  readonly database: string;
  readonly #host: MirrorHost;
  #target: SessionLink | null = null;
  #owner: MirrorOwner | null = null;
  #begun = false;
  #givenUp: MirrorFailure | null = null;
  #dialling: AbortController | null = null;
  /** Milliseconds left for what the client is doing now. */
  #budget = 0;
  #timedOut = false;
  /** Runs while copy data wait to be taken. */
  #stall: NodeJS.Timeout | null = null;

  constructor(database: string, host: MirrorHost) {
    this.database = database;
    this.#host = host;
  }

  /** A transaction is open here, or was until it was given up. */
  get isOpen(): boolean {
    return this.#begun || this.#givenUp !== null;
  }

  /** Nothing more of the transaction under way is repeated. */
  get isGivenUp(): boolean {
    return this.#givenUp !== null;
  }

  get link(): SessionLink | null {
    return this.#target;
  }

  /** It cannot take more copy data for now. */
  get congested(): boolean {
    return this.#target !== null && !this.#target.link.lost && this.#target.link.congested;
  }

  /** The client has sent something new: it may wait so long for it. @param budget ms */
  allow(budget: number): void {
    this.#budget = budget;
  }

  /** Steps 1 to 3. @param send puts the statement on the link, its replies for `reply` */
  async run(send: (target: SessionLink, reply: MirrorReply) => void): Promise<MirrorReply | MirrorFailure> {
    if (this.#givenUp !== null) return this.#givenUp;
    return this.#within(async () => {
      const target = await this.#ready();
      const reply = new MirrorReply();
      send(target, reply);
      await this.#answered(target, reply);
      return reply;
    });
  }

  /** Ends a COPY that `run` has begun, and that the monolith has taken whole. */
  async endCopy(reply: MirrorReply): Promise<MirrorReply | MirrorFailure> {
    if (this.#givenUp !== null) return this.#givenUp;
    return this.#within(async () => {
      const target = this.#target;
      if (target === null || target.link.lost) throw this.#lost();
      reply.copying = false;
      target.link.send(copyDone);
      await this.#answered(target, reply);
      return reply;
    });
  }

  /**
   * Copy data, as the client sends them. Where the new database takes them too slowly for longer than the client may
   * wait, it gets no more of them.
   * @returns whether it has more than it can take for now
   */
  feed(reply: MirrorReply, bytes: Buffer): boolean {
    const target = this.#target;
    if (this.#givenUp !== null || target === null || target.link.lost) return false;
    if (reply.error !== null || !reply.copying) {
      // In the midst of a message nothing else can be said on this connection.
      this.#drop();
      this.giveUp(asFailure(failed('error', reply.error?.message ?? 'it ended the COPY', reply.error?.code)));
      return false;
    }
    target.link.send(bytes);
    if (!target.link.congested) return false;
    this.#stall ??= setTimeout(() => {
      this.#expire();
      this.giveUp(failureOf('timeout', `${this.database} did not take the data in time`));
      this.#host.drained();
    }, this.#budget);
    return true;
  }

  /** Step 5. @returns the failure that ended it, the first one where there were several */
  giveUp(failure: MirrorFailure): MirrorFailure {
    if (this.#givenUp !== null) return this.#givenUp;
    this.#givenUp = failure;
    this.#rollback();
    return failure;
  }

  /** Step 4. @returns why nothing of the transaction is in the copy; null where all is, or nothing was to be */
  async end(committed: boolean): Promise<MirrorFailure | null> {
    try {
      if (this.#givenUp !== null) return this.#givenUp;
      if (!this.#begun) return null;
      if (committed) return await this.#commit();
      this.#rollback();
      return null;
    } finally {
      this.#begun = false;
      this.#givenUp = null;
      this.#forgetTransaction();
    }
  }

  /** RESET ALL or DISCARD ALL has run on the session's links. */
  reset(): void {
    const target = this.#target;
    if (target === null || target.link.lost || this.#begun) return;
    injectQuery(target, 'DISCARD ALL', () => this.#drop());
  }

  /** The session is over. */
  close(): void {
    this.#dialling?.abort();
    this.#drop();
  }

  async #commit(): Promise<MirrorFailure | null> {
    const done = await this.#within(async () => {
      const target = this.#target;
      if (target === null || target.link.lost) throw this.#lost();
      this.#host.catchUp(target);
      const answer = inject(target, 'COMMIT');
      injectSync(target);
      await this.#answered(target, null);
      if (answer.error !== null) throw failed('error', answer.error.message, answer.error.code);
      if (answer.tag !== 'COMMIT') throw failed('error', 'it was rolled back');
      return null;
    });
    return done === null ? null : failureOf('commit', `its COMMIT failed: ${done.why}`, done.sqlstate);
  }

  async #ready(): Promise<SessionLink> {
    if (this.#begun) {
      const target = this.#target;
      if (target === null || target.link.lost) throw this.#lost();
      this.#host.catchUp(target);
      return target;
    }
    const target = await this.#open();
    await this.#host.copySettings(target);
    inject(target, BEGIN);
    this.#begun = true;
    this.#host.catchUp(target);
    return target;
  }

  async #open(): Promise<SessionLink> {
    const known = this.#target;
    if (known !== null && !known.link.lost) return known;
    const { gate } = this.#host;
    if (!gate.mayTry(this.database)) {
      throw failed('unreachable', `${this.database} was not reachable a moment ago`);
    }
    this.#owner = new MirrorOwner(
      () => this.#host.wake(),
      () => this.#drained(),
    );
    this.#dialling = new AbortController();
    try {
      const link = await this.#host.dial(this.database, this.#owner, this.#dialling.signal);
      this.#target = this.#host.asSessionLink(link);
    } catch (error) {
      gate.failed(this.database);
      const why =
        error instanceof PgfigError ? `${error.message}${error.detail ? ` (${error.detail})` : ''}` : String(error);
      throw failed('unreachable', why);
    } finally {
      this.#dialling = null;
    }
    return this.#target;
  }

  /** Waits for all that was asked, or for the request for copy data. @throws MirrorFailure */
  async #answered(target: SessionLink, reply: MirrorReply | null): Promise<void> {
    const { link } = target;
    await this.#host.until(() => link.idle || link.lost || reply?.copying === true);
    if (link.lost) throw this.#lost();
    this.#host.gate.succeeded(this.database);
    if (reply !== null && reply.error !== null) throw failed('error', reply.error.message, reply.error.code);
    // What pgfig put in front of the statement was refused, and the statement skipped.
    if (link.queue.needsSync || (reply !== null && link.status === FAILED)) {
      throw failed('error', 'the transaction could not be brought to the state of the monolith');
    }
  }

  #lost(): MirrorFailed {
    if (!this.#timedOut) this.#host.gate.failed(this.database);
    return failed('lost', this.#owner?.fatal?.message ?? 'the connection was lost');
  }

  /** Work that the client waits for. What goes wrong in it gives the transaction up; nothing is thrown. */
  async #within<T>(work: () => Promise<T>): Promise<T | MirrorFailure> {
    const began = performance.now();
    this.#timedOut = false;
    const timer = setTimeout(() => this.#expire(), Math.max(0, this.#budget));
    try {
      return await work();
    } catch (error) {
      const late = this.#timedOut ? failureOf('timeout', `${this.database} did not answer in time`) : null;
      return this.giveUp(late ?? asFailure(error));
    } finally {
      clearTimeout(timer);
      this.#budget -= performance.now() - began;
    }
  }

  #drained(): void {
    clearTimeout(this.#stall ?? undefined);
    this.#stall = null;
    this.#host.drained();
  }

  /** Nothing more is waited for. The server may be stuck in the statement: it is asked to end it. */
  #expire(): void {
    this.#timedOut = true;
    this.#host.gate.timedOut(this.database);
    if (this.#target !== null && !this.#target.link.lost) this.#host.cancel(this.#target);
    this.#dialling?.abort();
    this.#drop();
  }

  /** A link that is not at rest is not worth waiting for. */
  #rollback(): void {
    const target = this.#target;
    if (target === null || target.link.lost || !this.#begun) return;
    if (!target.link.idle || target.link.queue.needsSync) return this.#drop();
    if (target.link.status === IDLE) return;
    inject(target, 'ROLLBACK');
    injectSync(target);
  }

  #drop(): void {
    clearTimeout(this.#stall ?? undefined);
    this.#stall = null;
    this.#target?.link.close(terminate);
    this.#target = null;
    this.#host.wake();
  }

  #forgetTransaction(): void {
    const target = this.#target;
    if (target === null) return;
    target.txStamp = 0;
    target.journalAt = 0;
    target.undo.length = 0;
    target.injectionError = null;
  }
}

/** A failure on its way to `#within`. */
class MirrorFailed extends Error {
  readonly failure: MirrorFailure;

  constructor(failure: MirrorFailure) {
    super(failure.why);
    this.failure = failure;
  }
}

const failed = (...[reason, why, sqlstate]: Parameters<typeof failureOf>): MirrorFailed =>
  new MirrorFailed(failureOf(reason, why, sqlstate));

function asFailure(error: unknown): MirrorFailure {
  if (error instanceof PgfigError) return failureOf(error.code === 'TYPE_DIFFERS' ? 'type' : 'error', error.message);
  if (error instanceof MirrorFailed) return error.failure;
  return failureOf('error', error instanceof Error ? error.message : String(error));
}

/** Puts a Query message of the client's on the mirror's link. */
export function sendQueryTo(target: SessionLink, reply: MirrorReply, frame: Buffer): void {
  target.link.queue.push(Expect.Query, reply);
  target.link.send(frame);
}
