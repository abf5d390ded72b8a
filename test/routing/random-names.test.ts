import fc from 'fast-check';
import t from 'tap';
import { planStatement, type RoutingContext } from '../../src/routing/plan.js';
import { buildRuleSet } from '../../src/rules/build.js';
import type { Domain } from '../../src/rules/rule-set.js';
import { loadParser } from '../../src/sql/parser.js';

/** The same names in several schemas, of which each database has its own choice. */
interface Names {
  /** database -> its tables, 'schema.name' */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** Schemas that are there though empty, in every database. */
  readonly empty: readonly string[];
  /** Tables with a rule, to a_db. */
  readonly ruled: readonly string[];
  readonly phase: Domain['phase'];
  readonly readsNew: boolean;
  readonly path: readonly string[];
  /** Database whose link holds a temporary table n1. */
  readonly temp: string | null;
}

const SCHEMAS = ['s1', 's2', 's3'];
const ALL = SCHEMAS.flatMap((schema) => [`${schema}.n1`, `${schema}.n2`]);
const DATABASES = ['monolith', 'a_db'];

const names: fc.Arbitrary<Names> = fc.record({
  tables: fc.record({ monolith: fc.subarray(ALL), a_db: fc.subarray(ALL) }),
  empty: fc.subarray(SCHEMAS),
  ruled: fc.subarray(ALL),
  phase: fc.constantFrom('monolith', 'read-new', 'write-new', 'retired'),
  readsNew: fc.boolean(),
  path: fc.shuffledSubarray([...SCHEMAS, 'pg_temp'], { minLength: 1 }),
  temp: fc.option(fc.constantFrom(...DATABASES)),
});

const schemasOf = ({ tables, empty }: Names, database: string): ReadonlySet<string> =>
  new Set([...empty, ...(tables[database] ?? []).map((table) => table.split('.')[0] ?? '')]);

function contextOf(of: Names): RoutingContext {
  const { ruled, phase, temp } = of;
  const domain = { name: 'a', database: 'a_db', tables: ruled, phase, owner: null, file: 'a.yaml' };
  return {
    rules: buildRuleSet([{ ...domain, crossDatabase: 'refuse' }], { defaultDatabase: 'monolith', version: 1 }),
    catalog: {
      version: 1,
      hasRelation: (database, schema, name) => of.tables[database]?.includes(`${schema}.${name}`) ?? null,
      hasSchema: (database, schema) => schemasOf(of, database).has(schema),
      relation: () => null,
      functions: () => [],
      initialSearchPath: () => null,
    },
    searchPath: of.path,
    tempTables: new Map(temp === null ? [] : [['n1', temp]]),
    service: 's',
    readsNew: new Set(of.readsNew ? ['a'] : []),
  };
}

/** What the server of that database finds, as PostgreSQL's documentation says (5.10.3). */
function foundAt(of: Names, database: string, name: string): string | null {
  const path = of.path.includes('pg_temp') ? of.path : ['pg_temp', ...of.path];
  for (const schema of path) {
    if (schema === 'pg_temp' && name === 'n1' && of.temp === database) return 'pg_temp.n1';
    if (of.tables[database]?.includes(`${schema}.${name}`)) return `${schema}.${name}`;
  }
  return null;
}

function isHome(of: Names, database: string, table: string, access: 'read' | 'write'): boolean {
  if (table.startsWith('pg_temp.')) return true;
  if (!of.ruled.includes(table)) return database === 'monolith';
  const moved = of.phase === 'write-new' || of.phase === 'retired';
  if (access === 'read' && of.phase === 'read-new' && of.readsNew) return true;
  return database === (moved ? 'a_db' : 'monolith');
}

const parser = await loadParser();
function routeOf(sql: string, of: Names) {
  const [statement] = parser.parse(sql).statements;
  if (statement === undefined) throw new Error(sql);
  return planStatement(statement, contextOf(of));
}

const RUNS = { numRuns: 4000 };

t.test('what the server finds under a name is at home there', async (t) => {
  let found = 0;
  fc.assert(
    fc.property(names, fc.constantFrom('n1', 'n2'), fc.boolean(), (of, name, write) => {
      const route = routeOf(write ? `DELETE FROM ${name}` : `SELECT * FROM ${name}`, of);
      return route.homes.every((database) => {
        const table = foundAt(of, database, name);
        if (table !== null) found += 1;
        // Where it finds none it says so.
        return table === null || isHome(of, database, table, write ? 'write' : 'read');
      });
    }),
    RUNS,
  );
  t.ok(found > 1000);
});

t.test('a temporary table of the session is what its name means, where the path lets it', async () => {
  fc.assert(
    fc.property(names, (of) => {
      fc.pre(of.temp !== null && !of.path.includes('pg_temp'));
      return routeOf('SELECT * FROM n1', of).database === of.temp;
    }),
    RUNS,
  );
});

t.test('a table is made only where what the server makes is at home', async () => {
  fc.assert(
    fc.property(names, (of) => {
      const route = routeOf('CREATE TABLE n2 (id int)', of);
      return route.homes.every((database) => {
        const there = schemasOf(of, database);
        const schema = of.path.find((one) => one === 'pg_temp' || there.has(one));
        return schema === undefined || schema === 'pg_temp' || isHome(of, database, `${schema}.n2`, 'write');
      });
    }),
    RUNS,
  );
});
