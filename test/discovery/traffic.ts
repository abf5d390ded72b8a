import { once } from 'node:events';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import type { TestPostgres } from '../support/postgres.js';

/** Everything that a client may do to be logged, by services of its own name each. */
export async function runTraffic(server: TestPostgres): Promise<void> {
  await server.query('CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int); CREATE TABLE c (id int)');
  await server.query('CREATE DATABASE other');
  await as(server, 'simple', async (_query, client) => {
    await client.query("INSERT INTO a VALUES (1, 'it''s \"quoted\"\nand goes on'); SELECT * FROM a JOIN b ON true");
    await client.query('SELECT v FROM a WHERE id = 1');
    await client.query('');
  });
  await as(server, 'extended', async (_query, client) => {
    await client.query('SELECT v FROM a WHERE id = $1', [1]);
    for (const id of [1, 2, 3])
      await client.query({ name: 'by id', text: 'SELECT * FROM b WHERE id = $1', values: [id] });
    const cursor = client.query(new Cursor('SELECT g FROM generate_series($1::int, 10) g, a', [1]));
    while ((await cursor.read(3)).length > 0);
    await cursor.close();
  });
  await as(server, 'errors', async (query) => {
    await query("INSERT INTO a VALUES (1, 'again')");
    await query("INSERT INTO b VALUES (1); INSERT INTO a VALUES (1, 'again')");
    await query("INSERT INTO a VALUES ($1, 'again')", [1]);
    await query('SELECT * FROM a WHERE id = $1', ['no number']);
    await query('SELECT * FROM nothing');
    await query('SELEC 1');
    await query('SELEC $1', [1]);
    await query("SET statement_timeout = '20ms'");
    await query('SELECT pg_sleep(9) FROM a');
  });
  await as(server, 'transactions', async (query) => {
    for (const sql of ['BEGIN', 'INSERT INTO b VALUES (1)', 'INSERT INTO c VALUES (1)', 'COMMIT']) await query(sql);
    for (const sql of ['BEGIN', 'INSERT INTO b VALUES (2)', 'DELETE FROM a', 'ROLLBACK']) await query(sql);
    for (const sql of [
      'BEGIN',
      'INSERT INTO b VALUES (2)',
      'DELETE FROM a',
      'SELECT 1/0',
      'SELECT * FROM c',
      'COMMIT',
    ]) {
      await query(sql);
    }
    const saved = ['BEGIN', 'INSERT INTO b VALUES (3)', 'SAVEPOINT s', 'INSERT INTO a VALUES (9)', 'SELECT 1/0'];
    for (const sql of [...saved, 'ROLLBACK TO s', 'INSERT INTO c VALUES (3)', 'COMMIT']) await query(sql);
    await query('INSERT INTO b VALUES (4); INSERT INTO c VALUES (4)');
    await query('BEGIN; INSERT INTO b VALUES (5); INSERT INTO c VALUES (5); ROLLBACK');
  });
  await as(server, 'pipelines', async (_query, client) => {
    await pipeline(client, ['INSERT INTO b VALUES (6)', 'INSERT INTO c VALUES (6)']);
    await pipeline(client, ["INSERT INTO a VALUES (7, '')", 'INSERT INTO c VALUES (1/0)']);
  });
  await as(server, 'prepared', async (query) => {
    for (const sql of ['PREPARE p AS INSERT INTO b VALUES ($1)', 'EXECUTE p(1)', 'EXECUTE p(2)', 'DEALLOCATE p'])
      await query(sql);
  });
  await as(server, 'cursors', async (query) => {
    const statements = ['BEGIN', 'DECLARE cu CURSOR FOR SELECT * FROM a', 'FETCH 1 FROM cu', 'CLOSE cu', 'COMMIT'];
    for (const sql of statements) await query(sql);
  });
  await as(server, 'code', async (query) => {
    await query(
      "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'INSERT INTO c VALUES (1)'; END $$",
    );
    await query('SELECT f()');
    await query('DO $$ BEGIN INSERT INTO c VALUES (8); END $$');
  });
  await as(server, 'copies', async (_query, client) => {
    const into = client.query(copyFrom('COPY b FROM STDIN'));
    into.end('1\n2\n');
    await once(into, 'finish');
    const out = client.query(copyTo('COPY (SELECT * FROM b) TO STDOUT'));
    out.resume();
    await once(out, 'end');
  });
  await as(server, 'names', async (query) => {
    await query('CREATE SCHEMA app; CREATE TABLE app.a (id int)');
    for (const sql of [
      'SET search_path = app, public',
      'SELECT * FROM a',
      'CREATE TEMP TABLE b (id int)',
      'SELECT * FROM b',
    ]) {
      await query(sql);
    }
    for (const sql of ['SET standard_conforming_strings = off', "SELECT 'it\\'s' FROM public.c"]) await query(sql);
  });
  await as(server, 'ended', (query) => query('SELECT pg_terminate_backend(pg_backend_pid()) FROM a'));
  await as(server, 'pgfig control', (query) => query('SELECT * FROM a'));
  const other = new pg.Client({ connectionString: server.url('other'), application_name: 'elsewhere' });
  await other.connect();
  await other.query('SELECT 1');
  await other.end();
}

/** What a log of it tells, whatever settings it was written with. */
export const CELLS: readonly string[] = [
  'code public.c write: 1',
  'code what f() touches is not known opaque: 1',
  'copies public.b read: 1',
  'copies public.b write: 1',
  'cursors public.a read: 1',
  'errors public.a read: 0, errors 2',
  'errors public.a write: 0, errors 3',
  'errors public.b write: 0, errors 1',
  'errors public.nothing read: 0, errors 1',
  'extended public.a read: 2',
  'extended public.b read: 3',
  'names app.a ddl: 1',
  'names app.a read: 1',
  'names public.c read: 1',
  'pipelines public.a write: 1',
  'pipelines public.b write: 1',
  'pipelines public.c write: 1, errors 1',
  'postgres public.a ddl: 1',
  'postgres public.b ddl: 1',
  'postgres public.c ddl: 1',
  'prepared public.b write: 2',
  'simple public.a read: 2',
  'simple public.a write: 1',
  'simple public.b read: 1',
  'transactions public.a write: 3',
  'transactions public.b write: 6',
  'transactions public.c read: 0, errors 1',
  'transactions public.c write: 4',
];

export const PAIRS: readonly string[] = [
  'pipelines transaction public.b public.c: 1',
  'simple join public.a public.b: 1',
  'transactions transaction public.b public.c: 3',
];

type Query = (sql: string, values?: readonly unknown[]) => Promise<void>;

/** One connection of a service; errors are what it is for. */
async function as(
  server: TestPostgres,
  name: string,
  run: (query: Query, client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: server.url(), application_name: name });
  client.on('error', () => undefined);
  await client.connect();
  await run(async (sql, values) => {
    await (values === undefined ? client.query(sql) : client.query(sql, [...values])).catch(() => undefined);
  }, client);
  await client.end().catch(() => undefined);
}

/** Statements of the extended protocol with one Sync behind them all: one transaction. */
function pipeline(client: pg.Client, texts: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    client.query({
      submit(connection: pg.Connection) {
        for (const text of texts) {
          connection.parse({ name: '', text, types: [] }, true);
          connection.bind({}, true);
          connection.execute({ portal: '' }, true);
        }
        connection.sync();
      },
      handleReadyForQuery: () => resolve(),
      // The driver tells nothing more of it after this.
      handleError: () => resolve(),
      handleCommandComplete: () => undefined,
      handleDataRow: () => undefined,
      handleRowDescription: () => undefined,
      handleEmptyQuery: () => undefined,
      handlePortalSuspended: () => undefined,
    } as pg.Submittable);
  });
}
