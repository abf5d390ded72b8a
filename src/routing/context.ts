import type { RuleSet } from '../rules/rule-set.js';
import type { CatalogView } from './catalog-view.js';

/** All that a route depends on besides the statement: sessions for which these are alike share their routes. */
export interface RoutingContext {
  readonly rules: RuleSet;
  /** null: names are looked up in the rules alone. */
  readonly catalog: CatalogView | null;
  /** The schemas of search_path, `"$user"` already put in. */
  readonly searchPath: readonly string[];
  /** Lower-case name of each temporary table -> database whose link holds it. */
  readonly tempTables: ReadonlyMap<string, string>;
  readonly service: string;
  /** Database of the session's home link, where its catalog reads go; default: the default database. */
  readonly home?: string;
}
