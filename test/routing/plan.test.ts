import fc from 'fast-check';
import t from 'tap';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import { planStatement, planText, type RoutingContext } from '../../src/routing/plan.js';
import { tableHomes } from '../../src/routing/table-homes.js';
import { buildRuleSet } from '../../src/rules/build.js';
import type { Domain } from '../../src/rules/rule-set.js';
import type { Statement, TableName } from '../../src/sql/statement.js';

const domain = (name: string, tables: readonly string[], phase: Domain['phase'] = 'write-new'): Domain => ({
  name,
  database: `${name}_db`,
  tables,
  phase,
  owner: null,
  crossDatabase: 'refuse',
  file: `${name}.yaml`,
});
const rules = buildRuleSet(
  [domain('b', ['public.b']), domain('a', ['public.a', 'public.c']), domain('m', ['public.m'], 'monolith')],
  {
    defaultDatabase: 'monolith',
    version: 7,
  },
);
const context: RoutingContext = { rules, catalog: null, searchPath: ['public'], tempTables: new Map(), service: 's' };
const statement = (facts: Partial<Statement>): Statement => ({
  kind: 'select',
  reads: [],
  writes: [],
  locks: [],
  changes: [],
  opaque: null,
  sequences: [],
  functions: [],
  writesData: false,
  effects: [],
  deterministic: true,
  ordered: false,
  copyStream: null,
  ...facts,
});
const HOMES: Readonly<Record<string, string>> = { a: 'a_db', b: 'b_db', c: 'a_db', m: 'monolith', x: 'monolith' };

t.test('a statement runs exactly where all its tables are, whatever their order', async () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'c', 'm', 'x'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(names, fc.nat(3), (tables, writes) => {
      const all: TableName[] = tables.map((name) => ({ name }));
      const facts = { writes: all.slice(0, writes), reads: all.slice(writes), writesData: writes > 0 };
      const route = planStatement(statement(facts), context);
      const homes = new Set(tables.map((name) => HOMES[name]));
      return homes.size === 1
        ? route.target === 'database' && route.database === [...homes][0] && route.error === null
        : route.target === 'refused' && route.error?.code === 'NO_COMMON_HOME' && route.database === null;
    }),
  );
});

t.test('the same statement and context give the same route', async (t) => {
  const facts = statement({ reads: [{ name: 'a' }], locks: [{ name: 'a' }] });
  t.same(planStatement(facts, context), planStatement(facts, { ...context, service: 'other' }));
});

t.test('a refusal names each table, its home and what can be done', async (t) => {
  const { error } = planStatement(statement({ reads: [{ name: 'a' }], writes: [{ name: 'm' }] }), context);
  t.ok(error instanceof PgfigError);
  t.equal(error?.sqlstate, '0A000');
  t.equal(error?.retryable, true);
  t.match(
    error?.message,
    /public\.m is in monolith \(domain m, phase monolith\); public\.a is in a_db \(domain a, phase write-new\)/,
  );
  t.match(error?.hint, /one statement to each database.*one domain \(now: m, a\)/);
});

t.test('locks are reads in the lists and writes in the transaction', async (t) => {
  const route = planStatement(statement({ reads: [{ name: 'a' }], locks: [{ name: 'a' }] }), context);
  t.match(route, { reads: ['public.a'], written: [], writes: true, database: 'a_db' });
});

t.test('each statement of a text has its own route', async (t) => {
  const parsed = {
    statements: [statement({ reads: [{ name: 'a' }] }), statement({ reads: [{ name: 'x' }] })],
    spans: [],
    syntaxError: null,
    transient: false,
  };
  t.same(
    planText(parsed, context).map((route) => route.database),
    ['a_db', 'monolith'],
  );
});

t.test('the table map follows the phases', async (t) => {
  t.same(
    tableHomes(rules).map(({ table, writes }) => `${table} ${writes}`),
    ['public.a a_db', 'public.b b_db', 'public.c a_db', 'public.m monolith'],
  );
  t.same(rules.databases, ['monolith', 'a_db', 'b_db'], 'a database without a moved table is no home');
});

t.test('an unknown name is taken to be in the first schema that exists', async (t) => {
  const catalog = { version: 1, hasRelation: () => false, initialSearchPath: () => null };
  const inPath = (hasSchema: (database: string, schema: string) => boolean | null) =>
    planStatement(statement({ reads: [{ name: 'q' }] }), {
      ...context,
      searchPath: ['ann', 'app'],
      catalog: { ...catalog, hasSchema },
    });
  t.same(inPath((_, schema) => schema === 'app').reads, ['app.q']);
  t.same(inPath(() => null).reads, ['ann.q'], 'nothing is known of schemas');
  t.same(inPath(() => false).reads, ['public.q']);
});
