import type { CatalogView } from '../../routing/catalog-view.js';
import { readsNewOf } from '../../routing/read-share.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { IsolationLevel } from '../../sql/statement.js';
import type { SessionStart } from '../login/session-start-facts.js';
import type { SessionLink } from '../session-link.js';
import type { Traffic } from '../traffic.js';
import type { Transaction } from '../transaction/transaction.js';
import type { ContextFacts } from './contexts.js';
import { databasesOf, type OwnRelations, stillUnknown } from './own-relations.js';
import { SearchPath } from './search-path.js';
import { TempRelations } from './temp-relations.js';

const NOTHING: ReadonlySet<string> = new Set();

/** What a session's routes depend on besides rules and catalog: whom it is for, what names mean, what it has written. */
export class RoutingFacts {
  readonly searchPath: SearchPath;
  readonly temps = new TempRelations();
  /** Drawn once: a percentage of the sessions reads from a new database, not of the statements. 0 <= share < 100 */
  readonly share = Math.random() * 100;
  /** As the server has it for the session: what a transaction has that does not say. */
  defaultIsolation = 'read committed';
  readsNew: ReadonlySet<string> = NOTHING;
  /** Domains that the transaction has written, explicit or a pipeline's; of those that are read from a new database. */
  written: ReadonlySet<string> = NOTHING;
  /** Relations that the session has made outside of the transaction under way, and the catalog does not show yet. */
  ownRelations: OwnRelations = new Map();
  service: string;
  /**
   * What decides the meaning of names, and the level of transactions, as home had it at login (defaults of role and
   * database): a late link begins with the same, and RESET returns to it there.
   */
  atLogin: readonly (readonly [string, string])[] = [];
  /** DDL of this session is committed, and the catalog may not show it yet. */
  definitionsChanged = false;
  /** What may have changed search_path did not say so: if it has, other links must be told. */
  unseen = false;

  constructor(traffic: Traffic, start: SessionStart, home: string) {
    this.service = start.info.service;
    this.searchPath = new SearchPath(traffic, start, home);
  }

  /** Transactions that do not say otherwise have one snapshot. */
  get strict(): boolean {
    return needsOneSnapshot(this.defaultIsolation);
  }

  /** Home has been asked, and nothing has been changed yet. */
  loggedIn(): void {
    if (this.searchPath.value === null) return;
    this.atLogin = [
      ['search_path', this.searchPath.value],
      ['default_transaction_isolation', this.defaultIsolation],
    ];
  }

  /** Something must be asked of a link, or the catalog be waited for, before the next statement is planned. */
  get unsure(): boolean {
    return this.searchPath.unsure || this.temps.unsure || this.definitionsChanged;
  }

  /** What names mean may have changed there. */
  outdated(link: SessionLink): void {
    this.searchPath.outdated(link);
    this.temps.outdated(link);
  }

  /** New rules or a new catalog are taken, or the service is another. */
  follow(rules: RuleSet, catalog: CatalogView | null): void {
    this.readsNew = readsNewOf(rules, this.service, this.share);
    this.ownRelations = stillUnknown(this.ownRelations, catalog);
  }

  /** @returns whether it is news that the transaction has written these domains */
  hasWritten(domains: readonly string[]): boolean {
    if (domains.every((domain) => this.written.has(domain))) return false;
    this.written = new Set([...this.written, ...domains]);
    return true;
  }

  /** The transaction is over. @returns whether that changes anything */
  forgetWritten(): boolean {
    if (this.written.size === 0) return false;
    this.written = NOTHING;
    return true;
  }

  /** What it is made of is another: the routing context has to be made anew. */
  forContext(home: string, tx: Transaction | null): ContextFacts {
    const { searchPath, temps, readsNew, written, ownRelations } = this;
    return {
      searchPath: searchPath.schemas,
      tempTables: temps.tables,
      home,
      readsNew,
      written,
      oneSnapshot: readsNew.size > 0 && needsOneSnapshot(tx?.isolation ?? this.defaultIsolation),
      ...databasesOf(tx?.ownRelations ?? ownRelations),
    };
  }
}

const needsOneSnapshot = (isolation: IsolationLevel | string): boolean =>
  isolation === 'repeatable read' || isolation === 'serializable';
