import type pg from 'pg';
import type { PlpgsqlParser } from '../../sql/grammar.js';
import { functionRows } from './body-rows.js';
import { CatalogPart } from './catalog-part.js';
import { Details } from './details.js';
import type { RawRows } from './raw-rows.js';
import { linkRows, relationColumns } from './relation-rows.js';
import { RowList } from './row-list.js';
import type { ForeignKeyRow, SectionName, SectionValues } from './rows.js';
import { viewRows, workRows } from './rule-rows.js';
import { SECTION_NAMES, Section, type Sections } from './section.js';
import { QUERY_NAMES, type QueryName, sectionQuery } from './section-queries.js';
import { readSettings, type Settings } from './settings.js';

/**
 * Everything but definitions, in one snapshot. Nothing here waits for a lock but behind VACUUM FULL of a system
 * catalog. Compiling and parallel workers cost more than they gain for what runs once.
 */
const PREPARATION = [
  'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  "SET LOCAL lock_timeout = '2s'",
  'SET LOCAL jit = off',
  'SET LOCAL max_parallel_workers_per_gather = 0',
];

type Raw = { readonly [Name in QueryName]: readonly RawRows[Name][] };

interface Reading {
  readonly raw: Raw;
  readonly stamps: ReadonlyMap<QueryName, string>;
  readonly changeCounts: string | null;
  readonly part: CatalogPart;
}

/** Reads one database, and remembers the last reading that worked. */
export class PartReader {
  readonly #details: Details;
  #last: Reading | null = null;

  /** @param parser asked for when there are bodies to be read */
  constructor(parser: () => Promise<PlpgsqlParser>) {
    this.#details = new Details(parser);
  }

  /** The same part as before where nothing has changed. See CatalogReader.read for `thorough`. */
  async read(client: pg.ClientBase, thorough: boolean): Promise<CatalogPart> {
    const last = this.#last;
    // The counts are taken first: what changes after them is counted later, and seen then.
    const settings = await readSettings(client);
    const quiet = settings.changeCounts !== null && settings.changeCounts === last?.changeCounts;
    const { raw, stamps } = quiet && !thorough && last !== null ? last : await this.#rows(client);
    const part = await this.#part(client, raw, settings);
    this.#last = { raw, stamps, changeCounts: settings.changeCounts, part };
    return part;
  }

  /** Rows of all queries; those that are as before are the same objects. */
  async #rows(client: pg.ClientBase): Promise<Pick<Reading, 'raw' | 'stamps'>> {
    const last = this.#last;
    const queries = QUERY_NAMES.map((name) => sectionQuery(name, last?.stamps.get(name) ?? ''));
    const query: pg.QueryArrayConfig = { text: [...PREPARATION, ...queries].join(';\n'), rowMode: 'array' };
    // A string of several statements gives a list of results, which the driver's types do not tell.
    const results = (await client.query(query)) as unknown as pg.QueryArrayResult[];
    const stamps = new Map<QueryName, string>();
    const rowsOf = <Name extends QueryName>(name: Name): readonly RawRows[Name][] => {
      const [stamp, text] = results[PREPARATION.length + QUERY_NAMES.indexOf(name)]?.rows[0] ?? [];
      stamps.set(name, String(stamp));
      return text === null && last !== null ? last.raw[name] : JSON.parse(String(text));
    };
    const raw: Raw = {
      schemas: rowsOf('schemas'),
      types: rowsOf('types'),
      relations: rowsOf('relations'),
      owners: rowsOf('owners'),
      draws: rowsOf('draws'),
      inherits: rowsOf('inherits'),
      rewrites: rowsOf('rewrites'),
      triggers: rowsOf('triggers'),
      policies: rowsOf('policies'),
      expressions: rowsOf('expressions'),
      foreignKeys: rowsOf('foreignKeys'),
      unsteady: rowsOf('unsteady'),
      keys: rowsOf('keys'),
      functions: rowsOf('functions'),
    };
    return { raw, stamps };
  }

  /** Sections whose rows are as before are the same objects. */
  async #part(client: pg.ClientBase, raw: Raw, settings: Settings): Promise<CatalogPart> {
    const last = this.#last;
    const old = last?.part.sections;
    const changed = (...names: QueryName[]): boolean => names.some((name) => raw[name] !== last?.raw[name]);
    const section = <Name extends SectionName>(
      name: Name,
      isNew: boolean,
      value: () => SectionValues[Name],
    ): Section<Name> => {
      // TypeScript does not see that the section of that name has that name.
      const before = old?.[name] as Section<Name> | undefined;
      if (before !== undefined && !isNew) return before;
      const made = Section.of(name, value());
      return before?.key === made.key ? before : made;
    };
    const worksChanged = changed('rewrites', 'triggers', 'policies', 'expressions');
    const rules = worksChanged ? await this.#details.rules(client, raw.rewrites) : new Map();
    const functions = changed('functions')
      ? functionRows(raw.functions, await this.#details.bodies(client, raw.functions))
      : null;
    const { schemas, types, relations, rewrites } = raw;
    const sections: Sections = {
      settings: section('settings', true, () => ({ ...settings.rows, schemas })),
      types: section('types', changed('types'), () => types),
      relations: section('relations', changed('relations'), () => relationColumns(relations)),
      links: section('links', changed('owners', 'draws', 'inherits'), () =>
        linkRows(raw.owners, raw.draws, raw.inherits),
      ),
      views: section('views', changed('rewrites'), () => viewRows(rewrites, rules)),
      works: section('works', worksChanged, () =>
        workRows(rewrites, rules, raw.triggers, raw.policies, raw.expressions),
      ),
      foreignKeys: section('foreignKeys', changed('foreignKeys'), () =>
        RowList.of(raw.foreignKeys as unknown as ForeignKeyRow[]),
      ),
      unsteady: section('unsteady', changed('unsteady'), () => RowList.of(raw.unsteady)),
      keys: section('keys', changed('keys'), () => RowList.of(raw.keys)),
      functions: section('functions', functions !== null, () => functions?.functions ?? { schemas: [], rows: [] }),
      bodies: section('bodies', functions !== null, () => functions?.bodies ?? RowList.of([])),
    };
    const same = SECTION_NAMES.every((name) => sections[name] === old?.[name]);
    return same && last !== null ? last.part : new CatalogPart(sections);
  }
}
