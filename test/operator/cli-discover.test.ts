import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import t from 'tap';
import { progressOf } from '../../src/operator/cli/progress.js';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { pgfig } from './cli-run.js';

const server = await startPostgres({
  settings: {
    logging_collector: 'on',
    log_destination: 'csvlog,jsonlog',
    log_directory: 'log',
    log_filename: 'server.log',
    log_statement: 'all',
    shared_preload_libraries: 'pg_stat_statements',
  },
});
await server.query('CREATE SCHEMA app; CREATE TABLE app.a (id int); CREATE TABLE b (id int)');
await server.query('CREATE VIEW v AS SELECT * FROM app.a JOIN b USING (id); CREATE EXTENSION pg_stat_statements');
await server.query('CREATE ROLE shop LOGIN SUPERUSER; ALTER ROLE shop SET search_path = app');
const nobody = { orders_db: 'postgres://127.0.0.1:1/orders' };
const rules = { orders: { database: 'orders_db', phase: 'retired', tables: ['app.a'] } };
const config = await writeConfig(
  { databases: { monolith: server.url(), ...nobody }, rules },
  { listen: 6432, admin: 6433 },
);
const shop = new pg.Client({
  connectionString: server.url().replace('postgres:postgres@', 'shop@'),
  application_name: 'web',
});
await shop.connect();
await shop.query('SELECT * FROM a');
await shop.query('SELECT * FROM public.v');
await shop.end();

const discover = (...args: string[]) => pgfig(['discover', '-c', config, ...args]);
const folder = path.join(server.dataFolder, 'log');
const fileOf = async (ending: string): Promise<string> =>
  path.join(folder, (await readdir(folder)).find((name) => name.endsWith(ending)) ?? '');

interface Cell {
  readonly service: string;
  readonly table: string;
  readonly access: string;
  readonly hidden: number;
  readonly database: string;
}
const webCells = (stdout: string): string[] =>
  (JSON.parse(stdout).cells as Cell[])
    .filter(({ service }) => service === 'web' || service === 'shop')
    .map(({ service, table, access, hidden, database }) => `${service} ${table} ${access} ${hidden} ${database}`)
    .sort();

t.test('a log, with what the catalog tells, though the rules have moved the table', async (t) => {
  const { code, stdout, stderr } = await discover('--from-csvlog', await fileOf('.csv'), '--json');
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.same(webCells(stdout), [
    'web app.a read 1 monolith',
    'web public.b read 1 monolith',
    'web public.v read 0 monolith',
  ]);
  const { source, since, until, pairs, notes } = JSON.parse(stdout);
  t.equal(source, 'server log of 1 file');
  t.equal(new Date(since).toISOString(), since);
  t.ok(since < until);
  const joined = (pairs as { readonly service: string }[]).filter(({ service }) => service === 'web');
  t.match(joined, [{ service: 'web', kind: 'join', a: 'app.a', b: 'public.b', count: 1, first: until }]);
  t.match(notes.join(), /statements of pgfig itself are left out/);
  t.same(Object.keys(JSON.parse(stdout)), ['source', 'since', 'until', 'cells', 'pairs', 'notes', 'proposal']);
});

t.test('two files, one of them gzip, and stdin', async (t) => {
  const json = await fileOf('.json');
  const packed = path.join(path.dirname(config), 'log.gz');
  await writeFile(packed, gzipSync(await readFile(json)));
  const files = await discover('--offline', '--from-csvlog', json, packed);
  t.equal(files.code, 0);
  t.match(
    files.stdout,
    /^source {6}server log of 2 files\ntime {8}20.*Z to 20.*Z\nstatements {2}\d+ carried out\nservices {4}\d+: /,
  );
  t.match(files.stdout, /note {8}No catalog was read/);
  const piped = await pgfig(
    ['discover', '-c', config, '--offline', '--json', '--from-csvlog', '-'],
    (await readFile(json)).toString(),
  );
  t.same(webCells(piped.stdout), ['web public.a read 0 monolith', 'web public.v read 0 monolith']);
  const later = await discover('--offline', '--from-csvlog', json, '--since', '2100-01-01');
  t.match(later.stdout, /time {8}not known\nstatements {2}0 carried out/);
});

t.test('pg_stat_statements', async (t) => {
  const { code, stdout } = await discover('--from-pg-stat-statements', '--json');
  t.equal(code, 0);
  t.equal(JSON.parse(stdout).source, 'pg_stat_statements of database monolith');
  t.ok(webCells(stdout).includes('shop public.b read 1 monolith'));
});

t.test('a bar shows how far it has come, on a terminal alone', (t) => {
  const shown = (total: number | null, isTTY: boolean): string => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    const progress = progressOf(total, stream as unknown as NodeJS.WriteStream);
    progress.add(500_000);
    progress.stop();
    return String(stream.read() ?? '');
  };
  t.match(shown(1_000_000, true), /% of 1.0 MB/);
  t.equal(shown(1_000_000, false), '');
  t.equal(shown(null, true), '', 'stdin');
  t.end();
});

t.test('wrong use and what cannot be reached', async (t) => {
  const csv = await fileOf('.csv');
  const gone = await writeConfig({ databases: { monolith: nobody.orders_db } }, { listen: 6432, admin: 6433 });
  const cases: [string[], number, RegExp][] = [
    [[], 1, /holds no matrix yet\nhint: .*--from-csvlog/],
    [['--from-csvlog', csv, '--from-pg-stat-statements'], 2, /give one --from-... at a time/],
    [['--from-csvlog', csv, '--line-prefix', '%m'], 2, /--line-prefix is for --from-pgaudit/],
    [['--from-csvlog', csv, '--since', 'yesterday'], 2, /Give an ISO time/],
    [['--from-csvlog', '/no/such/file', '--offline'], 2, /\/no\/such\/file cannot be read \(ENOENT\)/],
    [['--from-csvlog', config, '--offline'], 2, /pgfig.yaml: neither csvlog nor jsonlog/],
    [['--from-pgaudit', config, '--offline', '--line-prefix', '%m [%p] %y '], 2, /%y is not known/],
    [['--from-csvlog', csv, '-c', gone], 3, /database monolith .* cannot be reached.*\nhint: .*--offline/],
    [['--from-pg-stat-statements', '--offline', '-c', gone], 3, /cannot be reached/],
  ];
  for (const [args, code, message] of cases) {
    const result = await discover(...args);
    t.equal(result.code, code, args.join(' '));
    t.match(result.stderr, message);
    t.notMatch(result.stderr, /\n {4}at /, 'no stack');
  }
});
