import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { pgfig } from './cli-run.js';

const server = await startPostgres();
for (const name of ['shop', 'orders', 'empty']) await server.query(`CREATE DATABASE ${name}`);
await server.query('CREATE TABLE orders (id int); CREATE TABLE users (id int)', 'shop');
await server.query('CREATE TABLE orders (id int)', 'orders');

const ports = { listen: 6432, admin: 6433 };
const rule = (over: Readonly<Record<string, unknown>> = {}) => ({
  orders: { database: 'orders_db', phase: 'write-new', tables: ['public.orders'], ...over },
});
const check = async (
  databases: Readonly<Record<string, string>>,
  rules: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  config: Readonly<Record<string, unknown>> = {},
) => pgfig(['check', '-c', await writeConfig({ databases, rules, config }, ports)]);
const both = { monolith: server.url('shop'), orders_db: server.url('orders') };

t.test('nothing to say against it: the table map', async (t) => {
  const { code, stdout, stderr } = await check(both, rule());
  t.equal(stderr, '');
  t.match(stdout, /^configuration {2}.*: good\nrules {10}.*: 1 domain, 1 table\ndatabase {7}monolith: PostgreSQL \d+/);
  t.match(stdout, /table {10}public\.orders is in orders_db \(domain orders, phase write-new\)\n/);
  t.match(stdout, /other tables {3}are in monolith\n/);
  t.notMatch(stdout, /warning/);
  t.notMatch(stdout, /postgres:postgres/, 'no password is shown');
  t.equal(code, 0);
});

t.test('a table that is not where the rules say', async (t) => {
  const { code, stdout } = await check(both, rule({ tables: ['public.orders', 'public.payments'] }));
  t.match(stdout, /public\.payments is in orders_db .*but does not exist there\. Create it, or correct the rules/);
  t.equal(code, 1);
});

t.test('a database that does not answer', async (t) => {
  const { code, stdout } = await check({ ...both, orders_db: 'postgres://bob:hunter2@127.0.0.1:1/orders' }, rule());
  t.match(stdout, /unreachable {4}database orders_db \(127\.0\.0\.1:1\/orders\) cannot be reached: .*ECONNREFUSED/);
  t.match(stdout, /database {7}monolith/, 'the others are looked at all the same');
  t.notMatch(stdout, /hunter2/);
  t.equal(code, 3);
});

t.test('faults of the rules do not keep the databases from being looked at', async (t) => {
  const { code, stdout } = await check(both, rule({ database: 'nix' }));
  t.match(stdout, /orders\.yaml:2:11: unknown database "nix"/);
  t.match(stdout, /database {7}orders_db/);
  t.equal(code, 2);
});

t.test('what a session would notice when its tables move', async (t) => {
  await server.query(
    `CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TYPE size AS ENUM ('s', 'm'); CREATE TYPE pair AS (a int, b int);
     CREATE DOMAIN email AS text; ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
     CREATE POLICY own ON orders USING (id > 0); ALTER DATABASE shop SET timezone = 'Europe/Berlin'`,
    'shop',
  );
  await server.query(
    `CREATE TYPE pair AS (a int, b int); CREATE TYPE size AS ENUM ('s', 'm', 'l'); CREATE TYPE extra AS ENUM ('x')`,
    'orders',
  );
  await server.query("CREATE ROLE ann; ALTER ROLE ann IN DATABASE orders SET work_mem = '8MB'");
  const { code, stdout } = await check(both, rule());
  for (const text of [
    'type public.mood is in monolith but not in orders_db',
    'type public.email is in monolith but not in orders_db',
    'type public.extra is in orders_db but not in monolith',
    "type public.size differs: e ('s', 'm') in monolith, e ('s', 'm', 'l') in orders_db",
    'setting TimeZone is Europe/Berlin in monolith and UTC in orders_db',
    'settings of role ann differ: none in monolith, work_mem=8MB in orders_db',
    'settings of every role differ: TimeZone=Europe/Berlin in monolith, none in orders_db',
    'row level security of public.orders differs: on; own ALL to {public} using (id > 0) check  in monolith, off in orders_db',
  ]) {
    t.ok(stdout.includes(`warning        ${text}\n`), text, { found: stdout });
  }
  t.match(stdout, /type public\.pair has OID \d+ in monolith and \d+ in orders_db/);
  t.notMatch(stdout, /type public\._|type public\.orders/, 'arrays and row types go with what they are made of');
  t.equal(code, 0, 'warnings are not a no');
});

t.test('roles of two servers', async (t) => {
  const other = await startPostgres();
  await other.query('CREATE DATABASE orders');
  await other.query('CREATE TABLE orders (id int)', 'orders');
  await server.query('CREATE ROLE ben LOGIN');
  await other.query('CREATE ROLE ben LOGIN BYPASSRLS; CREATE ROLE cat');
  const { stdout } = await check({ ...both, orders_db: other.url('orders') }, rule());
  t.match(stdout, /warning {8}role ben differs: login in monolith, login bypassrls in orders_db\n/);
  t.match(stdout, /warning {8}role cat is in orders_db but not in monolith\n/);
  t.match(stdout, /warning {8}role ann is in monolith but not in orders_db\n/);
});

t.test('a certificate that has expired', async (t) => {
  const file = await writeConfig(
    { databases: both, rules: rule(), config: { listen: { tls: { cert: 'a.crt', key: 'a.key' } } } },
    ports,
  );
  const folder = path.dirname(file);
  writeFileSync(
    path.join(folder, 'a.cnf'),
    '[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n',
  );
  writeFileSync(path.join(folder, 'index'), '');
  writeFileSync(path.join(folder, 'serial'), '01\n');
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    '/CN=localhost',
    '-keyout',
    'a.key',
    '-out',
    'a.csr',
  );
  openssl(
    'ca',
    '-batch',
    '-config',
    'a.cnf',
    '-selfsign',
    '-keyfile',
    'a.key',
    '-in',
    'a.csr',
    '-out',
    'a.crt',
    '-startdate',
    '20200101000000Z',
    '-enddate',
    '20200201000000Z',
    '-notext',
  );
  const { code, stdout } = await pgfig(['check', '-c', file]);
  t.match(stdout, /warning {8}certificate .*a\.crt expired on 2020-02-01\. Renew it/);
  t.equal(code, 1);
});
