import fc from 'fast-check';
import t from 'tap';
import { planStatement } from '../../src/routing/plan.js';
import { canRun, closureAt, databasesOf } from './naive-closure.js';
import { contextOf, type Doings, doings, statementOf, type World, world } from './random-world.js';

const RUNS = { numRuns: 1500 };
t.setTimeout(170_000);

const plan = (of: World, does: Doings) => planStatement(statementOf(does), contextOf(of));

t.test(
  'a statement goes only where all that it touches is at home, and is refused only where nothing has it all',
  async (t) => {
    const seen = { database: 0, any: 0, every: 0, refused: 0 };
    fc.assert(
      fc.property(world, doings, (of, does) => {
        const route = plan(of, does);
        seen[route.target] += 1;
        const places = databasesOf(of);
        if (route.target === 'refused') return places.every((one) => !canRun(of, one, does));
        if (route.target === 'database') {
          return canRun(of, route.database ?? '', does) && route.homes.every((one) => canRun(of, one, does));
        }
        return route.homes.every((one) => canRun(of, one, does) && closureAt(of, one, does).tables.size === 0);
      }),
      RUNS,
    );
    t.ok(seen.database > 150 && seen.refused > 150, 'of both there were many', seen);
  },
);

t.test('a route is frozen, equal each time, and tells what it writes', async () => {
  fc.assert(
    fc.property(world, doings, (of, does) => {
      const route = plan(of, does);
      const again = plan(of, does);
      const written = closureAt(of, route.database ?? 'monolith', does).tables;
      const writes = [...written].some((one) => one.startsWith('write')) || does.writes.length > 0;
      return (
        Object.isFrozen(route) &&
        JSON.stringify({ ...route, error: null }) === JSON.stringify({ ...again, error: null }) &&
        (route.target !== 'database' || !writes || route.writes)
      );
    }),
    RUNS,
  );
});

t.test('the order of names does not matter', async () => {
  const shuffled = doings.chain((does) =>
    fc
      .tuple(
        fc.shuffledSubarray([...does.reads], { minLength: does.reads.length }),
        fc.shuffledSubarray([...does.writes], { minLength: does.writes.length }),
        fc.shuffledSubarray([...does.calls], { minLength: does.calls.length }),
      )
      .map(([reads, writes, calls]): [Doings, Doings] => [does, { ...does, reads, writes, calls }]),
  );
  fc.assert(
    fc.property(world, shuffled, (of, [one, other]) => {
      const [a, b] = [plan(of, one), plan(of, other)];
      return a.target === b.target && a.database === b.database;
    }),
    RUNS,
  );
});

t.test('a domain that no touched table is in changes nothing', async () => {
  const more = fc.record({
    tables: fc.constant(['elsewhere']),
    database: fc.constantFrom('monolith', 'a_db', 'b_db'),
    phase: fc.constantFrom('monolith', 'dual-write', 'shadow-read', 'read-new', 'write-new', 'retired'),
    readsNew: fc.boolean(),
    written: fc.boolean(),
    inStep: fc.boolean(),
  } as const);
  fc.assert(
    fc.property(world, doings, more, (of, does, domain) => {
      const both: World = { ...of, domains: [...of.domains, domain] };
      // A database that had no home so far brings its own views and functions with it.
      fc.pre(databasesOf(both).length === databasesOf(of).length);
      const [a, b] = [plan(of, does), plan(both, does)];
      return a.target === b.target && a.database === b.database && a.reason === b.reason;
    }),
    RUNS,
  );
});

t.test('where nothing is known of a database, nothing is thrown and the rules still hold', async () => {
  const unread = fc.subarray(['monolith', 'a_db', 'b_db'], { minLength: 1 });
  fc.assert(
    fc.property(world, doings, unread, (of, does, names) => {
      const context = contextOf(of);
      const { catalog } = context;
      if (catalog === null) return false;
      const known = <T>(database: string, answer: T): T | null => (names.includes(database) ? null : answer);
      const route = planStatement(statementOf(does), {
        ...context,
        catalog: {
          ...catalog,
          hasRelation: (database, schema, name) => known(database, catalog.hasRelation(database, schema, name)),
          relation: (database, schema, name) => known(database, catalog.relation?.(database, schema, name) ?? null),
          functions: (database, schema, name) => known(database, catalog.functions?.(database, schema, name) ?? null),
        },
      });
      // The tables that the statement itself names are at home where it goes, whatever is known of the rest.
      const { reads, locks, writes } = does;
      const own = ({ tables }: { readonly tables: readonly string[] }, name: string): boolean => tables.includes(name);
      const ruled = (name: string): boolean => of.domains.some((one) => own(one, name));
      const plain: Doings = {
        reads: reads.filter(ruled),
        locks: locks.filter(ruled),
        writes: writes.filter(({ relation }) => ruled(relation)),
        calls: [],
      };
      const bare: World = {
        ...of,
        databases: Object.fromEntries(
          Object.entries(of.databases).map(([name, one]) => [name, { ...one, triggers: [], views: {}, functions: {} }]),
        ),
      };
      return route.database === null || canRun(bare, route.database, plain);
    }),
    RUNS,
  );
});
