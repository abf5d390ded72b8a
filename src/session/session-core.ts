import type { LinkOwner } from '../backend/link.js';
import { PgfigError } from '../errors/pgfig-error.js';
import type { Channel } from '../net/channel.js';
import type { RoutingContext } from '../routing/context.js';
import { backendKeyData } from '../wire/backend-messages.js';
import { flush, terminate } from '../wire/frontend-messages.js';
import { ClientEnd, FAILED, IDLE } from './client-end.js';
import { ClientInput, type InputHandler } from './client-input.js';
import { ClientRun } from './client-run.js';
import { inject, injectSync } from './injection.js';
import type { OwnRelations } from './own-relations.js';
import type { Portal, Prepared } from './prepared.js';
import { RoutingFacts } from './routing-facts.js';
import { DECIDES_NAMES } from './search-path.js';
import type { SessionLink } from './session-link.js';
import type { SessionStart } from './session-start-facts.js';
import { Settings } from './settings.js';
import type { TextPlan } from './text-plan.js';
import type { Traffic } from './traffic.js';
import type { Transaction } from './transaction.js';
import { Waiters } from './waiters.js';

/**
 * What a session is made of, and what every part of it may do: wait, answer, fail, end. Who decides what happens with
 * a message stands in ClientSession and the files that it calls; they see this.
 */
export abstract class SessionCore {
  readonly traffic: Traffic;
  readonly client: ClientEnd;
  readonly input: ClientInput;
  readonly run: ClientRun;
  readonly start: SessionStart;
  readonly links = new Map<string, SessionLink>();
  readonly settings = new Settings();
  readonly facts: RoutingFacts;
  readonly names = new Map<string, Prepared>();
  readonly portals = new Map<string, Portal>();
  /** Cursors of DECLARE by name, and where they live; without HOLD until the transaction ends. */
  readonly cursors = new Map<string, { readonly target: SessionLink; readonly hold: boolean }>();
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
  /** The link where the pipeline's implicit transaction has the one snapshot that it may have. */
  pipelineSnapshot: SessionLink | null = null;
  /** The link that has settings which last as long as the pipeline's implicit transaction: no other may join it. */
  pipelineLocal: SessionLink | null = null;
  /** The pipeline's implicit transaction has changed definitions. */
  pipelineDdl = false;
  /** Settings that the pipeline's implicit transaction has changed, and may yet undo. */
  pipelineChanged: { readonly target: SessionLink; readonly name: string }[] = [];
  /** Links where the pipeline's implicit transaction has made temporary relations. */
  readonly pipelineTemps = new Set<SessionLink>();
  /** Descriptions that were asked for, in order. */
  readonly describing: { readonly prepared: Prepared | null; readonly link: SessionLink }[] = [];
  lastQueryFailed = false;
  /** The link's last request has failed; cleared by ReadyForQuery. */
  queryFailed = false;
  /** Keeps the ReadyForQuery of parts of a query string from the client. */
  splitting = false;
  /** CopyInResponse has passed and the copy has not ended. */
  copyIn = false;
  /** Settings that a function has changed within a transaction: their values are asked where it ran. */
  settingsToAsk: { readonly target: SessionLink; readonly name: string; readonly local: boolean }[] = [];
  /** Relations made without naming a schema: which one they are in is asked. */
  readonly relationsMade: { readonly link: SessionLink; readonly name: string }[] = [];
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
  /** Works that the input waits for: one may lead to another. */
  #blocks = 0;

  constructor(traffic: Traffic, channel: Channel, start: SessionStart, homeName: string) {
    this.traffic = traffic;
    this.start = start;
    this.homeName = homeName;
    this.client = new ClientEnd(channel, traffic.counters);
    this.run = new ClientRun(this.client, traffic.counters);
    this.input = new ClientInput(this.inputHandler());
    this.facts = new RoutingFacts(traffic, start, homeName);
    this.facts.follow(traffic.rules, traffic.catalog);
    this.context = traffic.contextOf(this.facts.forContext(homeName, null));
    this.generation = traffic.generation;
  }

  /** Who acts on the client's messages. */
  protected abstract inputHandler(): InputHandler;

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

  /** An error that answers one message of the client's. */
  failMessage(raised: unknown, simple: boolean): void {
    const error = raised instanceof PgfigError ? raised : internalError(raised, this.traffic);
    if (error.severity === 'FATAL') return this.fail(error);
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
    this.client.sayReady(this.status);
  }

  /** A Query that fails takes the pipeline along that was open when it came: they are one transaction. */
  #undoPipelines(): void {
    for (const target of this.links.values()) {
      if (!target.inPipeline || target.link.lost) continue;
      if (!target.link.queue.needsSync) inject(target, 'ROLLBACK');
      injectSync(target);
    }
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
    if (active === null || active.link.queue.shown === 0) return;
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
    this.client.sayReady(this.status);
  }

  /** A parameter's value, as a backend reports it: the service follows application_name, however that was set. */
  report(name: string, value: string): void {
    this.client.report(name, value);
    if (name !== 'application_name') return;
    const { info } = this.start;
    const service = value === '' ? info.user : value;
    if (service === info.service) return;
    info.service = service;
    this.facts.service = service;
    this.generation = -1;
  }

  /** Takes new rules, unless a transaction or pipeline still runs by the old ones. */
  refreshContext(): void {
    if (this.tx !== null && this.tx.participants.length > 0) return;
    for (const target of this.links.values()) if (target.inPipeline) return;
    const { traffic, facts } = this;
    this.generation = traffic.generation;
    // With one database nobody asks what names mean.
    if (this.context.rules.databases.length < 2 && traffic.rules.databases.length > 1) {
      for (const target of this.links.values()) facts.outdated(target);
    }
    facts.follow(traffic.rules, traffic.catalog);
    this.context = traffic.contextOf(facts.forContext(this.homeName, this.tx));
  }

  /** What names mean, or where the transaction reads, has changed: by the rules that the session has. */
  contextChanged(): void {
    this.context = this.traffic.contextLike(this.context, this.facts.forContext(this.homeName, this.tx));
  }

  /** The transaction, explicit or a pipeline's, writes these domains: it reads them there from now on. */
  noteWritten(domains: readonly string[]): void {
    if (this.facts.hasWritten(domains)) this.contextChanged();
  }

  /** Its level decides whether it can read anywhere but where it writes. */
  isolationChanged(): void {
    if (this.facts.readsNew.size > 0) this.contextChanged();
  }

  /**
   * What a pipeline's implicit transaction has set for its own time is gone with it, and what it has changed too where
   * it fails at last, which nobody may know yet: all of it is asked for anew before the next statement is planned.
   */
  settlePipeline(): void {
    const { facts, pipelineLocal } = this;
    if (pipelineLocal !== null && !pipelineLocal.link.lost) facts.searchPath.outdated(pipelineLocal);
    this.pipelineLocal = null;
    for (const { target, name } of this.pipelineChanged.splice(0)) {
      if (target.link.lost) continue;
      this.settings.changed(name, target);
      if (DECIDES_NAMES.has(name)) facts.searchPath.outdated(target);
    }
    for (const link of this.pipelineTemps) facts.temps.outdated(link);
    this.pipelineTemps.clear();
  }

  /** The implicit transaction of a pipeline is ended. */
  endImplicit(): void {
    this.pipelineWriter = null;
    this.pipelineSnapshot = null;
    this.settlePipeline();
    if (this.pipelineDdl) {
      this.pipelineDdl = false;
      this.noteDdl();
    }
    if (this.tx === null && this.facts.forgetWritten()) this.contextChanged();
  }

  /** DDL of this session is committed: other sessions hear of it soon, this one before its next statement is planned. */
  noteDdl(): void {
    if (this.context.rules.databases.length < 2) return;
    this.facts.definitionsChanged = true;
    this.traffic.events.ddlSeen();
  }

  get ownRelations(): OwnRelations {
    return this.tx?.ownRelations ?? this.facts.ownRelations;
  }

  set ownRelations(own: OwnRelations) {
    if (this.tx === null) this.facts.ownRelations = own;
    else this.tx.ownRelations = own;
  }

  /** No request outstanding, no transaction open. */
  get idle(): boolean {
    if (this.status !== IDLE || this.tx !== null || this.input.blocked || this.skipping) return false;
    for (const { link, inPipeline } of this.links.values()) if (!link.idle || inPipeline) return false;
    return true;
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
    this.closed = true;
    this.stopTimers();
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
