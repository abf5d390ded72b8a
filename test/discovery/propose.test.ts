import t from 'tap';
import type { Discovery } from '../../src/discovery/discovery.js';
import { propose } from '../../src/discovery/propose.js';
import type { Cell, Pair } from '../../src/matrix/matrix.js';
import { chooser } from '../matrix/workload.js';

const DAY = 86_400_000;

/** A matrix by hand: uses as 'service reads|writes table count', pairs as 'service joins|commits a b count'. */
function discovered(lines: readonly string[], more: Partial<Discovery> = {}): Discovery {
  const cells: Cell[] = [];
  const pairs: Pair[] = [];
  const times = { first: 0, last: 30 * DAY };
  for (const line of lines) {
    const [service = '', what, one = '', two = '', count = two] = line.trim().split(/\s+/);
    if (what === 'reads' || what === 'writes') {
      const numbers = { statements: Number(count), hidden: 0, errors: 0, refused: 0, rows: 0, seconds: 0 };
      const access = what === 'reads' ? ('read' as const) : ('write' as const);
      cells.push({ service, table: `public.${one}`, access, database: 'monolith', ...numbers, ...times, example: '' });
    } else {
      const [a = '', b = ''] = [`public.${one}`, `public.${two}`].sort();
      const kind = what === 'joins' ? ('join' as const) : ('transaction' as const);
      pairs.push({ service, kind, a, b, count: Number(count), refused: 0, ...times, exampleA: '', exampleB: '' });
    }
  }
  const facts = { source: 'by hand', since: 0, until: 30 * DAY, graph: null, domains: new Map(), notes: [] };
  return { ...facts, matrix: { cells, pairs }, ...more };
}

const setsOf = (discovery: Discovery): string[] =>
  propose(discovery)
    .contexts.map(({ tables }) => tables.map((table) => table.replace('public.', '')).join(' '))
    .sort();

/** The sample shop as its services use it, with the joins and transactions across that real ones have. */
const SHOP = [
  'identity-service reads users 9000',
  'identity-service writes users 300',
  'identity-service writes sessions 2500',
  'identity-service reads sessions 4000',
  'identity-service joins users sessions 3500',
  'identity-service commits users sessions 250',
  'catalog-service reads products 8000',
  'catalog-service writes products 200',
  'catalog-service writes inventory 900',
  'catalog-service reads inventory 2000',
  'catalog-service joins products inventory 1800',
  'catalog-service commits products inventory 80',
  'review-service writes reviews 150',
  'review-service reads reviews 1200',
  'review-service joins products reviews 1000',
  'order-service reads orders 3000',
  'order-service writes orders 1500',
  'order-service writes order_items 2500',
  'order-service reads order_items 2500',
  'order-service joins orders order_items 2400',
  'order-service commits orders order_items 1400',
  'payment-service writes payments 1200',
  'payment-service reads payments 1500',
  'payment-service joins orders payments 1100',
  'payment-service commits orders payments 1000',
  'shipping-service writes shipments 800',
  'shipping-service writes shipment_events 4000',
  'shipping-service reads shipments 3000',
  'shipping-service reads carriers 900',
  'shipping-service writes carriers 3',
  'shipping-service joins shipments carriers 850',
  'shipping-service joins shipments shipment_events 2600',
  'shipping-service commits shipments shipment_events 750',
  // Across.
  'order-service reads users 1200',
  'order-service joins orders users 300',
  'order-service reads products 1500',
  'order-service joins order_items products 400',
  'order-service commits order_items inventory 120',
  'order-service writes inventory 120',
  'review-service joins reviews users 200',
  'shipping-service reads orders 700',
  'shipping-service joins shipments orders 350',
  'reporting reads orders 40',
  'reporting reads users 40',
  'reporting joins orders users 40',
  'reporting reads order_items 40',
  'reporting reads products 40',
  'reporting joins order_items products 40',
];

const FOUR = [
  'carriers shipment_events shipments',
  'inventory products reviews',
  'order_items orders payments',
  'sessions users',
];

t.test('the four contexts of the shop', (t) => {
  const proposal = propose(discovered(SHOP));
  t.same(setsOf(discovered(SHOP)), FOUR);
  t.ok(proposal.modularity > 0.4, `modularity ${proposal.modularity}`);
  t.same(proposal.advice, []);
  const byName = new Map(proposal.contexts.map((context) => [context.name, context]));
  t.same([...byName.keys()].sort(), ['catalog', 'identity', 'order', 'shipping']);
  t.match(byName.get('order'), { owner: 'order-service', writers: ['order-service', 'payment-service'] });
  t.match(byName.get('order')?.readers, ['reporting', 'shipping-service']);
  const cut = byName.get('order')?.cuts.find(({ other }) => other === 'public.inventory');
  t.match(cut, { table: 'public.order_items', otherContext: 'catalog', transactions: 120, joins: 0 });
  t.match(proposal.sharedWriters, [{ table: 'public.inventory', writers: [{ service: 'catalog-service' }, {}] }]);
  t.match(proposal.contexts[0]?.reason, /^First, to learn on: /);
  t.match(proposal.contexts.at(-1)?.reason, /^Last, /);
  const scores = proposal.contexts.map(({ risk }) => risk.score);
  t.equal(scores[0], Math.min(...scores), 'the least risk first');
  t.equal(scores[1], Math.max(...scores), 'the most entangled in the middle');
  t.end();
});

t.test('the order of what was seen does not matter, nor does more of the same', (t) => {
  const shuffled = SHOP.toSorted((a, b) => (a.slice(5) < b.slice(5) ? -1 : 1));
  t.same(propose(discovered(shuffled)), propose(discovered(SHOP)));
  const hot = SHOP.map((line) => (/users 9000/.test(line) ? line.replace('9000', '9000000') : line));
  t.same(setsOf(discovered(hot)), FOUR, 'a hot table drowns nothing');
  t.end();
});

t.test('today’s domains name the contexts, and names are valid and each there once', (t) => {
  const domains = new Map([
    ['public.orders', 'sales'],
    ['public.order_items', 'sales'],
    ['public.users', '9 lives!'],
  ]);
  const names = propose(discovered(SHOP, { domains })).contexts.map(({ name }) => name);
  t.ok(names.includes('sales'));
  t.ok(
    names.every((name) => /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(name)),
    names.join(),
  );
  const twice = [
    'a writes a1 9',
    'a writes a2 9',
    'a commits a1 a2 9',
    'a-service writes b1 9',
    'a-service writes b2 9',
  ];
  const both = propose(discovered([...twice, 'a-service commits b1 b2 9'])).contexts.map(({ name }) => name);
  t.same(both.sort(), ['a', 'a-2']);
  t.end();
});

t.test('communities that were planted are found, at any size, with noise between them', (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const choose = chooser(seed);
    const groups = Array.from({ length: 3 + choose(12) }, (_, g) =>
      Array.from({ length: 3 + choose(6) }, (_, i) => `g${g}_t${i}`),
    );
    const lines: string[] = [];
    for (const [g, tables] of groups.entries()) {
      for (const [at, a] of tables.entries()) {
        lines.push(`s${g} reads ${a} ${500 + choose(5000)}`);
        // A ring, so that it hangs together, and half of the other pairs.
        for (const [beyond, b] of tables.slice(at + 1).entries()) {
          if (beyond === 0 || choose(2) === 0) lines.push(`s${g} joins ${a} ${b} ${100 + choose(300)}`);
        }
        const far = groups[choose(groups.length)] ?? [];
        const noise = far[choose(far.length)];
        if (noise !== a) lines.push(`reporting joins ${a} ${noise} ${choose(8)}`);
      }
    }
    t.same(setsOf(discovered(lines)), groups.map((tables) => tables.toSorted().join(' ')).sort(), `seed ${seed}`);
  }
  t.end();
});

t.test('when not to split', (t) => {
  const advice = (lines: readonly string[], more: Partial<Discovery> = {}): string =>
    propose(discovered(lines, more)).advice.join('\n');
  const monolith = SHOP.map((line) => (/ writes /.test(line) ? line.replace(/^\S+/, 'rails') : line));
  t.match(advice(monolith), /Do not split for independence: rails does 100 % of all writes, on 11 of the 11 tables/);
  const names = Array.from({ length: 9 }, (_, i) => `t${i}`);
  const knot = names.flatMap((a, at) => [
    `s${at} writes ${a} 1000`,
    `s${at} reads ${a} 1000`,
    ...names.slice(at + 1).map((b) => `s${at} joins ${a} ${b} 300`),
  ]);
  t.match(advice(knot), /Do not split/);
  const crossed = [
    ...SHOP,
    'order-service commits order_items sessions 450',
    'order-service commits order_items shipment_events 450',
    'order-service commits sessions shipment_events 450',
  ];
  t.match(advice(crossed), /cross the proposed contexts/);
  t.match(advice(['a reads t 5'], { since: 0, until: 1000 }), /Only 5 statements.*\n?.*Less than a day/s);
  const opaque = discovered(SHOP);
  const cell = { ...(opaque.matrix.cells[0] as Cell), access: 'opaque' as const, table: 'why', statements: 900_000 };
  const seen = { ...opaque, matrix: { ...opaque.matrix, cells: [...opaque.matrix.cells, cell] } };
  t.match(propose(seen).advice.join(), /could not be seen through/);
  t.same(propose(discovered([])).contexts, [], 'nothing seen, nothing proposed');
  t.end();
});
