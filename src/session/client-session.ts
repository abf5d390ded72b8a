import type { Credentials } from '../auth/server-auth.js';
import type { Link, LinkOwner } from '../backend/link.js';
import { Expect } from '../backend/reply-queue.js';
import { PgfigError } from '../errors/pgfig-error.js';
import type { Channel, ChannelOwner } from '../net/channel.js';
import { stableCopy } from '../net/slab.js';
import type { RoutingContext } from '../routing/context.js';
import { backendKeyData, errorResponse } from '../wire/backend-messages.js';
import { decodeCommandTag, type ErrorFields } from '../wire/decode.js';
import { isCopyInMessage } from '../wire/framer.js';
import { sync, terminate } from '../wire/frontend-messages.js';
import { F } from '../wire/types.js';
import { onAsync } from './asynchronous.js';
import { ClientEnd, FAILED, IDLE, IN_TRANSACTION } from './client-end.js';
import { ClientInput, type InputHandler } from './client-input.js';
import { describe } from './descriptions.js';
import * as extended from './extended-query.js';
import type { Portal, Prepared } from './prepared.js';
import { SearchPath } from './search-path.js';
import type { SessionLink } from './session-link.js';
import { Settings } from './settings.js';
import { onQuery } from './simple-query.js';
import type { TextPlan } from './text-plan.js';
import { traceMessages } from './tracing.js';
import type { Traffic } from './traffic.js';
import type { SessionInfo } from './traffic-events.js';
import type { Transaction } from './transaction.js';
import { endTransaction, followStatus } from './transaction-end.js';
import { settleFirst } from './unsettled.js';
import { Waiters } from './waiters.js';

export interface SessionStart {
  readonly info: SessionInfo;
  readonly credentials: Credentials;
  /** The client's startup parameters besides user and database. */
  readonly params: ReadonlyMap<string, string>;
  readonly secret: Buffer;
}

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
export class ClientSession implements ChannelOwner, LinkOwner, InputHandler {
  readonly traffic: Traffic;
  readonly client: ClientEnd;
  readonly input: ClientInput;
  readonly start: SessionStart;
  readonly links = new Map<string, SessionLink>();
  readonly settings = new Settings();
  readonly searchPath: SearchPath;
  readonly names = new Map<string, Prepared>();
  readonly portals = new Map<string, Portal>();
  readonly cursors = new Map<string, SessionLink>();
  /** Temporary tables by name, and the database whose link holds them. */
  tempTables: ReadonlyMap<string, string> = new Map();
  tempTablesBeforeTransaction: ReadonlyMap<string, string> = this.tempTables;
  readonly listening = new Set<string>();
  readonly waiters = new Waiters();
  context: RoutingContext;
  generation = -1;
  home: SessionLink | null = null;
  homeName: string;
  /** Used last: where statements without tables go. */
  last: SessionLink | null = null;
  /** Has requests of the client's outstanding, or had them last. */
  active: SessionLink | null = null;
  tx: Transaction | null = null;
  /** Stamp of `tx`, 0 outside: kept here for the hot path. */
  txStamp = 0;
  /** As the client was last told: I, T or E. */
  status = IDLE;
  /** An error was shown within the extended protocol: the client's messages are dropped until Sync. */
  skipping = false;
  /** The implicit transaction of a pipeline writes here. */
  pipelineWriter: SessionLink | null = null;
  /** Descriptions that were asked for, in order. */
  readonly describing: { readonly prepared: Prepared | null; readonly link: SessionLink }[] = [];
  lastQueryFailed = false;
  /** The link's last request has failed; cleared by ReadyForQuery. */
  queryFailed = false;
  /** Keeps the ReadyForQuery of parts of a query string from the client. */
  splitting = false;
  /** CopyInResponse has passed and the copy has not ended. */
  copyIn = false;
  /** COMMIT is on its way there: if the link is lost now, nobody knows how it ended. */
  commitSent: SessionLink | null = null;
  /** Command tag that the client was shown last, within a transaction. */
  lastTag = '';
  /**
   * A statement that changes transaction or session was sent by the extended protocol, and its outcome is not known
   * yet: what comes next waits for it.
   */
  unsettled: { readonly target: SessionLink; readonly plan: TextPlan; readonly sql: string } | null = null;
  /** What the home link reported at login. */
  atLogin: ReadonlyMap<string, string> = new Map();
  /** A link was lost on which the implicit transaction of a pipeline was open. */
  pipelineLost = false;
  draining = false;
  closed = false;
  /** Ends what is being dialled or waited for. */
  cancelWaiting: AbortController | null = null;
  lastActivity = 0;
  /** Works that the input waits for: one may lead to another. */
  #blocks = 0;
  #runLink: SessionLink | null = null;
  #runStart = 0;
  #runEnd = 0;
  #chunk: Buffer | null = null;
  #chunkOwned = false;
  #startedAt = 0;
  #sampled = false;
  #ownTime = 0;

  constructor(traffic: Traffic, channel: Channel, start: SessionStart, homeName: string) {
    this.traffic = traffic;
    this.start = start;
    this.homeName = homeName;
    this.client = new ClientEnd(channel, traffic.counters);
    this.input = new ClientInput(this);
    this.searchPath = new SearchPath(traffic, start, homeName);
    this.context = traffic.contextOf(this.searchPath.schemas, this.tempTables, homeName);
    this.generation = traffic.generation;
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
    try {
      this.input.push(chunk, owned);
    } catch (error) {
      this.fail(error);
    }
    if (this.#gaveAwayOwned) this.#retireInput();
    this.client.flush();
    if (sampled) {
      this.#sampled = true;
      this.#ownTime = performance.now() - began;
    }
  }

  #idleTimer: NodeJS.Timeout | null = null;
  #gaveAwayOwned = false;
  #stopIdleTimer(): void {
    clearTimeout(this.#idleTimer ?? undefined);
    this.#idleTimer = null;
  }

  #retireInput(): void {
    this.#gaveAwayOwned = false;
    this.client.channel.retireReadBuffer();
  }

  beginChunk(chunk: Buffer, owned: boolean): void {
    this.#chunk = chunk;
    this.#chunkOwned = owned;
    this.#runLink = null;
  }

  message(type: number, chunk: Buffer, at: number, end: number): void {
    if (this.traffic.tracing) traceMessages(this, 'F', 'client', chunk, at, end);
    if (type === F.Sync) return extended.onSync(this, chunk, at, end);
    if (type === F.Terminate) return this.close('the client said goodbye');
    if (this.skipping) return;
    if (this.unsettled !== null && !isCopyInMessage(type)) return settleFirst(this, type, chunk, at, end);
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
      this.failMessage(error, type === F.Query || type === F.FunctionCall);
    }
  }

  endChunk(): void {
    this.flushRun();
    this.#chunk = null;
  }

  copyPart(chunk: Buffer, at: number, end: number, _first: boolean): void {
    // Outside of COPY, and after it has failed, Postgres ignores copy data: so the part may be dropped as well.
    const active = this.active;
    if (active === null || this.skipping || active.link.queue.shown === 0) return;
    this.forward(active, chunk, at, end);
  }

  #copyEnd(chunk: Buffer, at: number, end: number): void {
    const active = this.active;
    if (active === null || active.link.queue.shown === 0) return;
    this.copyIn = false;
    active.link.queue.push(Expect.CopyEnd);
    // Whatever Sync was sent before counted for nothing if this ends a COPY: the next one is owed an answer.
    if (!active.lastWasQuery) active.inPipeline = true;
    this.forward(active, chunk, at, end);
  }

  /** Adds a message to the run of bytes that leaves for `target` in one write. */
  forward(target: SessionLink, chunk: Buffer, at: number, end: number): void {
    if (this.#runLink === target && this.#runEnd === at && this.#chunk === chunk) {
      this.#runEnd = end;
      return;
    }
    this.flushRun();
    if (this.#chunk !== chunk) {
      // Not of the chunk that is being read (it waited): goes by itself.
      target.link.sendBorrowed(chunk, at, end);
      return;
    }
    this.#runLink = target;
    this.#runStart = at;
    this.#runEnd = end;
  }

  /** Sends the run off. Must come before anything else is sent on a link. */
  flushRun(): void {
    const target = this.#runLink;
    const chunk = this.#chunk;
    if (target === null || chunk === null) return;
    this.#runLink = null;
    if (this.#chunkOwned) {
      if (target.link.sendOwned(chunk, this.#runStart, this.#runEnd)) this.#gaveAwayOwned = true;
    } else {
      target.link.sendBorrowed(chunk, this.#runStart, this.#runEnd);
    }
    if (target.link.congested) {
      this.traffic.counters.clientPauses++;
      this.client.channel.pause();
    }
  }

  onDrain(link?: Link): void {
    if (link !== undefined) {
      if (!this.input.blocked) this.client.channel.resume();
      return;
    }
    for (const { link: paused } of this.links.values()) paused.resume();
  }

  onClosed(error: Error | null): void {
    this.close(
      error === null ? 'the client closed the connection' : `the client's connection failed: ${error.message}`,
    );
  }

  /** The home link stands: the client is told what it reported at login, and may begin. */
  welcome(home: SessionLink): void {
    this.home = home;
    this.atLogin = new Map(home.link.parameters);
    for (const [name, value] of home.link.parameters) this.client.report(name, value);
    this.client.say(backendKeyData(this.start.info.pid, this.start.secret));
    this.client.sayReady(IDLE);
    this.client.flush();
    this.contextChanged();
  }

  // --- blocking ----------------------------------------------------------------------------------------------

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
        if (this.draining && this.idle) return this.close('pgfig is shutting down', SHUTDOWN);
        if (!this.input.blocked) this.client.channel.resume();
      })
      .catch((error: unknown) => this.fail(error));
  }

  /** Waits until nothing of the client's, or of pgfig's own, is outstanding on the link. */
  async drained(target: SessionLink): Promise<void> {
    await this.waiters.until(() => target.link.idle || target.link.lost || this.closed);
    if (this.closed || target.link.lost) throw this.lostError(target.database);
  }

  /**
   * Waits until the client's own requests on the link are answered; by their error, if it is lost. A COPY that asks for
   * the client's data ends the wait too (`copyIn`): the data must be let through.
   */
  async answered(target: SessionLink): Promise<void> {
    await this.waiters.until(
      () => target.link.queue.shown === 0 || target.link.lost || this.closed || (this.copyIn && this.active === target),
    );
  }

  lostError(database: string): PgfigError {
    return new PgfigError('BACKEND_LOST', `the connection to database "${database}" was lost`);
  }

  // --- answers of pgfig's own --------------------------------------------------------------------------------

  /** An error that answers one message of the client's. */
  failMessage(raised: unknown, simple: boolean): void {
    const error = raised instanceof PgfigError ? raised : internalError(raised, this.traffic);
    if (error.severity === 'FATAL') return this.fail(error);
    if (error.sqlstate === '0A000') this.traffic.counters.refused(error.code);
    this.traffic.events.refused(this.start.info, error);
    this.client.sayError(error);
    this.client.releaseReports();
    if (this.tx !== null) {
      if (this.status !== FAILED) this.failHere(this.tx);
    }
    if (simple) this.client.sayReady(this.status);
    else this.skipping = true;
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
    this.client.sayReady(this.status);
  }

  // --- plans -------------------------------------------------------------------------------------------------

  /** Takes new rules, unless a transaction or pipeline still runs by the old ones. */
  refreshContext(): void {
    if (this.tx !== null && this.tx.participants.length > 0) return;
    for (const target of this.links.values()) if (target.inPipeline) return;
    this.generation = this.traffic.generation;
    this.context = this.traffic.contextOf(this.searchPath.schemas, this.tempTables, this.homeName);
  }

  /** search_path or temporary tables have changed. */
  contextChanged(): void {
    this.context = this.traffic.contextOf(this.searchPath.schemas, this.tempTables, this.homeName);
  }

  // --- the links' side ---------------------------------------------------------------------------------------

  toClient(link: Link, chunk: Buffer, start: number, end: number, owned: boolean): void {
    if (this.traffic.tracing) traceMessages(this, 'B', link.database, chunk, start, end);
    const busy = this.client.pass(chunk, start, end, owned);
    if (busy) link.retireReadBuffer();
    if (this.client.channel.congested) {
      this.traffic.counters.backendPauses++;
      link.pause();
    }
  }

  onReady(link: Link, status: number, shown: boolean): boolean {
    const target = this.links.get(link.database);
    if (target === undefined) return shown;
    if (!shown) return false;
    if (this.#startedAt > 0) this.#observe(target);
    this.lastQueryFailed = this.queryFailed;
    this.queryFailed = false;
    if (this.describing.length > 0) this.describing.length = 0;
    this.copyIn = false;
    if (this.splitting) return false;
    if (status !== this.status || this.txStamp !== 0) followStatus(this, target, status);
    this.status = status;
    if (this.tx !== null && this.tx.idleTimeout > 0) this.#watchIdle(this.tx.idleTimeout);
    return true;
  }

  /** Within a transaction over several databases the client's time-out is pgfig's to enforce (see keepAwake). */
  #watchIdle(timeout: number): void {
    clearTimeout(this.#idleTimer ?? undefined);
    this.#idleTimer = setTimeout(
      () =>
        this.fail(
          new PgfigError('IDLE_IN_TRANSACTION_TIMEOUT', 'terminating connection due to idle-in-transaction timeout'),
        ),
      timeout,
    );
  }

  #observe(target: SessionLink): void {
    target.histogram.observe((performance.now() - this.#startedAt) / 1000);
    this.#startedAt = 0;
    if (!this.#sampled) return;
    this.#sampled = false;
    this.traffic.counters.proxySeconds.observe(this.#ownTime / 1000);
  }

  onError(link: Link, fields: ErrorFields): void {
    this.queryFailed = true;
    this.copyIn = false;
    const target = this.links.get(link.database);
    if (target !== undefined && link.queue.needsSync && !target.lastWasQuery) this.skipping = true;
    void fields;
  }

  onCommand(_link: Link, chunk: Buffer, start: number, end: number): void {
    if (this.tx !== null) this.lastTag = decodeCommandTag(chunk, start, end);
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
    this.client.report(name, value);
  }

  onAsync(link: Link, type: number, chunk: Buffer, start: number, end: number, hidden: boolean): void {
    onAsync(this, link, type, chunk, start, end, hidden);
  }

  onProgress(link: Link): void {
    const target = this.links.get(link.database);
    if (target !== undefined && target.injectionError !== null) this.#injectionFailed(target);
    this.waiters.check();
    if (this.draining && this.idle) return this.close('pgfig is shutting down', SHUTDOWN);
    this.client.flush();
  }

  /** What pgfig put in front of the client's request failed: its error is the request's. */
  #injectionFailed(target: SessionLink): void {
    const fields = target.injectionError;
    target.injectionError = null;
    if (fields === null) return;
    this.client.say(errorResponse(fields));
    if (this.tx !== null) this.failHere(this.tx);
    if (!target.lastWasQuery) {
      this.skipping = true;
      return;
    }
    // The backend skips the client's Query as well, until it gets a Sync, whose ReadyForQuery is the client's.
    if (target.link.queue.needsSync) {
      target.link.queue.needsSync = false;
      target.link.queue.push(Expect.Sync);
      target.link.send(sync);
    }
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
  }

  trace(link: Link, direction: 'F' | 'B', chunk: Buffer, start: number, end: number): void {
    if (this.traffic.tracing && direction === 'F') traceMessages(this, 'F', link.database, chunk, start, end);
  }

  // --- the end -----------------------------------------------------------------------------------------------

  /** No request outstanding, no transaction open. */
  get idle(): boolean {
    if (this.status !== IDLE || this.tx !== null || this.input.blocked || this.skipping) return false;
    for (const { link, inPipeline } of this.links.values()) if (!link.idle || inPipeline) return false;
    return true;
  }

  /** Ends the session when nothing is under way in it. */
  drain(): void {
    this.draining = true;
    if (this.idle) this.close('pgfig is shutting down', SHUTDOWN);
  }

  close(reason: string, lastWords: PgfigError | null = null): void {
    if (this.closed) return;
    this.closed = true;
    this.#stopIdleTimer();
    this.cancelWaiting?.abort();
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
    this.traffic.closed(this);
    this.traffic.events.sessionClosed(this.start.info, reason);
  }
}

/** A stamp that no link has. */
const FAILED_HERE = -2;
const SHUTDOWN = new PgfigError('SHUTTING_DOWN', 'terminating connection due to administrator command');

export { FAILED, IDLE, IN_TRANSACTION, stableCopy };

function internalError(raised: unknown, traffic: Traffic): PgfigError {
  const error = raised instanceof Error ? raised : new Error(String(raised));
  traffic.events.warning('unexpected error in a session', { error: error.stack ?? error.message });
  return new PgfigError('INTERNAL', `unexpected error: ${error.message}`, { cause: raised });
}
