import type { LinkOwner } from '../backend/link.js';
import { PgfigError } from '../errors/pgfig-error.js';
import { backendKeyData } from '../wire/backend-messages.js';
import { flush, terminate } from '../wire/frontend-messages.js';
import type { TurnWait } from './apply/turns.js';
import { FAILED, IDLE } from './client/client-end.js';
import type { SessionLink } from './session-link.js';
import { SessionState } from './session-state.js';
import type { Traffic } from './traffic.js';
import { asRaised, inject, injectSync } from './transaction/injection.js';
import type { Transaction } from './transaction/transaction.js';

/**
 * What every part of a session may do: wait, answer, fail, end. Who decides what happens with a message stands in
 * ClientSession and the files that it calls; they see this.
 */
export abstract class SessionCore extends SessionState {
  /** Works that the input waits for: one may lead to another. */
  #blocks = 0;
  /** Holds of ReadyForQuery under way, and the waits that they consist of. */
  #holds = 0;
  readonly #waits = new Set<TurnWait>();

  /** Who hears what the links say. */
  abstract get linkOwner(): LinkOwner;

  /** Deals with one whole message of the client's; also with one that had to wait until all was `settled`. */
  abstract message(type: number, chunk: Buffer, at: number, end: number, settled?: boolean): void;

  /** Adds a message to the bytes that leave for `target` in one write. */
  forward(target: SessionLink, chunk: Buffer, at: number, end: number): void {
    this.run.add(target.link, chunk, at, end);
  }

  /** Must come before anything else is sent on a link. */
  flushRun(): void {
    this.run.flush();
  }

  /** The home link stands: the client is told what it reported at login, and may begin. */
  welcome(home: SessionLink): void {
    this.home = home;
    this.atLogin = new Map(home.link.parameters);
    for (const [name, value] of home.link.parameters) this.report(name, value);
    this.client.say(backendKeyData(this.start.info.pid, this.start.secret));
    this.client.sayReady(IDLE);
    this.client.flush();
    this.refreshContext();
  }

  /**
   * Blocks the input until `work` is done. A failure answers the message that is being worked on: `simple` says
   * whether it ends with ReadyForQuery (Query, FunctionCall) or with the client's Sync.
   */
  block(work: Promise<void>, simple: boolean): void {
    this.flushRun();
    this.input.block();
    this.client.channel.pause();
    this.#blocks++;
    work
      .catch((error: unknown) => {
        if (!this.closed) this.failMessage(error, simple);
      })
      .finally(() => {
        if (--this.#blocks > 0 || this.closed) return;
        try {
          this.input.unblock();
        } catch (error) {
          this.fail(error);
        }
        this.client.flush();
        this.waiters.check();
        if (this.draining && this.idle) return this.close('pgfig is shutting down', SHUTDOWN);
        if (!this.input.blocked && !this.client.channel.congested) this.client.channel.resume();
      })
      .catch((error: unknown) => this.fail(error));
  }

  /** ReadyForQuery is held until the copies have what was committed: nothing reaches the client, nothing new begins. */
  get holding(): boolean {
    return this.#holds > 0;
  }

  /**
   * What was committed in mirrored domains is waited for (apply: sync), or only made known (async). Everything that is
   * said to the client from now on stays behind, ReadyForQuery first; its further messages wait as well, so that what it
   * reads next finds what it has written. However long that takes, the commit stands: the wait just ends.
   */
  protected override beforeReady(): void {
    if (!this.commits.due || this.closed) return;
    const { turns } = this.traffic;
    const waits: TurnWait[] = [];
    for (const domain of this.commits.take()) {
      if (domain.sync) waits.push(turns.wait(domain));
      else turns.poke(domain.name);
    }
    if (waits.length > 0) this.#hold(waits);
  }

  #hold(waits: readonly TurnWait[]): void {
    this.#holds++;
    this.client.dam();
    for (const { link } of this.links.values()) link.pause();
    for (const wait of waits) this.#waits.add(wait);
    const over = Promise.all(waits.map(({ done }) => done)).then(() => {
      for (const wait of waits) this.#waits.delete(wait);
      this.#released();
    });
    this.block(over, true);
  }

  #released(): void {
    if (--this.#holds > 0 || this.closed) return;
    this.client.undam();
    if (!this.client.channel.congested) for (const { link } of this.links.values()) link.resume();
    this.waiters.check();
  }

  /** Lets go of what is held. @returns whether anything was */
  endHold(): boolean {
    for (const wait of this.#waits) wait.cancel();
    return this.holding;
  }

  /** Ends the wait for what a COMMIT within a pipeline has committed: what follows it may read elsewhere. */
  async committedInPipeline(): Promise<void> {
    this.beforeReady();
    await this.waiters.until(() => !this.holding || this.closed);
  }

  /**
   * Waits until nothing of the client's, or of pgfig's own, is outstanding on the link.
   * @throws PgfigError BACKEND_LOST; the backend's own, where it has refused what pgfig put in front of what was asked
   */
  async drained(target: SessionLink): Promise<void> {
    await this.waiters.until(() => target.link.idle || target.link.lost || this.closed);
    if (this.closed || target.link.lost) throw this.lostError(target.database);
    const refused = target.injectionError;
    target.injectionError = null;
    if (refused !== null) throw asRaised(refused);
  }

  /**
   * Waits until the client's own requests on the link are answered, and no answer is held; by their error, if it is lost.
   * A COPY that asks for the client's data ends the wait too (`copyIn`): the data must be let through.
   */
  async answered(target: SessionLink): Promise<void> {
    await this.waiters.until(
      () =>
        (target.link.queue.shown === 0 && !this.holding) ||
        target.link.lost ||
        this.closed ||
        (this.copyIn && this.active === target),
    );
  }

  lostError(database: string): PgfigError {
    return new PgfigError('BACKEND_LOST', `the connection to database "${database}" was lost`);
  }

  /** An error that answers one message of the client's, or, where that is answered, tells of itself later. */
  failMessage(raised: unknown, simple: boolean): void {
    const error = raised instanceof PgfigError ? raised : internalError(raised, this.traffic);
    if (error.severity === 'FATAL') return this.fail(error);
    if (simple && this.readyPromised) return this.#failAnswered(error);
    if (error.sqlstate === '0A000') this.traffic.counters.refused(error.code);
    this.traffic.events.refused(this.start.info, error);
    this.client.sayError(error);
    this.client.releaseReports();
    if (this.tx !== null && error.code === 'BACKEND_LOST') this.tx.untoldLoss = null;
    if (this.tx !== null) {
      if (this.status !== FAILED) this.failHere(this.tx);
    }
    if (!simple) {
      this.skipping = true;
      return;
    }
    if (this.tx === null) this.#undoPipelines();
    this.sayReady();
  }

  /** A second answer would be taken for that of the next message: within a transaction the next one says what was. */
  #failAnswered(error: PgfigError): void {
    this.traffic.events.warning('what follows an answered statement has failed', { error: error.message });
    if (this.tx === null || this.status === FAILED) return;
    this.tx.untoldLoss ??= error;
    this.failHere(this.tx);
  }

  /** ReadyForQuery of pgfig's own, for the message at hand. */
  sayReady(): void {
    this.readyPromised = true;
    this.client.sayReady(this.status);
    this.watchIdle();
  }

  /** The client has been told that it may go on. */
  protected abstract watchIdle(): void;

  /** A Query that fails takes the pipeline along that was open when it came: they are one transaction. */
  #undoPipelines(): void {
    this.pipelineFailure = null;
    for (const target of this.links.values()) {
      if (!target.inPipeline || target.link.lost) continue;
      if (!target.link.queue.needsSync) inject(target, 'ROLLBACK');
      injectSync(target);
    }
    // What was repeated of it on a new database was undone with it.
    if (this.mirrors?.isOpen === true) this.block(this.mirrors.end('rolled back'), true);
    this.ended(false);
    this.endImplicit();
  }

  /** The same, behind whatever is still to be answered; an error among that answers this message too. */
  failInOrder(raised: unknown, simple: boolean): void {
    if (this.active === null || this.active.link.queue.shown === 0) return this.failMessage(raised, simple);
    this.block(
      this.activeAnswered().then(() => {
        if (!this.skipping) throw raised;
      }),
      simple,
    );
  }

  /** Waits for the active link; by Flush where nobody has sent Sync yet. */
  async activeAnswered(): Promise<void> {
    const { active } = this;
    // The requests themselves may still be in the run, and a Flush must not overtake them.
    this.flushRun();
    if (active === null || (active.link.queue.shown === 0 && !this.holding)) return;
    if (active.inPipeline) active.link.send(flush);
    await this.answered(active);
    if (this.copyIn && active.link.queue.shown > 0) {
      throw new PgfigError('PROTOCOL_VIOLATION', 'unexpected message during COPY from stdin');
    }
  }

  /** pgfig fails the transaction: no link counts as ready in it until it is ended or rolled back to a savepoint. */
  failHere(tx: Transaction): void {
    tx.failedHere = true;
    this.status = FAILED;
    this.holdParticipants();
  }

  /** Nothing runs in the failed transaction, on whichever link. */
  holdParticipants(): void {
    this.txStamp = FAILED_HERE;
  }

  /** ROLLBACK TO SAVEPOINT has made it whole again. */
  healed(tx: Transaction): void {
    tx.failedHere = false;
    this.txStamp = tx.stamp;
  }

  /** An error after which the session cannot go on. */
  fail(raised: unknown): void {
    if (this.closed) return;
    const error = raised instanceof PgfigError ? raised : internalError(raised, this.traffic);
    this.client.sayError(error);
    this.close(error.message);
  }

  sayCommand(tag: Buffer): void {
    this.client.say(tag);
    this.client.releaseReports();
    this.sayReady();
  }

  /** No request outstanding, no transaction open. */
  get idle(): boolean {
    if (this.status !== IDLE || this.tx !== null || this.input.blocked || this.skipping) return false;
    for (const { link, inPipeline } of this.links.values()) if (!link.idle || inPipeline) return false;
    return true;
  }

  /** The client may be read again, unless something holds it back. */
  resumeClient(): void {
    if (this.input.blocked || this.client.channel.congested || this.mirrors?.congested === true) return;
    this.client.channel.resume();
  }

  /** What the session does, for people; in the words of pg_stat_activity. */
  get state(): string {
    if (this.home === null) return 'login';
    let busy = this.input.blocked;
    for (const { link } of this.links.values()) busy ||= !link.idle;
    if (busy) return 'active';
    if (this.status === FAILED) return 'idle in transaction (aborted)';
    return this.status === IDLE ? 'idle' : 'idle in transaction';
  }

  /** Ends the session when nothing is under way in it. */
  drain(): void {
    this.draining = true;
    if (this.idle) this.close('pgfig is shutting down', SHUTDOWN);
  }

  /** Ends what the session has set a clock for. */
  protected stopTimers(): void {}

  close(reason: string, lastWords: PgfigError | null = null): void {
    if (this.closed) return;
    const ending = this.mirrors?.ending ?? null;
    if (ending !== null && lastWords === null) {
      // The monolith has been sent COMMIT, and the mirror's is to follow: the client may be gone, its work is not.
      void ending.then(() => this.close(reason));
      return;
    }
    this.closed = true;
    this.mirrors?.close(this.commitSent !== null);
    this.stopTimers();
    this.cancelWaiting?.abort();
    this.endHold();
    this.client.undam();
    if (lastWords !== null) this.client.sayError(lastWords);
    this.client.flush();
    this.client.channel.end();
    for (const { link } of this.links.values()) {
      this.traffic.counters.fromBackends += link.bytesIn;
      this.traffic.counters.toBackends += link.bytesOut;
      link.close(terminate);
    }
    this.links.clear();
    this.waiters.check();
    this.traffic.closed(this.start.info.pid);
    this.traffic.events.sessionClosed(this.start.info, reason);
  }
}

/** A stamp that no link has. */
const FAILED_HERE = -2;
export const SHUTDOWN = new PgfigError('SHUTTING_DOWN', 'terminating connection due to administrator command');

function internalError(raised: unknown, traffic: Traffic): PgfigError {
  const error = raised instanceof Error ? raised : new Error(String(raised));
  traffic.events.warning('unexpected error in a session', { error: error.stack ?? error.message });
  return new PgfigError('INTERNAL', `unexpected error: ${error.message}`, { cause: raised });
}
