import fc from 'fast-check';
import type { CatalogView, FunctionFacts, HiddenWork, RelationFacts } from '../../src/routing/catalog-view.js';
import type { RoutingContext } from '../../src/routing/plan.js';
import { buildRuleSet } from '../../src/rules/build.js';
import type { Phase } from '../../src/rules/rule-set.js';
import type { Statement, TableChange, TableName, Touches } from '../../src/sql/statement.js';

/** What a definition or a statement does, by names; all relations are in schema public. */
export interface Doings {
  readonly reads: readonly string[];
  readonly locks: readonly string[];
  readonly writes: readonly { readonly relation: string; readonly op: Op }[];
  readonly calls: readonly string[];
}
export type Op = 'insert' | 'update' | 'delete';

/** A database of a random world. */
export interface RandomDatabase {
  readonly tables: readonly string[];
  /** View -> what it reads and, where it can be changed, what it changes. */
  readonly views: Readonly<Record<string, { readonly reads: readonly string[]; readonly updates: string | null }>>;
  readonly functions: Readonly<Record<string, Doings>>;
  readonly triggers: readonly { readonly table: string; readonly on: Op; readonly does: Doings }[];
}

export interface RandomDomain {
  readonly tables: readonly string[];
  readonly database: string;
  readonly phase: Phase;
  readonly readsNew: boolean;
  readonly written: boolean;
  readonly inStep: boolean;
}

export interface World {
  readonly databases: Readonly<Record<string, RandomDatabase>>;
  readonly domains: readonly RandomDomain[];
  readonly oneSnapshot: boolean;
}

export const TABLES = ['t0', 't1', 't2', 't3', 't4', 't5'] as const;
const VIEWS = ['v0', 'v1', 'v2', 'v3'] as const;
const FUNCTIONS = ['f0', 'f1', 'f2', 'f3'] as const;
/** Exist in one of the new databases alone, without a rule. */
const LOCAL = ['local_a', 'local_b'] as const;
const PHASES = ['monolith', 'dual-write', 'shadow-read', 'read-new', 'write-new', 'retired'] as const;

const few = <T>(values: fc.Arbitrary<T>, maxLength = 2): fc.Arbitrary<T[]> => fc.array(values, { maxLength });
const op = fc.constantFrom<Op>('insert', 'update', 'delete');
const relation = fc.constantFrom(...TABLES, ...VIEWS, ...LOCAL, 'nothing');

export const doings: fc.Arbitrary<Doings> = fc.record({
  reads: few(relation),
  locks: few(relation, 1),
  writes: few(fc.record({ relation, op }), 1),
  calls: few(fc.constantFrom(...FUNCTIONS, 'nowhere')),
});

function some<T>(names: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  return fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: names.length })
    .map((entries) => Object.fromEntries(entries));
}

/** `tables`: those that it has besides what rules put there. */
const database = (tables: readonly string[]): fc.Arbitrary<RandomDatabase> =>
  fc.record({
    tables: fc.constant(tables),
    views: some(
      VIEWS,
      fc.record({
        reads: fc.array(fc.constantFrom(...TABLES, ...VIEWS), { maxLength: 2 }),
        updates: fc.option(fc.constantFrom(...TABLES, ...VIEWS)),
      }),
    ),
    functions: some(FUNCTIONS, doings),
    triggers: few(fc.record({ table: fc.constantFrom(...TABLES), on: op, does: doings })),
  });

const domain = (tables: readonly string[]): fc.Arbitrary<RandomDomain> =>
  fc.record({
    tables: fc.constant(tables),
    database: fc.constantFrom('a_db', 'b_db'),
    phase: fc.constantFrom(...PHASES),
    readsNew: fc.boolean(),
    written: fc.boolean(),
    inStep: fc.boolean(),
  });

/** t0 and t1 are one domain, t2 and t3 another, t4 and t5 have no rule; any of them may be a leftover anywhere. */
export const world: fc.Arbitrary<World> = fc.record({
  databases: fc.record({
    monolith: database(TABLES),
    a_db: fc.subarray([...TABLES, 'local_a']).chain(database),
    b_db: fc.subarray([...TABLES, 'local_b']).chain(database),
  }),
  domains: fc.tuple(domain(['t0', 't1']), domain(['t2', 't3'])),
  oneSnapshot: fc.boolean(),
});

/** What the router is given of a world. */
export function contextOf(world: World): RoutingContext {
  const names = (wanted: (domain: RandomDomain) => boolean): ReadonlySet<string> =>
    new Set(world.domains.filter(wanted).map((domain) => nameOf(domain)));
  const domains = world.domains.map((one) => ({
    name: nameOf(one),
    database: one.database,
    tables: one.tables.map((table) => `public.${table}`),
    phase: one.phase,
    owner: null,
    crossDatabase: 'refuse' as const,
    file: 'x.yaml',
  }));
  return {
    rules: buildRuleSet(domains, { defaultDatabase: 'monolith', version: 1 }),
    catalog: catalogOf(world),
    searchPath: ['public'],
    tempTables: new Map(),
    service: 's',
    readsNew: names((one) => one.readsNew),
    written: names((one) => one.written),
    inStep: names((one) => one.inStep),
    oneSnapshot: world.oneSnapshot,
  };
}

const nameOf = ({ tables }: RandomDomain): string => `of_${tables[0]}`;

/** A table that a rule names is where the rule may put it. */
export function hasTable(world: World, database: string, table: string): boolean {
  if (world.databases[database]?.tables.includes(table)) return true;
  return world.domains.some((one) => one.database === database && one.tables.includes(table));
}

function catalogOf(world: World): CatalogView {
  const relation = (database: string, _schema: string, name: string): RelationFacts | null => {
    const there = world.databases[database];
    const view = there?.views[name];
    if (there === undefined || (view === undefined && !hasTable(world, database, name))) return null;
    return {
      kind: view === undefined ? 'table' : 'view',
      owner: null,
      parents: [],
      children: [],
      definition: view === undefined ? null : touches({ reads: view.reads, locks: [], writes: [], calls: [] }, true),
      updates: view?.updates ? { schema: 'public', name: view.updates } : null,
      hidden: there.triggers
        .filter(({ table }) => table === name)
        .map(({ on, does }): HiddenWork => {
          return { what: 'trigger t', on: [on], columns: null, instead: false, touches: touches(does, true) };
        }),
    };
  };
  return {
    version: 1,
    hasRelation: (database, schema, name) =>
      schema === 'public' ? relation(database, schema, name) !== null : schema === 'pg_catalog' ? false : null,
    relation,
    functions: (database, schema, name): readonly FunctionFacts[] => {
      const does = world.databases[database]?.functions[name];
      if (does === undefined || schema !== 'public') return [];
      return [{ schema, name, body: { ...touches(does, false), sets: [] }, searchPath: null, volatile: true }];
    },
    initialSearchPath: () => null,
  };
}

function touches({ reads, locks, writes, calls }: Doings, qualified: boolean): Touches {
  const name = (relation: string): TableName => ({ ...(qualified && { schema: 'public' }), name: relation });
  return {
    reads: [...new Set([...reads, ...locks])].map(name),
    locks: locks.map(name),
    writes: [...new Set(writes.map((write) => write.relation))].map(name),
    changes: writes.map(
      ({ relation, op }): TableChange => ({ table: name(relation), op, columns: null, cascade: false }),
    ),
    sequences: [],
    functions: calls.map((called) => ({ ...(qualified && { schema: 'public' }), name: called })),
    opaque: null,
  };
}

export function statementOf(does: Doings): Statement {
  return {
    ...touches(does, false),
    kind: does.writes.length > 0 ? 'merge' : 'select',
    writesData: does.writes.length > 0,
    effects: [],
    deterministic: true,
    ordered: false,
    copyStream: null,
  };
}
