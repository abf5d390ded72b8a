import { readFileSync } from 'node:fs';
import type net from 'node:net';
import { type AuthQueryRow, verifierOfRow } from '../auth/auth-query.js';
import { parseUserlist } from '../auth/userlist.js';
import type { Verifier } from '../auth/verifier.js';
import { CircuitBreaker } from '../backend/circuit-breaker.js';
import type { AuthMethod, Config, DatabaseConfig } from '../config/config.js';
import { isConsole } from '../config/console-access.js';
import { ServiceNames } from '../config/service-names.js';
import { PgfigError } from '../errors/pgfig-error.js';
import { EMPTY_MATRIX, type Matrix } from '../matrix/matrix.js';
import { TallyBook } from '../matrix/tally-book.js';
import type { TurnOutcome } from '../mirror/turn-outcome.js';
import { ClientTls } from '../net/client-tls.js';
import type { CatalogView } from '../routing/catalog-view.js';
import type { RoutingContext } from '../routing/context.js';
import type { RuleSet } from '../rules/rule-set.js';
import { loadParser } from '../sql/parser.js';
import { ParserThread } from '../sql/parser-thread.js';
import { StatementCache } from '../sql/statement-cache.js';
import { errorFrom } from '../wire/backend-messages.js';
import { type TurnRequests, Turns } from './apply/turns.js';
import type { Console } from './console/console.js';
import { openConsole } from './console/console-start.js';
import { TrafficCounters } from './counters.js';
import { pidOf, workerOfPid } from './login/cancel-keys.js';
import type { Admitted, Gate } from './login/gate.js';
import { Handshake } from './login/handshake.js';
import { openPassThrough, openSession } from './login/session-start.js';
import { MirrorGate } from './mirror/mirror-gate.js';
import { type ContextFacts, Contexts } from './names/contexts.js';
import type { TextPlan } from './plan/text-plan.js';
import { type BackendSight, SessionRegistry, type SessionSight } from './session-registry.js';
import { type TrafficStats, trafficStats } from './stats.js';
import type { Traffic } from './traffic.js';
import type { TrafficEvents } from './traffic-events.js';

export type { Histogram, TrafficStats } from './stats.js';

export interface TrafficOptions {
  readonly config: Config;
  readonly workerId: number;
  readonly rules: RuleSet;
  readonly catalog: CatalogView | null;
  /** Key of the salts that are made up for unknown users: the same in every worker. */
  readonly authKey: Buffer;
  readonly authQuery: ((user: string) => Promise<AuthQueryRow | null>) | null;
  readonly events: TrafficEvents;
  readonly trace: boolean;
  readonly console: Console;
  /** Asked for each statement whether `events.statementDone` is to have it; without it: none. */
  readonly accessLog?: { wants(service: string): boolean };
  /**
   * Resolves when the catalog that was read after this moment has been taken, or after a while; never rejects.
   * @returns whether every database could be read
   */
  catalogAfterDdl(): Promise<boolean>;
  /** The relays, which are in the control process. */
  readonly relays: TurnRequests;
  /** A cancel request whose session another worker owns. */
  forwardCancel(pid: number, secret: Buffer): Promise<void>;
}

/** Sessions of the console that each worker takes beyond the limits. */
const CONSOLE_PLACES = 8;

/** All client traffic of one worker process: accepts sockets, keeps the sessions, takes new rules. */
export class WorkerTraffic implements Gate, Traffic {
  readonly config: Config;
  readonly workerId: number;
  readonly events: TrafficEvents;
  readonly tracing: boolean;
  readonly counters = new TrafficCounters();
  readonly breaker = new CircuitBreaker();
  readonly mirrorGate = new MirrorGate();
  readonly authKey: Buffer;
  readonly authMethod: AuthMethod;
  readonly authTimeout: number;
  readonly tls: ClientTls | null;
  readonly registry: SessionRegistry;
  readonly console: Console;
  readonly accessLog: { wants(service: string): boolean } | null;
  readonly services: ServiceNames;
  readonly book: TallyBook | null;
  readonly turns: Turns;
  rules: RuleSet;
  catalog: CatalogView | null;
  generation = 0;
  readonly #options: TrafficOptions;
  readonly #contexts = new Contexts();
  readonly #handshakes = new Set<Handshake>();
  #users: Map<string, Verifier>;
  #cache: StatementCache<TextPlan> | null = null;
  readonly #ready: Promise<void>;
  readonly #thread = new ParserThread();
  #sessions = 0;
  #draining = false;

  /** @throws PgfigError FILE_UNREADABLE, CONFIG_INVALID (userlist) */
  constructor(options: TrafficOptions) {
    const { config } = options;
    this.#options = options;
    this.config = config;
    this.workerId = options.workerId;
    this.events = options.events;
    this.tracing = options.trace;
    this.rules = options.rules;
    this.catalog = options.catalog;
    this.authKey = options.authKey;
    this.authMethod = config.auth.method;
    this.authTimeout = config.limits.authTimeout;
    this.tls = config.listen.tls === null ? null : new ClientTls(config.listen.tls);
    this.registry = new SessionRegistry(config.limits);
    this.console = options.console;
    this.accessLog = options.accessLog ?? null;
    this.services = new ServiceNames(config.services);
    this.book = config.matrix.enabled ? new TallyBook() : null;
    this.turns = new Turns(options.relays, (domain) => this.counters.hold(domain));
    this.#users = readUsers(config);
    this.#ready = loadParser().then((parser) => {
      this.#cache = new StatementCache<TextPlan>(parser, config.cache, this.#thread);
    });
  }

  get cache(): StatementCache<TextPlan> {
    if (this.#cache === null) throw new PgfigError('INTERNAL', 'the SQL parser is not loaded');
    return this.#cache;
  }

  /** A socket of a server with `pauseOnConnect`. */
  accept(socket: net.Socket): void {
    if (this.#cache !== null) return this.#begin(socket);
    this.#ready.then(
      () => this.#begin(socket),
      () => socket.destroy(),
    );
  }

  #begin(socket: net.Socket): void {
    this.#handshakes.add(new Handshake(this, socket));
  }

  left(handshake: object): void {
    this.#handshakes.delete(handshake as Handshake);
  }

  setRules(rules: RuleSet): void {
    this.rules = rules;
    this.#contextsChanged();
  }

  setCatalog(catalog: CatalogView): void {
    this.catalog = catalog;
    this.#contextsChanged();
  }

  #contextsChanged(): void {
    this.#contexts.clear();
    // Plans for the old ones would keep rules and catalogs alive until their statements come again.
    this.#cache?.forgetExtras();
    this.generation++;
  }

  contextOf(facts: ContextFacts): RoutingContext {
    return this.#contexts.of({ rules: this.rules, catalog: this.catalog, service: '', ...facts });
  }

  contextLike(context: RoutingContext, facts: ContextFacts): RoutingContext {
    const like = { ...context, ...facts };
    return context.rules === this.rules && context.catalog === this.catalog ? this.#contexts.of(like) : like;
  }

  database(name: string): DatabaseConfig {
    const database = this.config.databases.get(name);
    if (database === undefined)
      throw new PgfigError('INTERNAL', `rules name a database that is not configured: ${name}`);
    return database;
  }

  /** Certificates and userlist are read again; on an error the old ones stay. @throws PgfigError */
  async reloadSecrets(): Promise<void> {
    this.tls?.reload();
    this.#users = readUsers(this.config);
  }

  setLimits(others: { total: number; byUser: Record<string, number> }): void {
    this.registry.others = others;
  }

  catalogAfterDdl(): Promise<boolean> {
    return this.#options.catalogAfterDdl();
  }

  admit(user: string, database: string): void {
    if (this.#draining) throw new PgfigError('CANNOT_CONNECT_NOW', 'the database system is shutting down');
    // When all places are taken, somebody must be able to look who has them.
    if (isConsole(this.config, database) && this.registry.of(database) < CONSOLE_PLACES) return;
    this.registry.admit(user);
  }

  async verifierOf(user: string): Promise<Verifier | null> {
    const listed = this.#users.get(user);
    if (listed !== undefined) return listed;
    const { authQuery } = this.#options;
    if (authQuery === null) return null;
    return verifierOfRow(await authQuery(user));
  }

  authFailed(user: string | null, peer: string, reason: string): void {
    this.counters.authFailures++;
    this.events.authFailed({ user, peer, reason });
  }

  /** A client has proven who it is: its session begins. */
  enter(admitted: Admitted): void {
    const id = ++this.#sessions;
    const pid = pidOf(this.workerId, id);
    this.#open(admitted, id, pid).catch((error: unknown) => {
      const known =
        error instanceof PgfigError
          ? error
          : new PgfigError('INTERNAL', `unexpected error: ${error instanceof Error ? error.message : String(error)}`);
      if (!(error instanceof PgfigError)) this.events.warning('unexpected error at login', { error: String(error) });
      if (known.code === 'AUTH_NOT_ALLOWED') this.authFailed(admitted.user, admitted.peer, known.message);
      admitted.channel.writeOwned(asFatal(known));
      admitted.channel.end();
    });
  }

  async #open(admitted: Admitted, id: number, pid: number): Promise<void> {
    const { database, params } = admitted;
    if (params.has('replication')) return openPassThrough(this, admitted, id, pid);
    if (isConsole(this.config, database)) return openConsole(this, admitted, id, pid);
    if (database === this.database(this.config.default).dbname) return openSession(this, admitted, id, pid);
    return openPassThrough(this, admitted, id, pid);
  }

  closed(pid: number): void {
    this.registry.remove(pid);
  }

  /** A cancel request of a session of this worker; resolves when the backend has it, or there was nothing to cancel. */
  cancel(pid: number, secret: Buffer): Promise<void> {
    return this.registry.cancel(pid, secret);
  }

  /** A cancel request arrived here, and its session may be another worker's. */
  cancelAnywhere(pid: number, secret: Buffer): Promise<void> {
    return workerOfPid(pid) === this.workerId ? this.cancel(pid, secret) : this.#options.forwardCancel(pid, secret);
  }

  /** The control process has answered a request of `relays.sync`. */
  turnOver(id: number, outcome: TurnOutcome): void {
    this.turns.answered(id, outcome);
  }

  /** A new control process has begun, which knows of no request. */
  controlStarted(): void {
    this.turns.controlStarted();
  }

  /** The sessions for people to look at, at most so many. */
  sights(most: number): SessionSight[] {
    return this.registry.sights(most);
  }

  /** The backends that the sessions hold. */
  backends(): BackendSight[] {
    return this.registry.backends();
  }

  /** Statements, and kinds of transactions, that were counted for the matrix since the last harvest. */
  get unharvested(): number {
    return this.book?.unharvested ?? 0;
  }

  /** What was counted of the oldest so many of them. */
  harvest(most: number): Matrix {
    return this.book?.harvest(Date.now(), most) ?? EMPTY_MATRIX;
  }

  stats(): TrafficStats {
    return trafficStats(this, this.registry, this.#cache);
  }

  /** No new clients; sessions end between their transactions. @param deadline ms since the epoch */
  async drain(deadline: number): Promise<void> {
    this.#draining = true;
    for (const handshake of [...this.#handshakes]) {
      handshake.refuse(new PgfigError('CANNOT_CONNECT_NOW', 'the database system is shutting down'));
    }
    this.registry.drain();
    await this.registry.empty(deadline);
  }

  /** Ends all sessions now. */
  close(): void {
    this.#draining = true;
    this.registry.closeAll();
    this.#thread.close();
  }
}

function asFatal(error: PgfigError): Buffer {
  const fatal = Object.create(error, { severity: { value: 'FATAL' } }) as PgfigError;
  return errorFrom(fatal);
}

function readUsers(config: Config): Map<string, Verifier> {
  const file = config.auth.users;
  if (file === null) return new Map();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PgfigError('FILE_UNREADABLE', `cannot read the userlist ${file}`, { cause });
  }
  return parseUserlist(text, file);
}
