import type pg from 'pg';
import type { Test } from 'tap';
import { hasPgfig, type PgfigOptions, startPgfig } from '../support/pgfig.js';
import { type PostgresOptions, startPostgres, type TestPostgres } from '../support/postgres.js';

/** What a client test connects to: bare Postgres, or pgfig with the same tables split over two databases. */
export interface Target {
  readonly name: 'bare' | 'pgfig';
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
  readonly url: string;
  /** Pid of pgfig's primary process; null for bare Postgres. */
  readonly pid: number | null;
  /** Asks the database in which the orders domain lives, past the proxy. */
  inOrders<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string): Promise<R[]>;
  /** Asks the database in which everything else lives, past the proxy. */
  inMonolith<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string): Promise<R[]>;
}

const USERS = `
  CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, email text UNIQUE);
  INSERT INTO users (name, email) SELECT 'user ' || n, n || '@example.com' FROM generate_series(1, 100) n;`;
const ORDERS = `
  CREATE TABLE orders (id serial PRIMARY KEY, user_id int NOT NULL, note text, total numeric(10, 2) NOT NULL DEFAULT 0);
  INSERT INTO orders (user_id, note, total)
    SELECT 1 + n % 100, repeat(md5(n::text), 3), n FROM generate_series(1, 1000) n;`;

export interface TargetOptions {
  /** Merged over pgfig.yaml. */
  readonly config?: NonNullable<PgfigOptions['config']>;
  /** Of the Postgres server. */
  readonly settings?: NonNullable<PostgresOptions['settings']>;
}

/** Tables of the moved domain; `order_scratch` is made by the tests themselves, through the target. */
const MOVED = { database: 'orders_db', phase: 'write-new', tables: ['public.orders', 'public.order_scratch'] };

/**
 * Runs the tests against bare Postgres, which proves the tests, and against pgfig with users on the monolith and
 * orders in orders_db. PGFIG_TEST_TARGET=bare or =pgfig runs one of the two.
 */
export async function onEachTarget(
  t: Test,
  run: (t: Test, target: Target) => Promise<void>,
  options: TargetOptions = {},
): Promise<void> {
  const only = process.env.PGFIG_TEST_TARGET;
  const server = await startPostgres({ settings: options.settings ?? {} });
  if (only !== 'pgfig') await t.test('bare Postgres', async (t) => run(t, await bareTarget(server)));
  if (only !== 'bare' && hasPgfig())
    await t.test('pgfig', async (t) => run(t, await pgfigTarget(server, options.config)));
}

async function bareTarget(server: TestPostgres): Promise<Target> {
  await server.query('CREATE DATABASE bare');
  await server.query(USERS + ORDERS, 'bare');
  const ask = async <R extends pg.QueryResultRow>(sql: string) => (await server.query<R>(sql, 'bare')).rows;
  const { host, port } = server;
  return {
    name: 'bare',
    host,
    port,
    dbname: 'bare',
    url: server.url('bare'),
    pid: null,
    inOrders: ask,
    inMonolith: ask,
  };
}

async function pgfigTarget(server: TestPostgres, config: TargetOptions['config'] = {}): Promise<Target> {
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE DATABASE orders');
  await server.query(USERS, 'shop');
  await server.query(ORDERS, 'orders');
  const proxy = await startPgfig({
    databases: { monolith: server.url('shop'), orders_db: server.url('orders') },
    rules: { orders: MOVED },
    config: { listen: { workers: 2 }, ...config },
  });
  return {
    name: 'pgfig',
    host: proxy.host,
    port: proxy.port,
    dbname: 'shop',
    url: proxy.url(),
    pid: proxy.pid,
    inOrders: async <R extends pg.QueryResultRow>(sql: string) => (await server.query<R>(sql, 'orders')).rows,
    inMonolith: async <R extends pg.QueryResultRow>(sql: string) => (await server.query<R>(sql, 'shop')).rows,
  };
}

/** Whether the orders domain's database has such a table and, when split, the monolith has not. */
export async function movedTable(target: Target, table: string): Promise<boolean> {
  const sql = `SELECT to_regclass('${table}') IS NOT NULL AS there`;
  const [inOrders] = await target.inOrders<{ there: boolean }>(sql);
  const [inMonolith] = await target.inMonolith<{ there: boolean }>(sql);
  return inOrders?.there === true && inMonolith?.there === (target.name === 'bare');
}
