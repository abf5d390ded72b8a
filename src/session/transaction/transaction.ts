import type { PgfigError } from '../../errors/pgfig-error.js';
import { quoteIdent } from '../../sql/quote.js';
import type { IsolationLevel } from '../../sql/statement.js';
import type { OwnRelations } from '../names/own-relations.js';
import type { SessionLink } from '../session-link.js';

/** What a link that joins a transaction later must go through, in order. */
export interface JournalEntry {
  readonly type: 'savepoint' | 'release' | 'statement';
  /** Name of the savepoint, '' for a statement. */
  readonly name: string;
  readonly sql: string;
  /** The transaction's new relations when the savepoint was set. */
  readonly ownRelations?: OwnRelations;
}

/** Is told what becomes of savepoints. */
export interface SavepointWatcher {
  savepoint(name: string): void;
  release(name: string): void;
  rollbackTo(name: string): void;
}

let stamps = 0;

/**
 * An explicit transaction of the client's. BEGIN was answered at once; each database is sent it with its first
 * statement, followed by the journal of savepoints and settings.
 */
export class Transaction {
  /** Distinguishes this transaction from all others of the process; never 0. */
  readonly stamp: number;
  /** As in BEGIN, e.g. 'ISOLATION LEVEL SERIALIZABLE, READ ONLY'; SET TRANSACTION adds to it. */
  modes: string;
  isolation: IsolationLevel | null;
  readonly participants: SessionLink[] = [];
  /** Links of statement mirrors: they go through the journal, and decide nothing. */
  readonly #followers: SessionLink[] = [];
  readonly #watchers: SavepointWatcher[] = [];
  /** It has changed definitions. */
  ddl = false;
  /** The one database that this transaction writes in. */
  writer: SessionLink | null = null;
  /** The client's idle_in_transaction_session_timeout in ms, once several databases take part; 0 for none. */
  idleTimeout = 0;
  /** The error of a lost participant, until the client has been told. */
  untoldLoss: PgfigError | null = null;
  /** A participant's connection is gone, and its part of the transaction with it: only ROLLBACK is left. */
  lostParticipant = false;
  /** pgfig itself refused a statement: no backend knows that the transaction has failed. */
  failedHere = false;
  /** Began or went on inside a query string that was passed whole: its savepoints are not known. */
  opaque = false;
  /** set_config with a name that is not known: nobody may join. */
  joinBarred = false;
  /** search_path was changed in here, and perhaps only until the end. */
  searchPathChanged = false;
  /** Links where temporary relations came, went or changed in here. */
  readonly tempsChanged = new Set<SessionLink>();
  /** Those of the session, and what this transaction has made. */
  ownRelations: OwnRelations;
  readonly #ownBefore: OwnRelations;
  /** Names of session settings changed in here, and the link where that was last. */
  readonly changedSettings = new Map<string, SessionLink>();
  readonly #journal: JournalEntry[] = [];

  constructor(modes: string, isolation: IsolationLevel | null, ownRelations: OwnRelations = new Map()) {
    this.stamp = ++stamps;
    this.ownRelations = ownRelations;
    this.#ownBefore = ownRelations;
    this.modes = modes;
    this.isolation = isolation;
  }

  get journal(): readonly JournalEntry[] {
    return this.#journal;
  }

  /** A mirror's link is to go through the journal as well. */
  follow(link: SessionLink): void {
    if (!this.#followers.includes(link)) this.#followers.push(link);
  }

  /** Is told of savepoints from now on. */
  watch(watcher: SavepointWatcher): void {
    if (!this.#watchers.includes(watcher)) this.#watchers.push(watcher);
  }

  get #everyone(): readonly SessionLink[] {
    return this.#followers.length === 0 ? this.participants : [...this.participants, ...this.#followers];
  }

  /** READ ONLY, as far as is known: the server refuses every write. */
  get readsOnly(): boolean {
    const said = this.modes
      .match(/READ (?:ONLY|WRITE)/gi)
      ?.at(-1)
      ?.toUpperCase();
    if (said !== 'READ ONLY' || this.opaque) return false;
    return this.#journal.every(({ type, sql }) => type !== 'statement' || !/read/i.test(sql));
  }

  hasSavepoint(name: string): boolean {
    return this.#openSavepoint(name) >= 0;
  }

  /** Adds what has just run on `by`; every other participant has yet to run it. */
  record(entry: JournalEntry, by: SessionLink | null): void {
    const behind = by !== null && by.journalAt === this.#journal.length;
    const { ownRelations } = this;
    this.#journal.push(entry.type === 'savepoint' ? { ...entry, ownRelations } : entry);
    if (behind) by.journalAt = this.#journal.length;
    for (const participant of this.#everyone) if (participant !== by) participant.txStamp = -1;
    if (entry.type === 'savepoint') for (const watcher of this.#watchers) watcher.savepoint(entry.name);
  }

  /** RELEASE: the savepoint and those after it are gone, what ran since then stays. */
  release(name: string, by: SessionLink | null): void {
    for (const watcher of this.#watchers) watcher.release(name);
    const at = this.#openSavepoint(name);
    if (at < 0) return;
    if (this.#everyone.every((one) => one.journalAt <= at || (one === by && one.journalAt === this.#journal.length))) {
      return this.#forgetSavepoint(at, by);
    }
    this.record({ type: 'release', name, sql: `RELEASE SAVEPOINT ${quoteIdent(name)}` }, by);
  }

  /**
   * Nobody else has the savepoint: it leaves the journal, and what ran since then stays. Clients that put every
   * statement into a savepoint of its own would have a long one otherwise.
   */
  #forgetSavepoint(at: number, by: SessionLink | null): void {
    const since = this.#journal.splice(at).filter((entry) => entry.type === 'statement');
    this.#journal.push(...since);
    if (by !== null && by.journalAt > at) by.journalAt = this.#journal.length;
  }

  /** ROLLBACK TO: what ran after the savepoint is undone, the savepoint stays. */
  rollbackTo(name: string, by: SessionLink | null): void {
    for (const watcher of this.#watchers) watcher.rollbackTo(name);
    const at = this.#openSavepoint(name);
    // One that is not known was set inside a string: what came before it cannot be told from what came after.
    this.ownRelations = this.#journal[at]?.ownRelations ?? this.#ownBefore;
    if (at < 0 || this.lostParticipant) return;
    for (const participant of this.#everyone) {
      if (participant === by) participant.undo.length = 0;
      else this.#undoOn(participant, name, at);
      if (participant.journalAt > at + 1) participant.journalAt = at + 1;
    }
    this.#journal.length = at + 1;
    this.failedHere = false;
  }

  /**
   * What a participant must undo before anything else runs there. One that has not reached the savepoint yet has nothing
   * to undo; one that lags behind a RELEASE still has inner savepoints of the same name, which stand in the way.
   */
  #undoOn(participant: SessionLink, name: string, at: number): void {
    participant.txStamp = -1;
    if (participant.journalAt <= at) return;
    const open = openSavepoints(this.#journal.slice(0, participant.journalAt));
    for (const index of open) {
      if (index > at && this.#journal[index]?.name === name)
        participant.undo.push(`RELEASE SAVEPOINT ${quoteIdent(name)}`);
    }
    participant.undo.push(`ROLLBACK TO SAVEPOINT ${quoteIdent(name)}`);
  }

  addModes(modes: string, isolation: IsolationLevel | null): void {
    this.modes = this.modes === '' ? modes : `${this.modes}, ${modes}`;
    if (isolation !== null) this.isolation = isolation;
  }

  /** Where the journal holds the innermost savepoint of this name that was not released; -1 where none is. */
  #openSavepoint(name: string): number {
    const open = openSavepoints(this.#journal);
    return open.findLast((at) => this.#journal[at]?.name === name) ?? -1;
  }
}

/** Where savepoints stand that were not released, outermost first. */
function openSavepoints(journal: readonly JournalEntry[]): number[] {
  const open: number[] = [];
  journal.forEach((entry, at) => {
    if (entry.type === 'savepoint') open.push(at);
    if (entry.type !== 'release') return;
    const released = open.findLastIndex((index) => journal[index]?.name === entry.name);
    if (released >= 0) open.length = released;
  });
  return open;
}
