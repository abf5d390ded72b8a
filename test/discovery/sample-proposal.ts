import type { Context, Cut, Proposal } from '../../src/discovery/proposal.js';

/** What may be proposed for the sample shop. */

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
