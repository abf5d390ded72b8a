import type { Link, LinkOwner } from '../backend/link.js';
import { Expect } from '../backend/reply-queue.js';
import { PgfigError } from '../errors/pgfig-error.js';
import type { ChannelOwner } from '../net/channel.js';
import { decodeCommandTag, type ErrorFields } from '../wire/decode.js';
import { isCopyInMessage } from '../wire/framer.js';
import { F } from '../wire/types.js';
import { onAsync } from './asynchronous.js';
import { IDLE } from './client/client-end.js';
import type { InputHandler } from './client/client-input.js';
import { carriedOut, failed, suspended } from './counting/counting.js';
import { describe } from './extended/descriptions.js';
import * as extended from './extended/extended-query.js';
import { copyToMirror, endMirroredCopy } from './mirror/mirrored-copy.js';
import { SessionCore, SHUTDOWN } from './session-core.js';
import type { SessionLink } from './session-link.js';
import { onQuery } from './simple/simple-query.js';
import { traceMessages } from './tracing.js';
import { refusedInFront, refusedInPipeline } from './transaction/refused-in-front.js';
import { endTransaction, followStatus } from './transaction/transaction-end.js';
import { isSimple, settleFirst } from './transaction/unsettled.js';

/**
 * One client's session: the state machine between the client's messages and the links.
 *
 *  1. `onData`: a chunk of the client's, cut into messages by ClientInput.
 *  2. `message`: each message is dispatched; Query to simple-query, the others to extended-query.
 *  3. The plan of its text says which database; the link must be ready (transaction, settings, journal).
 *  4. Ready: the message joins the `run` of bytes for that link. Not ready: the input is blocked until
 *     whatever it takes is done (`block`).
 *  5. `endChunk`: the run leaves in one write.
 *  6. `toClient`: what the link says that is the client's leaves as it came.
 *  7. `onReady`, `onError`: transaction state follows the backend's word.
 *  8. `onProgress`: whoever waits for a link to have answered goes on.
 *
 * One link at a time has requests of the client's outstanding (`active`): a message for another link waits until
 * everything before it is answered without error, so replies come in order and nothing runs after an error.
 */
export class ClientSession extends SessionCore implements ChannelOwner, LinkOwner, InputHandler {
  #startedAt = 0;
  #sampled = false;
  #ownTime = 0;
  #idleTimer: NodeJS.Timeout | null = null;
  /** Where the CopyData message under way goes; null: nowhere. */
  #copyTo: SessionLink | null = null;

  protected override inputHandler(): InputHandler {
    return this;
  }

  override get linkOwner(): LinkOwner {
    return this;
  }

  // --- the client's side -------------------------------------------------------------------------------------

  onData(chunk: Buffer, owned: boolean): void {
    if (this.closed) return;
    if (this.#idleTimer !== null) this.#stopIdleTimer();
    const counters = this.traffic.counters;
    counters.fromClients += chunk.length;
    const sampled = (++counters.tick & 63) === 0;
    const began = performance.now();
    this.#startedAt = began;
    this.arrivedAt = began;
    try {
      this.input.push(chunk, owned);
    } catch (error) {
      this.fail(error);
    }
    this.client.flush();
    // pgfig's own answers wait for a slow client too.
    if (this.client.channel.congested) this.client.channel.pause();
    if (sampled) {
      this.#sampled = true;
      this.#ownTime = performance.now() - began;
    }
  }

  #stopIdleTimer(): void {
    clearTimeout(this.#idleTimer ?? undefined);
    this.#idleTimer = null;
  }

  beginChunk(chunk: Buffer, owned: boolean): void {
    this.run.begin(chunk, owned);
  }

  override message(type: number, chunk: Buffer, at: number, end: number, settled = false): void {
    if (this.traffic.tracing) traceMessages(this, 'F', 'client', chunk, at, end);
    // What comes while copy data is awaited, a Sync too, is part of the COPY's own message.
    if (!this.copyIn && !isCopyInMessage(type)) this.readyPromised = false;
    if (this.pipelineFailure !== null && this.#failPipeline(type, this.pipelineFailure)) return;
    if (type === F.Sync) return extended.onSync(this, chunk, at, end);
    if (type === F.Terminate) {
      // What lies in front of it in the same chunk is carried out, though nobody waits for the answer.
      this.flushRun();
      return this.close('the client said goodbye');
    }
    if (this.skipping) return;
    if (this.generation !== this.traffic.generation) this.refreshContext();
    if ((this.unsettled !== null || (this.facts.unsure && !settled)) && !isCopyInMessage(type)) {
      return settleFirst(this, type, chunk, at, end);
    }
    try {
      switch (type) {
        case F.Query:
          return onQuery(this, chunk, at, end);
        case F.Bind:
          return extended.onBind(this, chunk, at, end);
        case F.Execute:
          return extended.onExecute(this, chunk, at, end);
        case F.Parse:
          return extended.onParse(this, chunk, at, end);
        case F.Describe:
          return extended.onDescribe(this, chunk, at, end);
        case F.Close:
          return extended.onClose(this, chunk, at, end);
        case F.Flush:
          return extended.onFlush(this, chunk, at, end);
        case F.FunctionCall:
          return extended.onFunctionCall(this, chunk, at, end);
        case F.CopyData:
          return this.copyPart(chunk, at, end, true);
        default:
          return this.#copyEnd(chunk, at, end);
      }
    } catch (error) {
      this.failInOrder(error, isSimple(type));
    }
  }

  /** A client that has shut its writing side is answered what it has asked, and then left. */
  onHalfClosed(): void {
    const answered = (): boolean => {
      // Copy data that does not come any more ends the session, as in Postgres.
      if (this.closed || this.copyIn) return true;
      if (this.input.blocked) return false;
      for (const { link } of this.links.values()) if (link.queue.shown > 0) return false;
      return true;
    };
    void this.waiters.until(answered).then(() => this.close('the client closed the connection'));
  }

  /** @returns whether the message is answered by that: a Query, which no Sync will follow */
  #failPipeline(type: number, failure: PgfigError): boolean {
    this.pipelineFailure = null;
    const simple = isSimple(type);
    // A transaction that was open knows of its loss, and the Query may be its end.
    if (this.skipping || (simple && this.tx !== null)) return false;
    this.failMessage(failure, simple);
    return simple;
  }

  endChunk(): void {
    this.run.end();
  }

  copyPart(chunk: Buffer, at: number, end: number, first: boolean): void {
    if (first) this.#copyTo = this.#copyTarget();
    // A message that was begun is sent to its end, whatever has become of the COPY: the backend waits for it.
    if (this.#copyTo === null || this.#copyTo.link.lost) return;
    this.forward(this.#copyTo, chunk, at, end);
    if (this.copying !== null) copyToMirror(this, this.copying, chunk, at, end);
  }

  /** Outside of COPY, and after it has failed, Postgres ignores copy data: then it may be dropped as well. */
  #copyTarget(): SessionLink | null {
    const { active } = this;
    return active === null || this.skipping || active.link.queue.shown === 0 ? null : active;
  }

  #copyEnd(chunk: Buffer, at: number, end: number): void {
    const active = this.active;
    if (active === null || active.link.queue.shown === 0) return;
    this.copyIn = false;
    active.link.queue.push(Expect.CopyEnd);
    // Whatever Sync was sent before counted for nothing if this ends a COPY: the next one is owed an answer.
    if (!active.lastWasQuery) active.inPipeline = true;
    this.forward(active, chunk, at, end);
    if (this.copying !== null) endMirroredCopy(this, this.copying);
  }

  onDrain(link?: Link): void {
    if (link !== undefined) return this.resumeClient();
    // They go on when what they have said may leave.
    if (this.holding) return;
    let congested = false;
    for (const { link: paused } of this.links.values()) {
      paused.resume();
      congested ||= paused.congested;
    }
    if (!congested && !this.input.blocked) this.client.channel.resume();
  }

  onClosed(error: Error | null): void {
    this.close(
      error === null ? 'the client closed the connection' : `the client's connection failed: ${error.message}`,
    );
  }

  // --- the links' side ---------------------------------------------------------------------------------------

  toClient(link: Link, chunk: Buffer, start: number, end: number, owned: boolean): void {
    if (this.traffic.tracing) traceMessages(this, 'B', link.database, chunk, start, end);
    this.client.pass(chunk, start, end, owned);
    this.client.partial = link.midMessage;
    if (this.client.channel.congested) {
      this.traffic.counters.backendPauses++;
      link.pause();
    }
  }

  onReady(link: Link, status: number, shown: boolean): number {
    const target = this.links.get(link.database);
    if (target === undefined) return shown ? status : 0;
    if (!shown) return 0;
    if (this.#startedAt > 0) this.#observe(target);
    // The client's Sync, which the skipping was to last until, has been answered.
    this.skipping = false;
    this.lastQueryFailed = this.queryFailed;
    this.queryFailed = false;
    this.copyIn = false;
    if (this.commitSent === target && this.readyBeforeCommit-- === 0) this.commitSent = null;
    if (this.splitting) return 0;
    if (status !== this.status || this.txStamp !== 0) this.status = followStatus(this, target, status);
    if (status === IDLE) this.ended(!this.lastQueryFailed);
    if (this.commits.due) this.beforeReady();
    if (this.readyHold !== 'no') {
      this.readyHold = 'held';
      return 0;
    }
    if (link.queue.shown === 0) this.watchIdle();
    return this.status;
  }

  /** Within a transaction over several databases the client's time-out is pgfig's to enforce (see keepAwake). */
  protected override watchIdle(): void {
    const timeout = this.tx?.idleTimeout ?? 0;
    if (timeout === 0) return;
    this.#stopIdleTimer();
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = null;
      // It works on something that was sent along: when that is answered, the clock begins anew.
      if (this.state === 'active') return;
      this.fail(
        new PgfigError('IDLE_IN_TRANSACTION_TIMEOUT', 'terminating connection due to idle-in-transaction timeout'),
      );
    }, timeout);
  }

  #observe(target: SessionLink): void {
    target.histogram.observe((target.link.meter.now - this.#startedAt) / 1000);
    this.#startedAt = 0;
    if (!this.#sampled) return;
    this.#sampled = false;
    this.traffic.counters.proxySeconds.observe(this.#ownTime / 1000);
  }

  onError(link: Link, fields: ErrorFields): void {
    this.queryFailed = true;
    this.failedWith = fields.code;
    this.copyIn = false;
    const target = this.links.get(link.database);
    if (target !== undefined && link.queue.needsSync && !target.lastWasQuery) this.skipping = true;
  }

  onFailed(link: Link, fields: ErrorFields, chunk: Buffer, end: number): void {
    const mark = link.queue.headMark;
    if (mark !== null) failed(this, link, mark, fields.code, chunk, end);
  }

  onSuspended(link: Link, chunk: Buffer, end: number): void {
    const mark = link.queue.headMark;
    if (mark !== null) suspended(this, link, mark, chunk, end);
  }

  onCommand(link: Link, chunk: Buffer, start: number, end: number): void {
    const mark = link.queue.headMark;
    if (mark !== null) carriedOut(this, link, mark, chunk, start, end);
    if (this.tx !== null) this.lastTag = decodeCommandTag(chunk, start, end);
    this.tags?.push(decodeCommandTag(chunk, start, end));
  }

  onCopyIn(link: Link): void {
    this.copyIn = true;
    // A Sync that was sent along is ignored in copy-in mode (55.2.6): the pipeline is still open.
    const target = this.links.get(link.database);
    if (target !== undefined && !target.lastWasQuery && link.queue.owedReady === 0) target.inPipeline = true;
  }

  onDescription(link: Link, type: number, chunk: Buffer, start: number, end: number): void {
    describe(this, link, type, chunk, start, end);
  }

  onParameterStatus(link: Link, name: string, value: string): void {
    if (this.links.get(link.database)?.link !== link) return;
    this.report(name, value);
  }

  onAsync(link: Link, type: number, chunk: Buffer, start: number, end: number, hidden: boolean): void {
    onAsync(this, link, type, chunk, start, end, hidden);
  }

  onProgress(_link: Link): void {
    this.waiters.check();
    if (this.draining && this.idle) return this.close('pgfig is shutting down', SHUTDOWN);
    this.client.flush();
  }

  onHiddenError(link: Link, fields: ErrorFields): void {
    const target = this.links.get(link.database);
    if (target === undefined) return;
    if (target.injectionError !== null) refusedInFront(this, target);
    else refusedInPipeline(this, target, fields);
  }

  onLost(link: Link, fatal: ErrorFields | null, error: Error | null): void {
    const target = this.links.get(link.database);
    if (target === undefined || target.link !== link || this.closed) return;
    this.traffic.counters.fromBackends += link.bytesIn;
    this.traffic.counters.toBackends += link.bytesOut;
    this.links.delete(link.database);
    endTransaction.linkLost(this, target, fatal, error);
    this.waiters.check();
    this.client.flush();
    // It may have been congested, and nobody else would let the client go on.
    if (!this.closed && !this.input.blocked && !this.client.channel.congested) this.client.channel.resume();
  }

  trace(link: Link, direction: 'F' | 'B', chunk: Buffer, start: number, end: number): void {
    if (this.traffic.tracing && direction === 'F') traceMessages(this, 'F', link.database, chunk, start, end);
  }

  protected override stopTimers(): void {
    this.#stopIdleTimer();
  }
}
