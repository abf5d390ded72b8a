import pg from 'pg';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { type Between, standBetween } from './between.js';

/** A shop split over two servers: users only in the monolith, orders only in orders_db, `both` in each. */
export interface Shop {
  readonly monolith: TestPostgres;
  readonly orders: TestPostgres;
  readonly pgfig: TestPgfig;
  /** What stands before them; null unless asked for. */
  readonly beforeMonolith: Between | null;
  readonly beforeOrders: Between | null;
  /** Past the proxy. */
  inMonolith<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string): Promise<R[]>;
  inOrders<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string): Promise<R[]>;
  /** A client of the proxy. */
  connect(options?: pg.ClientConfig): Promise<pg.Client>;
}

/** Dynamic SQL: nobody sees through it. */
const WRITES_UNSEEN = `CREATE FUNCTION writes_unseen(int) RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE format('INSERT INTO audit VALUES (%s)', $1); RETURN $1; END $$;`;
const USERS = `
  CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
  INSERT INTO users VALUES (1, 'Ada'), (2, 'Ben');
  CREATE TABLE audit (id int);
  ${WRITES_UNSEEN}`;
const ORDERS = `
  CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL, note text);
  INSERT INTO orders VALUES (1, 1, 'tea'), (2, 2, 'cup');
  CREATE TABLE audit (id int);
  ${WRITES_UNSEEN}`;

export const ORDERS_RULE = { database: 'orders_db', tables: ['public.orders'], phase: 'write-new' } as const;

export interface ShopOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, string>>;
  /** More SQL for each of the two. */
  readonly inMonolith?: string;
  readonly inOrders?: string;
  readonly rules?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** pgfig reaches both servers by way of something that can spoil what passes. */
  readonly between?: boolean;
}

export async function startShop(options: ShopOptions = {}): Promise<Shop> {
  const settings = options.settings ?? {};
  const [monolith, orders] = await Promise.all([startPostgres({ settings }), startPostgres({ settings })]);
  await Promise.all([monolith.query('CREATE DATABASE shop'), orders.query('CREATE DATABASE orders')]);
  await Promise.all([
    monolith.query(USERS + (options.inMonolith ?? ''), 'shop'),
    orders.query(ORDERS + (options.inOrders ?? ''), 'orders'),
  ]);
  const beforeMonolith = options.between === true ? await standBetween(monolith.port) : null;
  const beforeOrders = options.between === true ? await standBetween(orders.port) : null;
  const pgfig = await startPgfig({
    databases: {
      monolith: beforeMonolith?.url(monolith.url('shop')) ?? monolith.url('shop'),
      orders_db: beforeOrders?.url(orders.url('orders')) ?? orders.url('orders'),
    },
    rules: { orders: ORDERS_RULE, ...options.rules },
    config: options.config ?? {},
  });
  const ask =
    (server: TestPostgres, dbname: string) =>
    async <R extends pg.QueryResultRow>(sql: string): Promise<R[]> =>
      (await server.query<R>(sql, dbname)).rows;
  return {
    monolith,
    orders,
    pgfig,
    beforeMonolith,
    beforeOrders,
    inMonolith: ask(monolith, 'shop'),
    inOrders: ask(orders, 'orders'),
    connect: (config = {}) => connect(pgfig.url(), config),
  };
}

export async function connect(url: string, config: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...config });
  client.on('error', () => undefined);
  await onTeardown(() => client.end().catch(() => undefined));
  await client.connect();
  return client;
}

/** What the promise is rejected with. */
export async function failure(work: Promise<unknown>): Promise<pg.DatabaseError> {
  try {
    await work;
  } catch (error) {
    return error as pg.DatabaseError;
  }
  throw new Error('it did not fail');
}

/** The first value of the first row. */
export async function value(client: pg.Client, sql: string, values?: readonly unknown[]): Promise<unknown> {
  const { rows } = await client.query({ text: sql, values: values === undefined ? [] : [...values], rowMode: 'array' });
  return (rows[0] as unknown[] | undefined)?.[0];
}

/** Asks until the answer is so. @throws Error after `patience` ms */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  patience = 15_000,
): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Transaction status that the client was told with the answer to its last request: I, T or E. */
export async function statusOf(client: pg.Client): Promise<string> {
  const inner = client as unknown as { readonly _txStatus?: string; readonly readyForQuery: boolean };
  // An error rejects before its ReadyForQuery has come.
  await until(() => inner.readyForQuery, 'ReadyForQuery');
  return inner._txStatus ?? '?';
}
