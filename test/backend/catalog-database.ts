import t, { type Test } from 'tap';
import { Catalog, CatalogReader, mergeCatalog } from '../../src/backend/catalog.js';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import type { FunctionFacts, HiddenWork, RelationFacts } from '../../src/routing/catalog-view.js';
import type { Touches } from '../../src/sql/statement.js';
import { hasPostgres, type PostgresVersion, startPostgres, type TestPostgres } from '../support/postgres.js';

/** One database of a real server, and its catalog as workers get it. */
export class CatalogDatabase {
  readonly server: TestPostgres;
  readonly version: PostgresVersion;
  readonly reader: CatalogReader;
  catalog: Catalog;

  constructor(server: TestPostgres, version: PostgresVersion, config: Config) {
    this.server = server;
    this.version = version;
    this.reader = new CatalogReader(config);
    this.catalog = new Catalog(0, new Map());
  }

  /** Runs the SQL, and reads the catalog after it. */
  async after(sql: string): Promise<Catalog> {
    if (sql !== '') await this.server.query(sql, 'shop');
    const read = await this.reader.read();
    for (const part of read.values()) if (part instanceof Error) throw part;
    const merged = mergeCatalog(this.catalog, read);
    this.catalog = Catalog.fromText(merged.toText(this.catalog), this.catalog);
    return this.catalog;
  }

  relation(name: string): RelationFacts {
    const [schema = '', relation = ''] = name.includes('.') ? name.split('.') : ['public', name];
    const facts = this.catalog.relation('db', schema, relation);
    if (facts === null) throw new Error(`nothing is known of ${name}`);
    return facts;
  }

  hidden(name: string): readonly string[] {
    return this.relation(name).hidden.map(workText);
  }

  function(name: string): FunctionFacts {
    const [schema = '', called = ''] = name.includes('.') ? name.split('.') : ['public', name];
    const [facts] = this.catalog.functions('db', schema, called) ?? [];
    if (facts === undefined) throw new Error(`nothing is known of ${name}()`);
    return facts;
  }

  body(name: string): string {
    return touchesText(this.function(name).body);
  }
}

/** Runs the tests on a server of each version that is here. */
export function onEachVersion(tests: (t: Test, database: CatalogDatabase) => Promise<void>): void {
  for (const version of [15, 18] as const) {
    t.test(`PostgreSQL ${version}`, { skip: !hasPostgres(version) }, async (t) => {
      const server = await startPostgres({ version });
      await server.query('CREATE DATABASE shop');
      await tests(t, new CatalogDatabase(server, version, configFor(t, server)));
    });
  }
}

export function configFor(t: Test, server: TestPostgres, dbname = 'shop'): Config {
  const folder = t.testdir({ 'pgfig.yaml': `databases:\n  db: { url: "${server.url(dbname)}" }\n` });
  return loadConfig(`${folder}/pgfig.yaml`);
}

/** 'trigger t on insert, update of a: calls public.f' */
export function workText({ what, on, columns, instead, touches }: HiddenWork): string {
  const of = columns === null ? '' : ` of ${columns.join(' ')}`;
  return `${what} on ${on.join(' ')}${of}${instead ? ' instead' : ''}: ${touchesText(touches)}`;
}

/** 'reads public.a public.b, calls public.f'; 'nothing' */
export function touchesText(touches: Touches): string {
  const { reads, writes, locks, changes, sequences, functions, opaque } = touches;
  const names = (list: readonly { readonly schema?: string; readonly name: string }[]): string[] =>
    list.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`)).sort();
  const changed = changes.map(
    ({ table, op, columns, cascade }) =>
      `${op} ${names([table])}${columns === null ? '' : `(${columns.join(' ')})`}${cascade ? ' cascade' : ''}`,
  );
  const unchanged = writes.filter(({ schema, name }) =>
    changes.every(({ table }) => table.schema !== schema || table.name !== name),
  );
  const parts: [string, readonly string[]][] = [
    ['reads', names(reads)],
    ['locks', names(locks)],
    ['writes', names(unchanged)],
    ['does', changed.sort()],
    ['draws', names(sequences)],
    ['calls', names(functions)],
    ['opaque:', opaque === null ? [] : [opaque]],
  ];
  const said = parts.filter(([, list]) => list.length > 0).map(([verb, list]) => `${verb} ${list.join(' ')}`);
  return said.length === 0 ? 'nothing' : said.join(', ');
}
