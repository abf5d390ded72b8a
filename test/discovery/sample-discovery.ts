import type { Discovery, StaticEdge } from '../../src/discovery/discovery.js';
import type { Context, Cut, Proposal } from '../../src/discovery/proposal.js';
import type { Access, Cell, Pair } from '../../src/matrix/matrix.js';

/** A shop as it may look: twelve services on twelve tables, two weeks, accounts already a domain of its own. */

export const SINCE = Date.UTC(2026, 10, 9, 6, 0);
export const UNTIL = Date.UTC(2026, 10, 23, 6, 0);

type CellLine = readonly [service: string, table: string, access: Access, statements: number, example: string];

const CELLS: readonly CellLine[] = [
  ['account-service', 'users', 'read', 4_210_300, 'SELECT id, email, name FROM users WHERE id = $1'],
  ['account-service', 'users', 'write', 18_420, 'UPDATE users SET last_login = now() WHERE id = $1'],
  [
    'account-service',
    'sessions',
    'read',
    3_950_000,
    'SELECT user_id FROM sessions WHERE token = $1 AND expires > now()',
  ],
  [
    'account-service',
    'sessions',
    'write',
    412_000,
    'INSERT INTO sessions (token, user_id, expires) VALUES ($1, $2, $3)',
  ],
  ['storefront', 'products', 'read', 6_130_200, 'SELECT * FROM products WHERE category = $1 ORDER BY rank LIMIT ?'],
  ['storefront', 'product_ratings', 'read', 1_840_100, 'SELECT * FROM product_ratings WHERE product_id = ANY($1)'],
  [
    'storefront',
    'reviews',
    'read',
    2_040_500,
    'SELECT * FROM reviews WHERE product_id = $1 ORDER BY created DESC LIMIT ?',
  ],
  ['storefront', 'inventory', 'read', 905_000, 'SELECT quantity FROM inventory WHERE product_id = $1'],
  ['catalog-service', 'products', 'read', 310_400, 'SELECT * FROM products WHERE id = $1'],
  ['catalog-service', 'products', 'write', 22_100, 'UPDATE products SET price = $1 WHERE id = $2'],
  ['catalog-service', 'products', 'ddl', 2, 'ALTER TABLE products ADD COLUMN weight_g integer'],
  [
    'review-service',
    'reviews',
    'write',
    48_200,
    'INSERT INTO reviews (product_id, user_id, stars, body) VALUES ($1, $2, $3, $4)',
  ],
  [
    'review-service',
    'users',
    'read',
    48_900,
    'SELECT r.*, u.name FROM reviews r JOIN users u ON u.id = r.user_id WHERE r.id = $1',
  ],
  [
    'review-service',
    'reviews',
    'read',
    61_000,
    'SELECT r.*, u.name FROM reviews r JOIN users u ON u.id = r.user_id WHERE r.id = $1',
  ],
  ['warehouse', 'inventory', 'read', 210_000, 'SELECT * FROM inventory WHERE site = $1'],
  ['warehouse', 'inventory', 'write', 198_300, 'UPDATE inventory SET quantity = quantity + $1 WHERE product_id = $2'],
  ['warehouse', 'shipments', 'read', 88_000, 'SELECT * FROM shipments WHERE state = ?'],
  ['order-service', 'orders', 'read', 1_120_700, 'SELECT * FROM orders WHERE id = $1'],
  ['order-service', 'orders', 'write', 254_900, 'INSERT INTO orders (user_id, total) VALUES ($1, $2) RETURNING id'],
  ['order-service', 'order_items', 'read', 880_000, 'SELECT * FROM order_items WHERE order_id = $1'],
  [
    'order-service',
    'order_items',
    'write',
    801_300,
    'INSERT INTO order_items (order_id, product_id, quantity) VALUES ($1, $2, $3)',
  ],
  [
    'order-service',
    'inventory',
    'write',
    241_000,
    'UPDATE inventory SET quantity = quantity - $1 WHERE product_id = $2',
  ],
  [
    'order-service',
    'users',
    'read',
    310_000,
    'SELECT o.*, u.email FROM orders o JOIN users u ON u.id = o.user_id WHERE o.id = $1',
  ],
  [
    'order-service',
    'products',
    'read',
    702_000,
    'SELECT i.*, p.name FROM order_items i JOIN products p ON p.id = i.product_id',
  ],
  ['payment-service', 'payments', 'read', 402_000, 'SELECT * FROM payments WHERE order_id = $1'],
  [
    'payment-service',
    'payments',
    'write',
    251_800,
    'INSERT INTO payments (order_id, amount, state) VALUES ($1, $2, ?)',
  ],
  ['payment-service', 'orders', 'write', 249_000, 'UPDATE orders SET state = ? WHERE id = $1'],
  ['shipping-service', 'shipments', 'read', 720_300, 'SELECT * FROM shipments WHERE id = $1'],
  [
    'shipping-service',
    'shipments',
    'write',
    231_700,
    'INSERT INTO shipments (order_id, carrier_id, state) VALUES ($1, $2, ?)',
  ],
  [
    'shipping-service',
    'carriers',
    'read',
    512_000,
    'SELECT s.*, c.name FROM shipments s JOIN carriers c ON c.id = s.carrier_id',
  ],
  ['shipping-service', 'carriers', 'write', 14, 'UPDATE carriers SET api_url = $1 WHERE id = $2'],
  [
    'shipping-service',
    'orders',
    'read',
    96_400,
    'SELECT s.id, o.total FROM shipments s JOIN orders o ON o.id = s.order_id',
  ],
  [
    'tracking-service',
    'shipment_events',
    'write',
    1_902_000,
    'INSERT INTO shipment_events (shipment_id, at, place) VALUES ($1, $2, $3)',
  ],
  [
    'tracking-service',
    'shipment_events',
    'read',
    640_000,
    'SELECT * FROM shipment_events WHERE shipment_id = $1 ORDER BY at',
  ],
  [
    'tracking-service',
    'shipments',
    'read',
    330_000,
    'SELECT e.* FROM shipment_events e JOIN shipments s ON s.id = e.shipment_id',
  ],
  ['back-office', 'orders', 'read', 41_200, 'SELECT * FROM orders ORDER BY created DESC LIMIT ?'],
  ['back-office', 'orders', 'write', 312, 'UPDATE orders SET state = ? WHERE id = $1'],
  ['back-office', 'users', 'read', 12_800, 'SELECT * FROM users WHERE email LIKE $1'],
  ['back-office', 'products', 'read', 9_400, 'SELECT * FROM products WHERE name ILIKE $1'],
  ['reporting', 'orders', 'read', 336, 'SELECT date_trunc(?, created), sum(total) FROM orders GROUP BY ?'],
  ['reporting', 'order_items', 'read', 336, 'SELECT product_id, sum(quantity) FROM order_items GROUP BY ?'],
  ['reporting', 'payments', 'read', 168, 'SELECT o.id, p.amount FROM orders o JOIN payments p ON p.order_id = o.id'],
  ['reporting', 'shipments', 'read', 168, 'SELECT carrier_id, count(*) FROM shipments GROUP BY ?'],
  ['newsletter', 'users', 'read', 28, 'SELECT email FROM users WHERE wants_news'],
  ['newsletter', 'products', 'read', 28, 'SELECT * FROM products WHERE created > now() - interval ?'],
];

const cell = ([service, table, access, statements, example]: CellLine): Cell => ({
  service,
  table: `public.${table}`,
  access,
  database: 'monolith',
  statements,
  hidden: 0,
  errors: access === 'write' ? Math.floor(statements / 5_000) : 0,
  refused: 0,
  rows: access === 'ddl' ? 0 : Math.round(statements * (access === 'read' ? 2.4 : 1)),
  seconds: statements / 900,
  first: SINCE,
  last: UNTIL,
  example,
});

/** All that it sent was refused, and two whose tables are not known. */
const OTHER_CELLS: readonly Cell[] = [
  { ...cell(['newsletter', 'sessions', 'read', 0, 'SELECT count(*) FROM sessions']), database: '', refused: 14 },
  {
    ...cell(['back-office', '', 'opaque', 1_204, 'SELECT run_maintenance($1)']),
    table: 'function with dynamic SQL: run_maintenance',
  },
  { ...cell(['reporting', '', 'opaque', 12, 'DO ?']), table: 'DO block in language plpython3u' },
];

type PairLine = readonly [
  Pair['kind'],
  service: string,
  a: string,
  b: string,
  count: number,
  exampleA: string,
  exampleB?: string,
];

const PAIRS: readonly PairLine[] = [
  [
    'join',
    'account-service',
    'sessions',
    'users',
    1_204_000,
    'SELECT u.* FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token = $1',
  ],
  ['join', 'storefront', 'products', 'reviews', 1_840_100, 'SELECT * FROM product_ratings WHERE product_id = ANY($1)'],
  [
    'join',
    'storefront',
    'inventory',
    'products',
    905_000,
    'SELECT p.*, i.quantity FROM products p JOIN inventory i ON i.product_id = p.id WHERE p.id = $1',
  ],
  [
    'join',
    'order-service',
    'order_items',
    'orders',
    880_000,
    'SELECT o.*, i.* FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.id = $1',
  ],
  [
    'join',
    'order-service',
    'order_items',
    'products',
    702_000,
    'SELECT i.*, p.name FROM order_items i JOIN products p ON p.id = i.product_id WHERE i.order_id = $1',
  ],
  [
    'join',
    'order-service',
    'orders',
    'users',
    310_000,
    'SELECT o.*, u.email FROM orders o JOIN users u ON u.id = o.user_id WHERE o.id = $1',
  ],
  [
    'join',
    'shipping-service',
    'carriers',
    'shipments',
    512_000,
    'SELECT s.*, c.name FROM shipments s JOIN carriers c ON c.id = s.carrier_id WHERE s.id = $1',
  ],
  [
    'join',
    'tracking-service',
    'shipment_events',
    'shipments',
    330_000,
    'SELECT e.* FROM shipment_events e JOIN shipments s ON s.id = e.shipment_id WHERE s.code = $1',
  ],
  [
    'join',
    'shipping-service',
    'orders',
    'shipments',
    96_400,
    'SELECT s.id, o.total FROM shipments s JOIN orders o ON o.id = s.order_id WHERE s.state = ?',
  ],
  [
    'join',
    'review-service',
    'reviews',
    'users',
    48_900,
    'SELECT r.*, u.name FROM reviews r JOIN users u ON u.id = r.user_id WHERE r.id = $1',
  ],
  [
    'join',
    'reporting',
    'orders',
    'payments',
    168,
    'SELECT o.id, p.amount FROM orders o JOIN payments p ON p.order_id = o.id',
  ],
  [
    'transaction',
    'order-service',
    'order_items',
    'orders',
    251_000,
    'INSERT INTO order_items (order_id, product_id, quantity) VALUES ($1, $2, $3)',
    'INSERT INTO orders (user_id, total) VALUES ($1, $2) RETURNING id',
  ],
  [
    'transaction',
    'order-service',
    'inventory',
    'orders',
    241_000,
    'UPDATE inventory SET quantity = quantity - $1 WHERE product_id = $2',
    'INSERT INTO orders (user_id, total) VALUES ($1, $2) RETURNING id',
  ],
  [
    'transaction',
    'order-service',
    'inventory',
    'order_items',
    241_000,
    'UPDATE inventory SET quantity = quantity - $1 WHERE product_id = $2',
    'INSERT INTO order_items (order_id, product_id, quantity) VALUES ($1, $2, $3)',
  ],
  [
    'transaction',
    'payment-service',
    'orders',
    'payments',
    249_000,
    'UPDATE orders SET state = ? WHERE id = $1',
    'INSERT INTO payments (order_id, amount, state) VALUES ($1, $2, ?)',
  ],
];

const pair = ([kind, service, a, b, count, exampleA, exampleB = '']: PairLine): Pair => ({
  service,
  kind,
  a: `public.${a}`,
  b: `public.${b}`,
  count,
  refused: service === 'review-service' ? 37 : 0,
  first: SINCE,
  last: UNTIL,
  exampleA,
  exampleB,
});

const EDGES: readonly (readonly [StaticEdge['kind'], from: string, to: string, name: string])[] = [
  ['cascade', 'sessions', 'users', 'sessions_user_id_fkey'],
  ['foreign key', 'orders', 'users', 'orders_user_id_fkey'],
  ['cascade', 'order_items', 'orders', 'order_items_order_id_fkey'],
  ['foreign key', 'order_items', 'products', 'order_items_product_id_fkey'],
  ['foreign key', 'payments', 'orders', 'payments_order_id_fkey'],
  ['foreign key', 'shipments', 'orders', 'shipments_order_id_fkey'],
  ['foreign key', 'shipments', 'carriers', 'shipments_carrier_id_fkey'],
  ['cascade', 'shipment_events', 'shipments', 'shipment_events_shipment_id_fkey'],
  ['foreign key', 'inventory', 'products', 'inventory_product_id_fkey'],
  ['foreign key', 'reviews', 'products', 'reviews_product_id_fkey'],
  ['foreign key', 'reviews', 'users', 'reviews_user_id_fkey'],
  ['view', 'product_ratings', 'products', 'view public.product_ratings'],
  ['view', 'product_ratings', 'reviews', 'view public.product_ratings'],
];

const TABLES = [
  'carriers',
  'coupons_2019',
  'inventory',
  'order_items',
  'orders',
  'payments',
  'products',
  'reviews',
  'sessions',
  'shipment_events',
  'shipments',
  'users',
];

export const SHOP: Discovery = {
  source: 'csvlog of 14 files',
  since: SINCE,
  until: UNTIL,
  matrix: { cells: [...CELLS.map(cell), ...OTHER_CELLS], pairs: PAIRS.map(pair) },
  graph: {
    tables: TABLES.map((table) => `public.${table}`),
    views: ['public.product_ratings'],
    edges: EDGES.map(([kind, from, to, name]) => ({ kind, from: `public.${from}`, to: `public.${to}`, name })),
  },
  domains: new Map([
    ['public.users', 'accounts'],
    ['public.sessions', 'accounts'],
  ]),
  notes: [
    '212 lines of the log were cut off by a rotation and are left out.',
    'Statements faster than 10 ms are not in these logs (log_min_duration_statement), so counts are lower bounds.',
  ],
};

const cut = (
  table: string,
  other: string,
  otherContext: string,
  weight: number,
  joins: number,
  transactions: number,
  definitions: readonly string[],
): Cut => ({
  table: `public.${table}`,
  other: `public.${other}`,
  otherContext,
  weight,
  joins,
  transactions,
  definitions,
});

const ITEM_PRODUCT = ['order_items_product_id_fkey'];
const ORDER_USER = ['orders_user_id_fkey'];
const SHIPMENT_ORDER = ['shipments_order_id_fkey'];
const REVIEW_USER = ['reviews_user_id_fkey'];

const CONTEXTS: readonly Context[] = [
  {
    name: 'shipping',
    tables: ['public.carriers', 'public.shipment_events', 'public.shipments'],
    owner: 'shipping-service',
    writers: ['shipping-service', 'tracking-service'],
    readers: ['reporting', 'warehouse'],
    cohesion: 0.9,
    cuts: [cut('shipments', 'orders', 'ordering', 6.98, 96_400, 0, SHIPMENT_ORDER)],
    risk: {
      score: 0.14,
      cutShare: 0.1,
      transactionsCut: 0,
      joinsCut: 96_400,
      foreignKeysCut: 1,
      otherWriters: 1,
      writeShare: 0.46,
    },
    reason: 'First, since no transaction and a single foreign key leads out of it, and 90% of its ties stay inside.',
  },
  {
    name: 'accounts',
    tables: ['public.sessions', 'public.users'],
    owner: 'account-service',
    writers: ['account-service'],
    readers: ['back-office', 'newsletter', 'order-service', 'review-service'],
    cohesion: 0.57,
    cuts: [
      cut('users', 'orders', 'ordering', 7.49, 310_000, 0, ORDER_USER),
      cut('users', 'reviews', 'catalog', 6.69, 48_937, 0, REVIEW_USER),
    ],
    risk: {
      score: 0.31,
      cutShare: 0.43,
      transactionsCut: 0,
      joinsCut: 358_937,
      foreignKeysCut: 2,
      otherWriters: 0,
      writeShare: 0.09,
    },
    reason: 'Second, since only account-service writes it, but two other contexts join its users by id.',
  },
  {
    name: 'catalog',
    tables: ['public.inventory', 'public.product_ratings', 'public.products', 'public.reviews'],
    owner: 'order-service',
    writers: ['catalog-service', 'order-service', 'review-service', 'warehouse'],
    readers: ['back-office', 'newsletter', 'storefront'],
    cohesion: 0.48,
    cuts: [
      cut('inventory', 'orders', 'ordering', 16.76, 0, 241_000, []),
      cut('inventory', 'order_items', 'ordering', 16.76, 0, 241_000, []),
      cut('products', 'order_items', 'ordering', 7.85, 702_000, 0, ITEM_PRODUCT),
      cut('reviews', 'users', 'accounts', 6.69, 48_937, 0, REVIEW_USER),
    ],
    risk: {
      score: 0.72,
      cutShare: 0.52,
      transactionsCut: 482_000,
      joinsCut: 750_937,
      foreignKeysCut: 2,
      otherWriters: 3,
      writeShare: 0.11,
    },
    reason:
      'Third, since order-service takes stock in the same transaction as the order: 482,000 transactions would have to be taken apart.',
  },
  {
    name: 'ordering',
    tables: ['public.order_items', 'public.orders', 'public.payments'],
    owner: 'order-service',
    writers: ['back-office', 'order-service', 'payment-service'],
    readers: ['reporting', 'shipping-service'],
    cohesion: 0.44,
    cuts: [
      cut('orders', 'inventory', 'catalog', 16.76, 0, 241_000, []),
      cut('order_items', 'inventory', 'catalog', 16.76, 0, 241_000, []),
      cut('order_items', 'products', 'catalog', 7.85, 702_000, 0, ITEM_PRODUCT),
      cut('orders', 'users', 'accounts', 7.49, 310_000, 0, ORDER_USER),
      cut('orders', 'shipments', 'shipping', 6.98, 96_400, 0, SHIPMENT_ORDER),
    ],
    risk: {
      score: 0.81,
      cutShare: 0.56,
      transactionsCut: 482_000,
      joinsCut: 1_108_400,
      foreignKeysCut: 3,
      otherWriters: 2,
      writeShare: 0.34,
    },
    reason: 'Last, since it is what remains of the monolith: everything that is cut elsewhere is cut from it.',
  },
];

export const SHOP_PROPOSAL: Proposal = {
  contexts: CONTEXTS,
  unplaced: ['public.coupons_2019'],
  modularity: 0.41,
  advice: [
    'Half of the ties of catalog and ordering would be cut: keep the two in one database until stock is taken by a message.',
  ],
  sharedWriters: [
    {
      table: 'public.orders',
      writers: [
        { service: 'order-service', statements: 254_900 },
        { service: 'payment-service', statements: 249_000 },
        { service: 'back-office', statements: 312 },
      ],
    },
    {
      table: 'public.inventory',
      writers: [
        { service: 'order-service', statements: 241_000 },
        { service: 'warehouse', statements: 198_300 },
      ],
    },
  ],
};
