import type { RuleSet } from '../rules/rule-set.js';
import type { CatalogView } from './catalog-view.js';

/** All that a route depends on besides the statement: sessions for which these are alike share their routes. */
export interface RoutingContext {
  readonly rules: RuleSet;
  /** null: names are looked up in the rules alone. */
  readonly catalog: CatalogView | null;
  /** The schemas of search_path, `"$user"` already put in. */
  readonly searchPath: readonly string[];
  /** Name of each temporary table -> database whose link holds it. */
  readonly tempTables: ReadonlyMap<string, string>;
  readonly service: string;
  /** Database of the session's home link, where its catalog reads go; default: the default database. */
  readonly home?: string;
  /** Domains in phase `read-new` whose reads go to the new database in this session. */
  readonly readsNew?: ReadonlySet<string>;
  /** Domains that this transaction has written: their reads stay with the authoritative home. */
  readonly written?: ReadonlySet<string>;
  /** REPEATABLE READ and above: one snapshot has to serve the whole transaction, so reads stay with authoritative homes. */
  readonly oneSnapshot?: boolean;
  /** Domains in phase `write-new` whose old copy something keeps in step: it may be read there. */
  readonly inStep?: ReadonlySet<string>;
  /** 'schema.name' of each relation that this session has made and the catalog does not show yet -> its database. */
  readonly ownRelations?: ReadonlyMap<string, string>;
  /** Schemas that this session has made and the catalog does not show yet, each with its database. */
  readonly ownSchemas?: ReadonlyMap<string, string>;
}
