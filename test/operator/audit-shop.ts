import pg from 'pg';
import { until } from '../session/two-databases.js';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { type CliResult, pgfig as run } from './cli-run.js';

/** Tables of the monolith that tests of the audit take one each, so that none disturbs another. */
const MONOLITH = `
  CREATE TABLE quiet (id int PRIMARY KEY, note text);
  CREATE TABLE served (id int PRIMARY KEY, note text);
  CREATE TABLE written (id serial PRIMARY KEY, note text);
  CREATE TABLE mixed (id serial PRIMARY KEY, note text);
  CREATE TABLE scanned (id int PRIMARY KEY, note text);
  CREATE TABLE held (id int PRIMARY KEY, note text);
  CREATE TABLE moved (id int PRIMARY KEY, note text);
  CREATE TABLE parts (id int, day int, note text) PARTITION BY RANGE (day);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
  CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
  CREATE TABLE bypassed_parts (id int, day int) PARTITION BY RANGE (day);
  CREATE TABLE bypassed_parts_1 PARTITION OF bypassed_parts FOR VALUES FROM (0) TO (10);
  CREATE TABLE triggering (id serial PRIMARY KEY, note text);
  CREATE TABLE triggered (id serial PRIMARY KEY, note text);
  CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.triggered (note) VALUES (NEW.note), (NEW.note); RETURN NEW; END $$;
  CREATE TRIGGER t AFTER INSERT ON triggering FOR EACH ROW EXECUTE FUNCTION log_it();
  CREATE TABLE parents (id int PRIMARY KEY);
  CREATE TABLE children (id serial, parent int REFERENCES parents);
  CREATE TABLE busy (id int PRIMARY KEY, n int);
  CREATE TABLE failing (id int PRIMARY KEY);
  INSERT INTO failing VALUES (1);
  INSERT INTO parents VALUES (1), (2);
  INSERT INTO busy SELECT g, 0 FROM generate_series(1, 20) g;
  INSERT INTO moved VALUES (1, 'old');`;

export interface AuditShop {
  readonly monolith: TestPostgres;
  readonly orders: TestPostgres;
  readonly pgfig: TestPgfig;
  /** Past the proxy. */
  past<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string): Promise<R[]>;
  /** A client past the proxy. */
  open(application: string, user?: string): Promise<pg.Client>;
  /** A client of the proxy. */
  connect(service: string): Promise<pg.Client>;
  /** A client of another instance. */
  openAt(pgfig: TestPgfig, service: string, dbname?: string): Promise<pg.Client>;
  audit(...args: string[]): Promise<CliResult>;
  /** Until every table of both databases has a baseline. */
  watched(): Promise<void>;
}

export async function startAuditShop(config: Readonly<Record<string, unknown>> = {}): Promise<AuditShop> {
  const [monolith, orders] = await Promise.all([startPostgres(), startPostgres()]);
  await Promise.all([monolith.query('CREATE DATABASE shop'), orders.query('CREATE DATABASE orders')]);
  await monolith.query(MONOLITH, 'shop');
  await orders.query('CREATE TABLE moved (id int PRIMARY KEY, note text)', 'orders');
  // Their connections would keep what they have counted back for a while.
  await Promise.all([monolith.restart(), orders.restart()]);
  const pgfig = await startPgfig({
    databases: { monolith: monolith.url('shop'), orders_db: orders.url('orders') },
    rules: {
      moving: { database: 'orders_db', tables: ['public.moved'], phase: 'write-new' },
      several: { database: 'orders_db', tables: ['public.quiet', 'public.served'], phase: 'monolith' },
    },
    config: { matrix: { flushInterval: '1s' }, ...config },
  });
  const past = async <R extends pg.QueryResultRow>(sql: string): Promise<R[]> =>
    (await monolith.query<R>(sql, 'shop')).rows;
  return {
    ...{ monolith, orders, pgfig, past },
    open: (application, user = 'postgres') =>
      open(monolith.url('shop').replace('//postgres:', `//${user}:`), application),
    connect: (service) => open(pgfig.url(), service),
    openAt: (other, service, dbname) => open(other.url(dbname), service),
    audit: (...args) => run(['audit', ...args, '-c', pgfig.configFile]),
    watched: () =>
      until(
        async () => {
          const sql = `SELECT count(*) FILTER (WHERE baseline IS NULL)::int AS open, count(*)::int AS all
                         FROM pgfig.table_activity`;
          // A connection that stays would keep the counters unsettled.
          const client = await open(monolith.url('shop'), 'test');
          const { rows } = await client.query<{ open: number; all: number }>(sql).catch(() => ({ rows: [] }));
          await client.end();
          return rows.some((row) => row.all > 0 && row.open === 0);
        },
        'every table has a baseline',
        60_000,
      ),
  };
}

async function open(url: string, application: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: application });
  client.on('error', () => undefined);
  await onTeardown(() => client.end().catch(() => undefined));
  await client.connect();
  return client;
}
