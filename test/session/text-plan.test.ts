import t from 'tap';
import type { RoutingContext } from '../../src/routing/context.js';
import { readsNewOf } from '../../src/routing/read-share.js';
import { parseRules } from '../../src/rules/load.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { TrafficCounters } from '../../src/session/counters.js';
import { Contexts } from '../../src/session/names/contexts.js';
import { planOf, type TextPlan } from '../../src/session/plan/text-plan.js';
import { loadParser } from '../../src/sql/parser.js';
import type { CachedStatement } from '../../src/sql/statement-cache.js';

const parser = await loadParser();
const counters = new TrafficCounters();

function rulesOf(version: number, reads = ''): RuleSet {
  const text = `domain: orders\ndatabase: orders_db\ntables: [public.orders]\nphase: read-new\n${reads}`;
  return parseRules(new Map([['orders.yaml', text]]), {
    databases: ['monolith', 'orders_db'],
    default: 'monolith',
    version,
  });
}

const RULES = rulesOf(1);

const contextOf = (more: Partial<RoutingContext> = {}): RoutingContext => ({
  rules: RULES,
  catalog: null,
  searchPath: ['public'],
  tempTables: new Map(),
  service: '',
  ...more,
});

const cached = (sql: string): CachedStatement<TextPlan> => ({
  parsed: parser.parse(sql),
  extra: null,
  key: sql,
  folded: true,
});

/** How many plans stand on the entry. */
function slots(entry: CachedStatement<TextPlan>): number {
  let count = 0;
  for (let plan = entry.extra; plan !== null; plan = plan.next) count++;
  return count;
}

t.test('several contexts keep their plans, the one used last first', async (t) => {
  const entry = cached('SELECT * FROM orders');
  const contexts = [contextOf(), contextOf({ readsNew: new Set(['orders']) }), contextOf({ searchPath: ['other'] })];
  const plans = contexts.map((context) => planOf(entry, context, counters));
  t.strictSame(
    plans.map(({ database }) => database),
    ['monolith', 'orders_db', 'monolith'],
  );
  for (const at of [0, 1, 2, 0, 2, 1, 1]) {
    const context = contexts[at] as RoutingContext;
    t.equal(planOf(entry, context, counters), plans[at]);
    t.equal(entry.extra, plans[at]);
    t.equal(slots(entry), 3);
  }
});

t.test('eight at most, and none by older rules', async (t) => {
  const entry = cached('SELECT 1');
  const first = contextOf();
  const plan = planOf(entry, first, counters);
  for (let i = 0; i < 7; i++) planOf(entry, contextOf({ searchPath: [`s${i}`] }), counters);
  t.equal(planOf(entry, first, counters), plan, 'the eighth');
  for (let i = 0; i < 20; i++) planOf(entry, contextOf({ searchPath: [`t${i}`] }), counters);
  t.equal(slots(entry), 8);
  t.not(planOf(entry, first, counters), plan, 'it was pushed out');
  planOf(entry, contextOf({ rules: rulesOf(2) }), counters);
  t.equal(slots(entry), 1, 'new rules: the old plans are gone');
});

t.test('what a text writes of the domains that the session reads elsewhere', async (t) => {
  const context = contextOf({ readsNew: new Set(['orders']) });
  const marks = (sql: string, of = context): unknown => planOf(cached(sql), of, counters).marks;
  t.strictSame(marks('UPDATE orders SET id = 1'), ['orders']);
  t.strictSame(marks('SELECT * FROM orders FOR UPDATE'), ['orders']);
  t.strictSame(marks("DO $$ BEGIN EXECUTE 'x'; END $$"), ['orders'], 'it may have');
  t.equal(marks('SELECT * FROM orders'), null);
  t.equal(marks('UPDATE users SET id = 1'), null);
  t.equal(marks('UPDATE orders SET id = 1', contextOf({ ...context, written: new Set(['orders']) })), null, 'known');
  t.equal(marks('UPDATE orders SET id = 1', contextOf()), null, 'read where it is written anyway');
  t.equal(marks('PREPARE p AS UPDATE orders SET id = 1'), null, 'nothing is written yet');
});

t.test('the statements of a string are planned in the context that those before them make', async (t) => {
  const context = contextOf({ readsNew: new Set(['orders']) });
  const go = (sql: string): string => {
    const plan = planOf(cached(sql), context, counters);
    return plan.error !== null ? plan.error.code : plan.spans ? 'spans' : (plan.database ?? 'any');
  };
  t.equal(go('SELECT 1; SELECT * FROM orders'), 'orders_db');
  t.equal(go('UPDATE orders SET id = 1; SELECT * FROM orders'), 'monolith');
  t.equal(go('SELECT * FROM orders; UPDATE orders SET id = 1'), 'monolith', 'a home of both');
  t.equal(go('SELECT * FROM orders; SELECT * FROM users'), 'monolith', 'one database is better than two');
  t.equal(go('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT * FROM orders; COMMIT'), 'monolith');
  t.equal(go('SET search_path = elsewhere; SELECT * FROM orders'), 'monolith');
  t.equal(go("SET search_path = 'elsewhere, public'; SELECT * FROM orders"), 'monolith', 'one name with a comma');
  t.equal(go("SELECT set_config('search_path', 'elsewhere, public', true); SELECT * FROM orders"), 'orders_db');
  t.equal(go('SET search_path = elsewhere, "$user"; SELECT * FROM orders'), 'NOT_OVER_SEVERAL_DATABASES');
  t.equal(go('RESET search_path; SELECT * FROM public.orders'), 'orders_db', 'a schema leaves no doubt');
  t.equal(go('RESET search_path; SELECT * FROM users'), 'monolith', 'no rule knows the name');
  t.equal(go('RESET search_path; SET search_path = public; SELECT * FROM orders'), 'orders_db');
  t.equal(go('CREATE TEMP TABLE orders (id int); INSERT INTO orders VALUES (1)'), 'any');
  t.equal(go('CREATE TEMP TABLE orders (id int); DROP TABLE orders; SELECT * FROM orders'), 'orders_db');
  t.equal(go('CREATE TEMP TABLE t AS SELECT * FROM orders; SELECT * FROM t'), 'orders_db');
});

t.test('alike contexts are one, unlike ones are not', async (t) => {
  const contexts = new Contexts();
  const alike = (): RoutingContext =>
    contextOf({
      home: 'monolith',
      readsNew: new Set(['a', 'b']),
      tempTables: new Map([['t', 'monolith']]),
      ownRelations: new Map([['public.x', 'monolith']]),
    });
  const one = contexts.of(alike());
  t.equal(contexts.of(alike()), one);
  t.equal(contexts.of({ ...alike(), readsNew: new Set(['b', 'a']) }), one, 'in whatever order');
  for (const other of [
    { home: 'orders_db' },
    { readsNew: new Set(['a']) },
    { written: new Set(['a']) },
    { oneSnapshot: true },
    { searchPath: ['public', 'a'] },
    { tempTables: new Map([['t', 'orders_db']]) },
    { tempTables: new Map([['T', 'monolith']]) },
    { ownRelations: new Map() },
    { ownSchemas: new Map([['public', 'monolith']]) },
  ]) {
    t.not(contexts.of({ ...alike(), ...other }), one, JSON.stringify(Object.keys(other)));
  }
  for (let i = 0; i < 3000; i++) contexts.of(contextOf({ searchPath: [`s${i}`] }));
  t.equal(contexts.size, 1000, 'bounded');
});

t.test('names with commas and line breaks do not make contexts alike', async (t) => {
  const contexts = new Contexts();
  const one = contexts.of(contextOf({ searchPath: ['a', 'b'] }));
  t.not(contexts.of(contextOf({ searchPath: ['a\nb'] })), one);
  t.not(contexts.of(contextOf({ searchPath: ['a,b'] })), one);
});

t.test('whom read-new selects', async (t) => {
  const selects = (reads: string, service: string, share: number): boolean =>
    readsNewOf(rulesOf(1, reads), service, share).has('orders');
  t.equal(selects('', 'any', 99.9), true, 'everyone, where nothing is said');
  t.equal(selects('reads: { services: [a] }', 'a', 99), true);
  t.equal(selects('reads: { services: [a] }', 'b', 0), false);
  t.equal(selects('reads: { new: 10% }', 'b', 9.99), true);
  t.equal(selects('reads: { new: 10% }', 'b', 10), false);
  t.equal(selects('reads: { new: 0% }', 'b', 0), false);
  t.equal(selects('reads: { new: 100% }', 'b', 99.999), true);
  t.equal(selects('reads: { new: 10%, services: [a] }', 'a', 50), true);
});
