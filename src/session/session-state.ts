import type { PgfigError } from '../errors/pgfig-error.js';
import { TallyBook } from '../matrix/tally-book.js';
import { TransactionWork } from '../matrix/transaction-work.js';
import type { Channel } from '../net/channel.js';
import type { RoutingContext } from '../routing/context.js';
import { decidesByNames } from '../rules/statement-mirror.js';
import { Commits } from './apply/commits.js';
import type { MirroredDomain } from './apply/mirrored.js';
import { ClientEnd, IDLE } from './client/client-end.js';
import { ClientInput, type InputHandler } from './client/client-input.js';
import { ClientRun } from './client/client-run.js';
import { Waiters } from './client/waiters.js';
import type { Portal, Prepared } from './extended/prepared.js';
import type { SessionStart } from './login/session-start-facts.js';
import type { MirroredCopy, Mirrors } from './mirror/mirrors.js';
import type { OwnRelations } from './names/own-relations.js';
import { RoutingFacts } from './names/routing-facts.js';
import { DECIDES_NAMES } from './names/search-path.js';
import type { TextPlan } from './plan/text-plan.js';
import { serviceOf } from './service.js';
import type { SessionLink } from './session-link.js';
import type { Traffic } from './traffic.js';
import { Settings } from './transaction/settings.js';
import type { Transaction } from './transaction/transaction.js';

/** Nothing is written in it where nothing is counted. */
const NO_BOOK = new TallyBook();

/** What a session is made of, and the routing context that it has: what its routes depend on. */
export abstract class SessionState {
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
  /** What the transaction under way has written, for the matrix. */
  readonly work: TransactionWork;
  /** What it has written of mirrored domains. */
  readonly commits = new Commits();
  /** The name that its service is counted under. */
  countedService: string;
  /** When the client's bytes at hand arrived, by performance.now(). */
  arrivedAt = 0;
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
  /**
   * The ReadyForQuery of the message at hand (Query, FunctionCall, Sync) has been said, or is a backend's to say: an
   * error that comes now is no answer to it any more.
   */
  readyPromised = false;
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
  /** SQLSTATE of the error that a link's request has failed with last. */
  failedWith = '';
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
  /** How many ReadyForQuery of the client's come from there before that of the COMMIT. */
  readyBeforeCommit = 0;
  /** Command tag that the client was shown last, within a transaction. */
  lastTag = '';
  /**
   * A statement that changes transaction or session was sent by the extended protocol, and its outcome is not known
   * yet: what comes next waits for it.
   */
  unsettled: { readonly target: SessionLink; readonly plan: TextPlan; readonly sql: string } | null = null;
  /** What the home link reported at login. */
  atLogin: ReadonlyMap<string, string> = new Map();
  /**
   * Why the implicit transaction of a pipeline has failed, where the client has not been told: a link was lost on which it
   * was open, or what pgfig itself asked there was refused.
   */
  pipelineFailure: PgfigError | null = null;
  /** Statement mirrors; null until there is something for them. */
  mirrors: Mirrors | null = null;
  /** Command tags of the request that is to be repeated by a mirror; null: nobody wants to know. */
  tags: string[] | null = null;
  /** A COPY FROM STDIN that goes to a mirror as well, or is to be noted when it has ended. */
  copying: MirroredCopy | null = null;
  /** ReadyForQuery is kept from the client until the mirror has committed too; 'held': it has come. */
  readyHold: 'no' | 'wanted' | 'held' = 'no';
  draining = false;
  closed = false;
  /** Ends what is being dialled or waited for. */
  cancelWaiting: AbortController | null = null;

  constructor(traffic: Traffic, channel: Channel, start: SessionStart, homeName: string) {
    this.traffic = traffic;
    this.start = start;
    this.homeName = homeName;
    this.work = new TransactionWork(traffic.book ?? NO_BOOK);
    this.countedService = traffic.book?.serviceOf(start.info.service) ?? '';
    this.client = new ClientEnd(channel, traffic.counters, () => this.beforeReady());
    this.run = new ClientRun(this.client, traffic.counters);
    this.input = new ClientInput(this.inputHandler());
    this.facts = new RoutingFacts(traffic, start, homeName);
    this.facts.follow(traffic.rules, traffic.catalog);
    this.context = traffic.contextOf(this.facts.forContext(homeName, null));
    this.generation = traffic.generation;
  }

  /** Who acts on the client's messages. */
  protected abstract inputHandler(): InputHandler;

  /** ReadyForQuery is about to be said. */
  protected abstract beforeReady(): void;

  /** A statement was carried out that writes, or may write, these domains. */
  wrote(domains: readonly MirroredDomain[]): void {
    if (this.tx?.readsOnly !== true) this.commits.wrote(domains);
  }

  /** The transaction under way is over. */
  ended(committed: boolean): void {
    this.work.end(committed);
    this.commits.end(committed);
  }

  /** A parameter's value, as a backend reports it: the service follows application_name, however that was set. */
  report(name: string, value: string): void {
    this.client.report(name, value);
    if (name !== 'application_name') return;
    const { info } = this.start;
    const service = serviceOf(this.traffic, value, info);
    if (service === info.service) return;
    info.service = service;
    this.countedService = this.traffic.book?.serviceOf(service) ?? '';
    this.facts.service = service;
    this.generation = -1;
  }

  /** Whether it matters what names mean: to find the right one of several databases, or to count the right table. */
  get followsNames(): boolean {
    return decidesByNames(this.context.rules) || this.traffic.book !== null;
  }

  /** Takes new rules, unless a transaction or pipeline still runs by the old ones. */
  refreshContext(): void {
    if (this.tx !== null && this.tx.participants.length > 0) return;
    for (const target of this.links.values()) if (target.inPipeline) return;
    const { traffic, facts } = this;
    this.generation = traffic.generation;
    // With one database nobody asks what names mean.
    if (!decidesByNames(this.context.rules) && decidesByNames(traffic.rules)) {
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
    if (!this.followsNames) return;
    // With one database only the matrix wants to know, and nothing waits for that.
    if (decidesByNames(this.context.rules)) this.facts.definitionsChanged = true;
    this.traffic.events.ddlSeen();
  }

  get ownRelations(): OwnRelations {
    return this.tx?.ownRelations ?? this.facts.ownRelations;
  }

  set ownRelations(own: OwnRelations) {
    if (this.tx === null) this.facts.ownRelations = own;
    else this.tx.ownRelations = own;
  }
}
