import type pg from 'pg';
import type { Test } from 'tap';
import { startPgfig, type TestPgfig } from '../../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../../support/postgres.js';
import { connect } from '../two-databases.js';

/** A monolith and a new database whose domain `orders` is mirrored by statement. */
export interface MirroredShop {
  readonly monolith: TestPostgres;
  readonly copy: TestPostgres;
  readonly pgfig: TestPgfig;
  connect(options?: pg.ClientConfig): Promise<pg.Client>;
  /** Rows of both, as text, in the order of their first column: they must be alike. */
  both(table?: string): Promise<{ readonly monolith: readonly string[]; readonly copy: readonly string[] }>;
  /** Counts of pgfig_statement_mirror_divergences_total by reason. */
  divergences(): Promise<Readonly<Record<string, number>>>;
  /** Lines of the log about divergences. */
  told(): readonly ToldDivergence[];
}

export interface ToldDivergence {
  readonly domain: string;
  readonly table: string | null;
  readonly database: string;
  readonly fingerprint: string;
  readonly reason: string;
  readonly why: string;
  readonly sqlstate: string | null;
  readonly keys: readonly string[];
  readonly count: number;
  readonly service: string;
}

export const TABLES = `
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
  CREATE TABLE orders (id int PRIMARY KEY, note text, n int NOT NULL DEFAULT 0, mood mood, raw bytea,
                       tags text[], at timestamptz);
  CREATE TABLE order_items (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE, what text);
  CREATE TABLE serials (id serial PRIMARY KEY, note text);
  INSERT INTO orders (id, note) VALUES (1, 'tea'), (2, 'cup');`;

export interface MirroredShopOptions {
  readonly inMonolith?: string;
  readonly inCopy?: string;
  /** Instead of the tables above, in both. */
  readonly tables?: string;
  readonly mirror?: Readonly<Record<string, unknown>>;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function startMirroredShop(options: MirroredShopOptions = {}): Promise<MirroredShop> {
  const [monolith, copy] = await Promise.all([
    startPostgres({ settings: { max_prepared_transactions: '5' } }),
    startPostgres(),
  ]);
  await Promise.all([monolith.query('CREATE DATABASE shop'), copy.query('CREATE DATABASE orders')]);
  const tables = options.tables ?? TABLES;
  // Types get other OIDs there.
  await copy.query('CREATE TYPE only_here AS (a int); CREATE TYPE only_here_too AS (a int)', 'orders');
  await Promise.all([
    monolith.query(`${tables} CREATE TABLE users (id int PRIMARY KEY, name text); ${options.inMonolith ?? ''}`, 'shop'),
    copy.query(`${tables} ${options.inCopy ?? ''}`, 'orders'),
  ]);
  const pgfig = await startPgfig({
    databases: { monolith: monolith.url('shop'), orders_db: copy.url('orders') },
    rules: {
      orders: {
        database: 'orders_db',
        tables: ['public.orders', 'public.order_items', 'public.serials'],
        phase: 'dual-write',
        mirror: { capture: 'statement', ...options.mirror },
        ...options.rule,
      },
    },
    config: options.config ?? {},
  });
  const rows = async (server: TestPostgres, dbname: string, table: string): Promise<string[]> =>
    (await server.query<{ t: string }>(`SELECT t::text AS t FROM ${table} t ORDER BY 1`, dbname)).rows.map(
      ({ t }) => t,
    );
  return {
    monolith,
    copy,
    pgfig,
    connect: (config = {}) => connect(pgfig.url(), config),
    both: async (table = 'orders') => ({
      monolith: await rows(monolith, 'shop', table),
      copy: await rows(copy, 'orders', table),
    }),
    divergences: async () => {
      const text = await (await fetch(`http://127.0.0.1:${pgfig.adminPort}/metrics`)).text();
      const lines = text.matchAll(/^pgfig_statement_mirror_divergences_total\{(.*)\} (\d+)$/gm);
      return Object.fromEntries(
        [...lines].map(([, labels = '', count]) => [/reason="([^"]*)"/.exec(labels)?.[1] ?? '?', Number(count)]),
      );
    },
    told: () =>
      pgfig
        .logs()
        .split('\n')
        .filter((line) => line.includes('a copy lacks what a statement has changed'))
        .map((line) => JSON.parse(line) as ToldDivergence),
  };
}

/** The two are alike, and hold what is expected. */
export async function alike(
  t: Test,
  shop: MirroredShop,
  message: string,
  table = 'orders',
): Promise<readonly string[]> {
  const { monolith, copy } = await shop.both(table);
  t.strictSame(copy, monolith, message);
  return monolith;
}
