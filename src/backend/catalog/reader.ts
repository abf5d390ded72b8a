import type pg from 'pg';
import type { Config, DatabaseConfig } from '../../config/config.js';
import { loadParser, type PlpgsqlParser } from '../../sql/parser.js';
import { connectPg } from '../pg-client.js';
import { functionRows } from './body-rows.js';
import { CatalogPart } from './catalog-part.js';
import { Details } from './details.js';
import { identifierList } from './identifier-list.js';
import type { RawRows } from './raw-rows.js';
import { linkRows, relationColumns } from './relation-rows.js';
import type { ForeignKeyRow, SearchPathSetting, SettingRows } from './rows.js';
import { viewRows, workRows } from './rule-rows.js';
import { Section, type Sections } from './section.js';
import { QUERY_NAMES, type QueryName, sectionQuery } from './section-queries.js';

/**
 * All but definitions in one round trip, in one snapshot. SHOW comes first, while search_path is still the server's; it
 * looks up no names, so nothing that a user has put into a schema can run as pgfig. All after it is pinned to
 * pg_catalog. Nothing here waits for a lock but behind VACUUM FULL of a system catalog.
 */
const PREPARATION = [
  'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  'SHOW search_path',
  'SET LOCAL search_path = pg_catalog, pg_temp',
  "SET LOCAL lock_timeout = '2s'",
  // Costs more than it gains for queries that run once.
  'SET LOCAL jit = off',
  `SELECT rolname, setdatabase <> 0, setting
     FROM (SELECT setrole, setdatabase, unnest(setconfig) AS setting FROM pg_db_role_setting) s
     LEFT JOIN pg_roles r ON r.oid = s.setrole
    WHERE setting LIKE 'search_path=%'
      AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY 1, 2`,
  'SELECT current_user::text',
];
const SHOWN = 1;
const ROLE_SETTINGS = 5;
const ME = 6;

type Raw = { readonly [Name in QueryName]: readonly RawRows[Name][] };

/** Reads the catalogs of databases again and again, and remembers what it has read to read less the next time. */
export class CatalogReader {
  readonly #config: Config;
  readonly #memories = new Map<string, PartReader>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** One entry for each database of the configuration: what it holds, or why it could not be read. Never throws. */
  async read(): Promise<Map<string, CatalogPart | Error>> {
    const read = async (database: DatabaseConfig): Promise<[string, CatalogPart | Error]> => {
      try {
        return [database.name, await this.#part(database)];
      } catch (error) {
        return [database.name, error instanceof Error ? error : new Error(String(error))];
      }
    };
    return new Map(await Promise.all([...this.#config.databases.values()].map(read)));
  }

  async #part(database: DatabaseConfig): Promise<CatalogPart> {
    const client = await connectPg(this.#config, database, 'pgfig catalog');
    try {
      let memory = this.#memories.get(database.name);
      if (memory === undefined) {
        memory = new PartReader(theParser);
        this.#memories.set(database.name, memory);
      }
      return await memory.read(client);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

let parser: Promise<PlpgsqlParser> | null = null;

/** One for the process: its module takes a while to compile. */
function theParser(): Promise<PlpgsqlParser> {
  parser ??= loadParser();
  return parser;
}

/** Reads one database. */
class PartReader {
  readonly #details: Details;
  readonly #stamps = new Map<QueryName, string>();
  #raw: Raw | null = null;
  #part: CatalogPart | null = null;

  constructor(parser: () => Promise<PlpgsqlParser>) {
    this.#details = new Details(parser);
  }

  /** The same part as before where nothing has changed. */
  async read(client: pg.ClientBase): Promise<CatalogPart> {
    const before = this.#raw;
    const stamps = new Map(this.#stamps);
    const queries = QUERY_NAMES.map((name) => sectionQuery(name, stamps.get(name) ?? ''));
    const query: pg.QueryArrayConfig = { text: [...PREPARATION, ...queries].join(';\n'), rowMode: 'array' };
    // A string of several statements gives a list of results, which the driver's types do not tell.
    const results = (await client.query(query)) as unknown as pg.QueryArrayResult[];
    const rowsOf = <Name extends QueryName>(name: Name): readonly RawRows[Name][] => {
      const [stamp, text] = results[PREPARATION.length + QUERY_NAMES.indexOf(name)]?.rows[0] ?? [];
      stamps.set(name, String(stamp));
      return text === null && before !== null ? before[name] : JSON.parse(String(text));
    };
    const raw: Raw = {
      schemas: rowsOf('schemas'),
      types: rowsOf('types'),
      relations: rowsOf('relations'),
      owners: rowsOf('owners'),
      inherits: rowsOf('inherits'),
      rewrites: rowsOf('rewrites'),
      triggers: rowsOf('triggers'),
      policies: rowsOf('policies'),
      expressions: rowsOf('expressions'),
      foreignKeys: rowsOf('foreignKeys'),
      functions: rowsOf('functions'),
    };
    const same = (...names: QueryName[]): boolean => names.every((name) => raw[name] === before?.[name]);
    const settings = settingRows(results, raw.schemas);
    const part = await this.#make(client, raw, same, settings);
    this.#raw = raw;
    this.#part = part;
    for (const [name, stamp] of stamps) this.#stamps.set(name, stamp);
    return part;
  }

  /** Sections whose rows are as before are the same objects. */
  async #make(
    client: pg.ClientBase,
    raw: Raw,
    same: (...names: QueryName[]) => boolean,
    settings: SettingRows,
  ): Promise<CatalogPart> {
    const old = this.#part?.sections;
    const rulesAreSame = same('rewrites');
    const details = rulesAreSame && old !== undefined ? null : await this.#details.rules(client, raw.rewrites);
    const bodies = same('functions') && old !== undefined ? null : await this.#details.bodies(client, raw.functions);
    const rules =
      details ?? (same('triggers', 'policies', 'expressions') ? null : await this.#details.rules(client, raw.rewrites));
    const made: Sections = {
      settings: sectionOf(old?.settings, false, () => settings),
      types: sectionOf(old?.types, same('types'), () => raw.types),
      relations: sectionOf(old?.relations, same('relations'), () => relationColumns(raw.relations)),
      links: sectionOf(old?.links, same('owners', 'inherits'), () => linkRows(raw.owners, raw.inherits)),
      views: sectionOf(old?.views, details === null, () => viewRows(raw.rewrites, details ?? new Map())),
      works: sectionOf(old?.works, rules === null, () =>
        workRows(raw.rewrites, rules ?? new Map(), raw.triggers, raw.policies, raw.expressions),
      ),
      foreignKeys: sectionOf(
        old?.foreignKeys,
        same('foreignKeys'),
        () => raw.foreignKeys as unknown as ForeignKeyRow[],
      ),
      functions: sectionOf(old?.functions, bodies === null, () => functionRows(raw.functions, bodies ?? new Map())),
    };
    const unchanged =
      old !== undefined && Object.entries(made).every(([name, section]) => old[name as keyof Sections] === section);
    return unchanged && this.#part !== null ? this.#part : new CatalogPart(made);
  }
}

function sectionOf<T>(old: Section<T> | undefined, same: boolean, value: () => T): Section<T> {
  if (old !== undefined && same) return old;
  const made = Section.of(value());
  return old?.key === made.key ? old : made;
}

function settingRows(results: readonly pg.QueryArrayResult[], schemas: readonly string[]): SettingRows {
  const rows = (at: number): unknown[][] => results[at]?.rows ?? [];
  const searchPaths = rows(ROLE_SETTINGS).map(
    ([role, here, setting]): SearchPathSetting => ({
      role: role === null ? null : String(role),
      thisDatabase: here === true,
      path: identifierList(String(setting).slice('search_path='.length)),
    }),
  );
  const me = String(rows(ME)[0]?.[0]);
  return { schemas, searchPaths, serverSearchPath: serverSearchPath(String(rows(SHOWN)[0]?.[0]), me, searchPaths) };
}

/** SHOW tells the server's own value only where no setting of role or database hides it. */
function serverSearchPath(shown: string, me: string, settings: readonly SearchPathSetting[]): readonly string[] | null {
  if (settings.some((setting) => setting.role === null || setting.role === me)) return null;
  return shown === '"$user", public' ? null : identifierList(shown);
}
