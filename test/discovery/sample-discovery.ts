import type { Discovery, StaticEdge } from '../../src/discovery/discovery.js';
import { CELLS, PAIRS, SINCE, UNTIL } from './sample-traffic.js';

/** A shop as it may look before the cut, with accounts already a domain of its own. */

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
  matrix: { cells: CELLS, pairs: PAIRS },
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
