import type pg from 'pg';
import {
  CROSSING_KEYS,
  MONOLITH_EXTRAS,
  MONOLITH_TABLES,
  ORDER_TABLES,
  ORDER_TRIGGER,
} from '../../src/embedded/shop/schema.js';
import type { Touch, Truth } from './truth.js';

/** The sample shop in one database, with some rows, and what opaque work looks like. */
export const SHOP = `
${MONOLITH_TABLES} ${ORDER_TABLES} ${CROSSING_KEYS} ${MONOLITH_EXTRAS} ${ORDER_TRIGGER}
CREATE SCHEMA archive;
CREATE TABLE archive.orders (LIKE orders);
CREATE FUNCTION count_rows(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %I', name) INTO n;
  RETURN n;
END $$;
INSERT INTO users (name, email) SELECT 'user ' || i, 'user' || i || '@example.com' FROM generate_series(1, 50) i;
INSERT INTO products (sku, name, price) SELECT 'sku-' || i, 'thing ' || i, i FROM generate_series(1, 50) i;
INSERT INTO inventory SELECT id, 100 FROM products;
INSERT INTO carriers (name) VALUES ('post'), ('bike');
`;

/** A statement, with what it touches by its own declaration. */
interface Statement {
  readonly sql: string;
  readonly values?: readonly unknown[];
  readonly touches: readonly Touch[];
  /** Expected to fail. */
  readonly fails?: true;
}

type Step = Statement | { readonly savepoint: string } | { readonly rollbackTo: string } | { readonly release: string };

/** What a service does at a time: a statement, or a transaction of several. */
interface Work {
  readonly steps: readonly Step[];
  /** In a transaction of its own; null: each statement for itself. */
  readonly ends: 'COMMIT' | 'ROLLBACK' | null;
}

type Choose = (below: number) => number;

const one = (sql: string, touches: readonly Touch[], values?: readonly unknown[], fails?: true): Work => ({
  steps: [{ sql, touches, ...(values === undefined ? {} : { values }), ...(fails === undefined ? {} : { fails }) }],
  ends: null,
});

const id = (choose: Choose): number => 1 + choose(50);

const W = {
  user: (c: Choose) => one('SELECT * FROM users WHERE id = $1', [['public.users', 'read']], [id(c)]),
  userJoin: (c: Choose) =>
    one(`SELECT u.name, s.device FROM users u LEFT JOIN sessions s ON s.user_id = u.id WHERE u.id = ${id(c)}`, [
      ['public.users', 'read'],
      ['public.sessions', 'read'],
    ]),
  login: (c: Choose) =>
    one("INSERT INTO sessions (user_id, device) VALUES ($1, 'it''s a phone')", [['public.sessions', 'write']], [id(c)]),
  logout: (c: Choose) =>
    one(`UPDATE sessions SET ended_at = now() WHERE user_id = ${id(c)}`, [['public.sessions', 'write']]),
  register: (c: Choose): Work => {
    const email = `new-${c(1e9)}@example.com`;
    return {
      ends: 'COMMIT',
      steps: [
        {
          sql: 'INSERT INTO users (name, email) VALUES ($1, $2)',
          values: ['new', email],
          touches: [['public.users', 'write']],
        },
        {
          sql: `INSERT INTO sessions (user_id, device) SELECT id, 'web' FROM users WHERE email = '${email}'`,
          touches: [
            ['public.sessions', 'write'],
            ['public.users', 'read'],
          ],
        },
      ],
    };
  },
  taken: () =>
    one(
      "INSERT INTO users (name, email) VALUES ('x', 'user1@example.com')",
      [['public.users', 'write']],
      undefined,
      true,
    ),
  leave: (c: Choose) =>
    one(`DELETE FROM users WHERE email = 'new-${c(1000)}@example.com'`, [
      ['public.users', 'write'],
      ['public.sessions', 'write', 'hidden'],
    ]),
  ratings: () =>
    one('SELECT * FROM product_ratings LIMIT 5', [
      ['public.product_ratings', 'read', 'view'],
      ['public.products', 'read', 'hidden'],
      ['public.reviews', 'read', 'hidden'],
    ]),
  product: (c: Choose) =>
    one('SELECT name, price FROM products WHERE sku = $1', [['public.products', 'read']], [`sku-${id(c)}`]),
  restock: (c: Choose) =>
    one(`SELECT restock('sku-${id(c)}', 3)`, [
      ['public.inventory', 'write', 'hidden'],
      ['public.products', 'read', 'hidden'],
    ]),
  price: (c: Choose) =>
    one('UPDATE products SET price = price + 1 WHERE id = $1', [['public.products', 'write']], [id(c)]),
  stock: (c: Choose) =>
    one(`SELECT quantity FROM inventory JOIN products ON products.id = product_id WHERE sku = 'sku-${id(c)}'`, [
      ['public.inventory', 'read'],
      ['public.products', 'read'],
    ]),
  review: (c: Choose) =>
    one(
      `INSERT INTO reviews (product_id, user_id, rating, body) VALUES (${id(c)}, ${id(c)}, ${1 + c(5)}, 'secret-${c(1e9)}')`,
      [['public.reviews', 'write']],
    ),
  order: (c: Choose): Work => ({
    ends: 'COMMIT',
    steps: [
      { sql: 'INSERT INTO orders (user_id) VALUES ($1)', values: [id(c)], touches: [['public.orders', 'write']] },
      {
        sql: `INSERT INTO order_items SELECT max(id), 1, ${id(c)}, 2, 10 FROM orders ON CONFLICT DO NOTHING`,
        touches: [
          ['public.order_items', 'write'],
          ['public.orders', 'read'],
          ['public.orders', 'write', 'hidden'],
        ],
      },
    ],
  }),
  /** What is in stock is taken out of it in the same transaction: a tie between two contexts. */
  orderFromStock: (c: Choose): Work => ({
    ends: 'COMMIT',
    steps: [
      ...W.order(c).steps,
      {
        sql: `UPDATE inventory SET quantity = quantity - 0 WHERE product_id = ${id(c)}`,
        touches: [['public.inventory', 'write']],
      },
    ],
  }),
  abandoned: (c: Choose): Work => ({ ...W.orderFromStock(c), ends: 'ROLLBACK' }),
  pay: (c: Choose): Work => ({
    ends: 'COMMIT',
    steps: [
      {
        sql: "INSERT INTO payments (order_id, amount, method) SELECT max(id), 10, 'card' FROM orders HAVING max(id) IS NOT NULL",
        touches: [
          ['public.payments', 'write'],
          ['public.orders', 'read'],
        ],
      },
      { savepoint: 'try' },
      { sql: `UPDATE users SET name = name WHERE id = ${id(c)}`, touches: [['public.users', 'write']] },
      { rollbackTo: 'try' },
      { sql: "UPDATE orders SET status = 'paid' WHERE id = 1", touches: [['public.orders', 'write']] },
      { release: 'try' },
    ],
  }),
  ship: (c: Choose): Work => ({
    ends: 'COMMIT',
    steps: [
      {
        sql: 'INSERT INTO shipments (order_id, carrier_id, tracking_code) SELECT $1, min(id), $2 FROM carriers',
        values: [id(c), `secret-${c(1e9)}`],
        touches: [
          ['public.shipments', 'write'],
          ['public.carriers', 'read'],
        ],
      },
      {
        sql: "INSERT INTO shipment_events (shipment_id, what) SELECT max(id), 'picked up' FROM shipments",
        touches: [
          ['public.shipment_events', 'write'],
          ['public.shipments', 'read'],
        ],
      },
    ],
  }),
  track: (c: Choose) =>
    one(
      `SELECT * FROM shipments s JOIN shipment_events e ON e.shipment_id = s.id JOIN carriers ON carriers.id = carrier_id WHERE s.id = ${id(c)}`,
      [
        ['public.shipments', 'read'],
        ['public.shipment_events', 'read'],
        ['public.carriers', 'read'],
      ],
    ),
  report: () =>
    one(
      `WITH sold AS (SELECT product_id, sum(quantity) AS pieces FROM order_items GROUP BY 1)
       SELECT p.name, sold.pieces FROM sold JOIN products p ON p.id = sold.product_id -- for ${'the boss'}`,
      [
        ['public.order_items', 'read'],
        ['public.products', 'read'],
      ],
    ),
  archived: () =>
    one('SELECT count(*) FROM archive.orders a JOIN orders o ON o.id = a.id', [
      ['archive.orders', 'read'],
      ['public.orders', 'read'],
    ]),
  opaque: () =>
    one("SELECT count_rows('users')", [
      ['function public.count_rows() cannot be seen through: dynamic SQL (EXECUTE)', 'opaque'],
    ]),
  two: (c: Choose): Work => ({
    ends: null,
    steps: [
      {
        // One string of two statements is one transaction.
        sql: `UPDATE products SET name = name WHERE id = ${id(c)}; UPDATE inventory SET quantity = quantity WHERE product_id = ${id(c)}`,
        touches: [],
      },
    ],
  }),
  nothing: () => one('SELECT 1', []),
} satisfies Record<string, (choose: Choose) => Work>;

type WorkName = keyof typeof W;

/** Twelve services, and what each does. The last has no application_name: its user stands for it. */
export const SERVICES: Readonly<Record<string, readonly WorkName[]>> = {
  'identity-service': ['user', 'userJoin', 'register', 'taken', 'leave', 'nothing'],
  'session-service': ['login', 'logout', 'userJoin'],
  'catalog-service': ['product', 'price', 'two', 'ratings'],
  'search-service': ['product', 'ratings', 'stock'],
  'inventory-service': ['restock', 'stock'],
  'review-service': ['review', 'ratings', 'user'],
  'order-service': ['order', 'order', 'order', 'order', 'orderFromStock', 'abandoned', 'product'],
  'payment-service': ['pay', 'pay', 'user'],
  'shipping-service': ['ship', 'ship', 'track', 'track', 'archived'],
  reporting: ['report', 'opaque', 'ratings'],
  'support-desk': ['user', 'archived', 'nothing'],
  cron: ['report', 'logout'],
};

/** A generator of its own, so that a seed gives the same workload everywhere (mulberry32). */
export function chooser(seed: number): Choose {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

export interface Run {
  readonly service: string;
  readonly seed: number;
  readonly works: number;
  readonly truth: Truth;
}

/** One connection of a service does its work, and notes what it has done. The protocols take turns. */
export async function run(client: pg.Client, { service, seed, works, truth }: Run): Promise<void> {
  const choose = chooser(seed);
  const names = SERVICES[service] ?? [];
  for (let i = 0; i < works; i++) {
    const name = names[choose(names.length)] as WorkName;
    const work = W[name](choose);
    if (name === 'two') await twoInOne(client, service, work, truth);
    else if (work.ends === null) await alone(client, service, work.steps[0] as Statement, truth, choose);
    else await transaction(client, service, work, truth, choose);
  }
}

const writtenBy = (touches: readonly Touch[]): string[] =>
  touches.filter(([, access]) => access === 'write').map(([table]) => table);

async function alone(client: pg.Client, service: string, statement: Statement, truth: Truth, c: Choose): Promise<void> {
  if (await perform(client, service, statement, truth, c)) {
    truth.committed(service, new Set(writtenBy(statement.touches)));
  }
}

/** @returns whether it was carried out */
async function perform(
  client: pg.Client,
  service: string,
  { sql, values, touches, fails }: Statement,
  truth: Truth,
  choose: Choose,
): Promise<boolean> {
  // Without values it is a simple Query; with some it is prepared, unnamed or by name.
  const named = values !== undefined && choose(2) === 0 ? { name: `s${sql.length}-${sql.slice(0, 20)}` } : {};
  const query = values === undefined ? { text: sql } : { text: sql, values: [...values], ...named };
  try {
    const { rowCount } = await client.query(query);
    truth.done(service, touches, rowCount ?? 0);
    return true;
  } catch (error) {
    if (fails !== true) throw error;
    truth.failed(service, touches);
    return false;
  }
}

async function transaction(client: pg.Client, service: string, work: Work, truth: Truth, c: Choose): Promise<void> {
  let written: string[] = [];
  const marks = new Map<string, string[]>();
  await client.query('BEGIN');
  for (const step of work.steps) {
    if ('savepoint' in step) {
      await client.query(`SAVEPOINT ${step.savepoint}`);
      marks.set(step.savepoint, written);
    } else if ('rollbackTo' in step) {
      await client.query(`ROLLBACK TO SAVEPOINT ${step.rollbackTo}`);
      written = marks.get(step.rollbackTo) ?? [];
    } else if ('release' in step) {
      await client.query(`RELEASE SAVEPOINT ${step.release}`);
    } else {
      await perform(client, service, step, truth, c);
      written = [...written, ...writtenBy(step.touches)];
    }
  }
  await client.query(work.ends ?? 'COMMIT');
  if (work.ends === 'COMMIT') truth.committed(service, new Set(written));
}

async function twoInOne(client: pg.Client, service: string, work: Work, truth: Truth): Promise<void> {
  const { sql } = work.steps[0] as Statement;
  const results = (await client.query(sql)) as unknown as pg.QueryResult[];
  const tables = ['public.products', 'public.inventory'];
  for (const [at, table] of tables.entries()) truth.done(service, [[table, 'write']], results[at]?.rowCount ?? 0);
  truth.committed(service, new Set(tables));
}
