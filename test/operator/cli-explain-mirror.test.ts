import t from 'tap';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { pgfig } from './cli-run.js';

const rules = {
  orders: {
    database: 'orders_db',
    phase: 'dual-write',
    tables: ['public.orders', 'public.counted'],
    mirror: { capture: 'statement' },
  },
  users: { database: 'orders_db', phase: 'dual-write', tables: ['public.users'] },
};
const TABLES = `CREATE TABLE orders (id int PRIMARY KEY, n int); CREATE TABLE users (id int PRIMARY KEY);
  CREATE TABLE counted (id serial PRIMARY KEY, n int)`;

const server = await startPostgres();
for (const name of ['shop', 'orders']) {
  await server.query(`CREATE DATABASE ${name}`);
  await server.query(TABLES, name);
}
const databases = { monolith: server.url('shop'), orders_db: server.url('orders') };
const config = await writeConfig({ databases, rules }, { listen: 6432, admin: 6433 });

interface Mirror {
  readonly runs: boolean | null;
  readonly reason: string | null;
}

async function mirrorsOf(sql: string, ...args: string[]): Promise<(Mirror | null)[]> {
  const { stdout, stderr } = await pgfig(['explain', '-c', config, '--json', ...args, sql]);
  if (stderr !== '') throw new Error(stderr);
  const { statements }: { statements: { mirror: Mirror | null }[] } = JSON.parse(stdout);
  return statements.map(({ mirror }) => mirror);
}

t.test('whether the new database gets each statement too, and why not', async (t) => {
  const sql = `UPDATE orders SET n = n + 1 WHERE id = 1; INSERT INTO counted (n) VALUES (1); DELETE FROM users;
    SELECT * FROM orders; UPDATE orders SET n = 2 WHERE id IN (SELECT id FROM users)`;
  const to = { database: 'orders_db', domains: ['orders'] };
  t.same(await mirrorsOf(sql), [
    { ...to, runs: true, reason: null, why: null },
    {
      ...{ ...to, runs: false, reason: 'default' },
      why: 'column id of public.counted gets its default (nextval()), which differs anew',
    },
    null,
    null,
    {
      ...{ ...to, runs: false, reason: 'other-table' },
      why: 'it uses public.users, which is not mirrored by statement to orders_db',
    },
  ]);
});

t.test('a string that controls transactions is refused as sessions refuse it', async (t) => {
  t.match(await mirrorsOf('BEGIN; UPDATE orders SET n = 1; COMMIT'), [null, { runs: false, reason: 'string' }, null]);
});

t.test('what may write unseen is told too', async (t) => {
  t.match(await mirrorsOf('DO $$ BEGIN EXECUTE $1; END $$'), [{ runs: false, reason: 'opaque', domains: ['orders'] }]);
});

t.test('without catalogs, what these alone tell is not made up', async (t) => {
  t.match(await mirrorsOf('UPDATE orders SET n = abs(n)', '--offline'), [{ runs: null, reason: null, why: null }]);
  t.match(await mirrorsOf('UPDATE orders SET n = 1', '--offline'), [{ runs: null, reason: null, why: null }]);
  t.match(await mirrorsOf('UPDATE orders SET n = random()', '--offline'), [{ runs: false, reason: 'unsteady' }]);
});

t.test('in text it is one more line, of statements that concern a mirror', async (t) => {
  const text = async (sql: string, ...args: string[]): Promise<string> =>
    (await pgfig(['explain', '-c', config, ...args, sql])).stdout;
  t.match(await text('DELETE FROM orders'), /\n {2}reason {2}.*\n {2}mirror {2}runs on orders_db too\n$/);
  t.match(await text('UPDATE orders SET n = random()'), /\n {2}mirror {2}refused \(unsteady\): it uses random\(\)\n$/);
  t.match(
    await text('DELETE FROM orders', '--offline'),
    /\n {2}mirror {2}not known without the catalogs \(--offline\)/,
  );
  t.notMatch(await text('DELETE FROM users'), /mirror/);
});
