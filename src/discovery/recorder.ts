import { LRUCache } from 'lru-cache';
import type { Matrix } from '../matrix/matrix.js';
import { MatrixSum } from '../matrix/matrix-sum.js';
import type { Tally } from '../matrix/tally.js';
import { TallyBook } from '../matrix/tally-book.js';
import type { CatalogView } from '../routing/catalog-view.js';
import type { Parser } from '../sql/grammar.js';
import type { StatementCacheLimits } from '../sql/statement-cache.js';
import { type PlannedStatement, type PlannedText, PlannedTexts, type SeenTable } from './planned-text.js';
import { RecordedSession, type Run } from './recorded-session.js';
import { NameContexts, SessionNames } from './session-names.js';

/** The name of the service of a session. */
export type ServiceOf = (applicationName: string, user: string, address: string) => string;

/** A service is known by its application_name, and without one by its user. */
export const serviceByName: ServiceOf = (applicationName, user) => (applicationName === '' ? user : applicationName);

export interface RecorderOptions {
  readonly parser: Parser;
  readonly cache: StatementCacheLimits;
  /** null: names are resolved by schema public alone. */
  readonly catalog: CatalogView | null;
  /** The database that the log is of, by its name in pgfig.yaml. */
  readonly database: string;
  readonly serviceOf: ServiceOf;
  /** Only what happened from `since` up to `until` counts; ms since 1970. */
  readonly since?: number | null;
  readonly until?: number | null;
}

export interface SessionFacts {
  readonly session: string;
  readonly user: string;
  readonly application: string;
  readonly address: string;
}

/** More sessions than a server has at a time. One that is forgotten begins anew: outside of a transaction, with its user's search_path. */
const MOST_SESSIONS = 20_000;
/** Statements between two harvests, so that paths of transactions that never come again are not kept. */
const HARVEST_EVERY = 1_000_000;

/** Counts what a source other than the proxy has seen, as the proxy would: same extractor, same plans, same tallies. */
export class Recorder {
  /** Of what was counted; infinite where nothing was. */
  first = Number.POSITIVE_INFINITY;
  last = Number.NEGATIVE_INFINITY;
  /** Statements carried out, and those that failed; texts that did not parse among them. */
  statements = 0;
  failures = 0;
  unparsable = 0;
  /** EXECUTEs of statements whose PREPARE is not in the log. */
  unprepared = 0;
  readonly #texts: PlannedTexts;
  readonly #contexts: NameContexts;
  readonly #serviceOf: ServiceOf;
  readonly #since: number;
  readonly #until: number;
  readonly #book = new TallyBook();
  readonly #sum = new MatrixSum();
  readonly #sessions: LRUCache<string, RecordedSession>;
  #untilHarvest = HARVEST_EVERY;

  constructor({ parser, cache, catalog, database, serviceOf, since, until }: RecorderOptions) {
    this.#texts = new PlannedTexts(parser, cache, database);
    this.#serviceOf = serviceOf;
    this.#since = since ?? Number.NEGATIVE_INFINITY;
    this.#until = until ?? Number.POSITIVE_INFINITY;
    this.#contexts = new NameContexts(database, catalog);
    this.#sessions = new LRUCache({ max: MOST_SESSIONS, dispose: (session) => this.#forget(session) });
  }

  /** The session, as it is known. */
  session(facts: SessionFacts): RecordedSession {
    const { session: id, application } = facts;
    let session = this.#sessions.get(id);
    if (session === undefined) {
      const names = new SessionNames(this.#contexts, this.#contexts.initialPath(facts.user));
      session = new RecordedSession(names, this.#book);
      this.#sessions.set(id, session);
    } else if (session.application === application) {
      return session;
    }
    // What ran under the old name has ended: only what has run changes the name. User and address stay.
    this.settle(session);
    session.application = application;
    session.service = this.#serviceOf(application, facts.user, facts.address);
    return session;
  }

  /** The statements of a text, as they are to be understood in the session now. */
  plan(session: RecordedSession, text: Uint8Array): PlannedText {
    const { names } = session;
    return this.#texts.get(text, names.standardConformingStrings, names.context);
  }

  /** The plan of a text that was not logged. */
  unseen(session: RecordedSession): PlannedText {
    return this.#texts.unseen(session.names.context);
  }

  /** What has begun was carried out: nothing else was heard of it. */
  settle(session: RecordedSession, seconds = 0): void {
    const { begun } = session;
    if (begun === null) return;
    session.begun = null;
    this.done(session, begun.plan, begun.prepared, { ...begun.run, seconds });
  }

  /** A text was carried out. @param prepared what its EXECUTE runs, where the log tells */
  done(session: RecordedSession, plan: PlannedText, prepared: PlannedText | null, run: Run): void {
    session.enter(run.transaction);
    const counts = this.#counts(run.time);
    const { statements } = plan;
    // Of a string of statements only the whole is known: its time is that of each.
    for (const planned of statements) {
      const tally = this.#tallyOf(session, planned, prepared, run.more);
      if (tally !== null && counts) {
        this.#book.done(tally, run.rows ?? 0, run.seconds);
        this.#note(tally, run.time);
      }
      if (counts) this.statements += 1;
      session.did(planned, counts ? tally : null, run.time);
    }
    session.leave(run.transaction);
    this.#untilHarvest -= 1;
    if (this.#untilHarvest <= 0) this.#harvest();
  }

  /** A text failed: none of its statements was carried out, or all that were are undone. */
  failed(session: RecordedSession, plan: PlannedText | null, prepared: PlannedText | null, run: Run): void {
    session.enter(run.transaction);
    for (const planned of plan?.statements ?? []) {
      if (!this.#counts(run.time)) break;
      this.failures += 1;
      const tally = this.#tallyOf(session, planned, prepared, run.more);
      if (tally === null) continue;
      this.#book.failed(tally);
      this.#note(tally, run.time);
    }
    session.fail();
  }

  /** The next part of what a text has begun to give. */
  more(session: RecordedSession, plan: PlannedText, run: Run): void {
    if (!this.#counts(run.time)) return;
    for (const planned of plan.statements) {
      const tally = this.#texts.tally(planned, session.service);
      if (tally === null) continue;
      this.#book.more(tally, 0, run.seconds);
      this.#note(tally, run.time);
    }
  }

  /** The session was ended. */
  close(session: string): void {
    this.#sessions.delete(session);
  }

  /** All that was counted. What is open is closed. */
  matrix(): Matrix {
    this.#sessions.clear();
    this.#harvest();
    return this.#sum.matrix();
  }

  /** Transactions that wrote more tables than are paired. */
  get wide(): number {
    return this.#book.wide;
  }

  #forget(session: RecordedSession): void {
    this.settle(session);
    session.close();
  }

  #harvest(): void {
    this.#untilHarvest = HARVEST_EVERY;
    this.#sum.add(this.#book.harvest(Number.isFinite(this.last) ? this.last : Date.now()));
  }

  #tallyOf(
    session: RecordedSession,
    planned: PlannedStatement,
    prepared: PlannedText | null,
    more: readonly SeenTable[] | undefined,
  ): Tally | null {
    const { statement } = planned;
    if (statement.kind === 'unparsable') this.unparsable += 1;
    let counted: PlannedStatement | null = planned;
    for (const effect of statement.effects) {
      if (effect.type !== 'execute') continue;
      counted = prepared?.statements[0]?.inside ?? session.prepared.get(effect.name) ?? null;
      if (counted === null) this.unprepared += 1;
    }
    return counted === null ? null : this.#texts.tally(counted, session.service, more);
  }

  #counts(time: number): boolean {
    // What has no time cannot be told to be outside.
    return !(time < this.#since || time > this.#until);
  }

  /** Times are the log's, not those of its reading. */
  #note(tally: Tally, time: number): void {
    if (Number.isNaN(time)) return;
    if (tally.first === 0 || time < tally.first) tally.first = time;
    if (time > tally.last) tally.last = time;
    if (time < this.first) this.first = time;
    if (time > this.last) this.last = time;
  }
}
