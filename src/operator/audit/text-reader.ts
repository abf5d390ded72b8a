import type { Catalog } from '../../backend/catalog.js';
import { planStatement, type RoutingContext } from '../../routing/plan.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { splitKey } from '../../rules/table-name.js';
import type { Parser } from '../../sql/parser.js';
import { withoutLiterals } from '../../sql/without-literals.js';

/** What a text of pg_stat_activity has to do with tables. */
export type TextSays = 'touches' | 'may touch' | 'other tables' | 'unreadable';

/** Bytes in UTF-8: texts are cut at the border of a character. */
const LONGEST_CHARACTER = 4;

/** Reads statements that other sessions of one database run, as that database understands them. */
export class TextReader {
  readonly #parser: Parser;
  readonly #catalog: Catalog;
  readonly #database: string;
  readonly #rules: RuleSet;

  constructor(parser: Parser, catalog: Catalog, database: string) {
    this.#parser = parser;
    this.#catalog = catalog;
    this.#database = database;
    // Nothing is routed past pgfig: all names mean this database's own.
    this.#rules = {
      ...{ version: 1, loadedAt: new Date(0), domains: [], tables: new Map() },
      ...{ defaultDatabase: database, databases: [database] },
    };
  }

  /**
   * @param user whose search_path is taken: what the session itself has set nobody else knows
   * @param tables 'schema.table'
   * @param longest bytes at which the server cuts texts
   */
  says(text: string, user: string, tables: readonly string[], longest: number): TextSays {
    const { statements } = this.#parser.parse(text);
    const context = this.#contextOf(user);
    const routes = statements.map((statement) => planStatement(statement, context));
    if (routes.some(({ touches }) => touches.some(({ table }) => tables.includes(table)))) return 'touches';
    // What was cut off may touch more; what is left names most of what the whole touches.
    const cut = Buffer.byteLength(text) >= longest - LONGEST_CHARACTER;
    if (cut) return tables.some((table) => names(text, splitKey(table).name)) ? 'may touch' : 'unreadable';
    const unread = statements.some(({ kind }) => kind === 'unparsable') || routes.some(({ opaque }) => opaque !== null);
    return unread ? 'unreadable' : 'other tables';
  }

  /** A text as it may be shown; '' where it does not parse, for then what looks like a name may be data. */
  shown(text: string): string {
    const { statements } = this.#parser.parse(text);
    if (statements.length === 0 || statements.some(({ kind }) => kind === 'unparsable')) return '';
    const bytes = Buffer.from(text, 'utf8');
    return withoutLiterals(bytes, 0, bytes.length, true);
  }

  #contextOf(user: string): RoutingContext {
    const path = this.#catalog.initialSearchPath(this.#database, user) ?? ['$user', 'public'];
    const own = this.#catalog.hasSchema(this.#database, user) === true ? [user] : [];
    return {
      ...{ rules: this.#rules, catalog: this.#catalog, tempTables: new Map(), service: '' },
      searchPath: path.flatMap((schema) => (schema === '$user' ? own : [schema])),
    };
  }
}

const names = (text: string, name: string): boolean =>
  new RegExp(`(^|[^\\w$])"?${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"?([^\\w$]|$)`, 'i').test(text);
