import { writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import t from 'tap';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

const HBA = `
host all postgres 127.0.0.1/32 trust
host all all      127.0.0.1/32 scram-sha-256
`;
let monolith: TestPostgres;
let orders: TestPostgres;
let folder: string;

/** The same verifier on both servers: what pgfig recovers from one login then opens both. */
t.before(async () => {
  folder = t.testdir({});
  [monolith, orders] = await Promise.all([startPostgres({ hba: HBA }), startPostgres({ hba: HBA })]);
  await monolith.query(
    "CREATE ROLE alice LOGIN PASSWORD 'sesame'; CREATE ROLE late LOGIN PASSWORD 'x' VALID UNTIL '2020-01-01'",
  );
  const { rows } = await monolith.query<{ v: string }>(
    "SELECT rolpassword AS v FROM pg_authid WHERE rolname = 'alice'",
  );
  const verifier = rows[0]?.v ?? '';
  await orders.query(
    `CREATE ROLE alice LOGIN PASSWORD '${verifier}'; CREATE TABLE orders (id int); GRANT SELECT ON orders TO alice`,
  );
  writeFileSync(path.join(folder, 'users.txt'), `"alice" "${verifier}"\n`);
});

const withoutUser = (server: TestPostgres): string => `postgres://127.0.0.1:${server.port}/postgres`;

const start = (auth: Record<string, unknown>): Promise<TestPgfig> =>
  startPgfig({
    databases: { monolith: withoutUser(monolith), orders_db: withoutUser(orders) },
    rules: { orders: { database: 'orders_db', tables: ['public.orders'], phase: 'write-new' } },
    config: { auth, control: { url: monolith.url('postgres') } },
  });

async function login(pgfig: TestPgfig, user: string, password: string): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port: pgfig.port, user, password, database: 'postgres' });
  client.on('error', () => {});
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

for (const [name, auth] of [
  ['a userlist that holds no password', (): Record<string, unknown> => ({ users: path.join(folder, 'users.txt') })],
  [
    'an auth_query',
    (): Record<string, unknown> => ({ query: 'SELECT usename, passwd, valuntil FROM pg_shadow WHERE usename = $1' }),
  ],
] as const) {
  t.test(`SCRAM by ${name}: one login opens every database`, async (t) => {
    const pgfig = await start({ method: 'scram-sha-256', ...auth() });
    const client = await login(pgfig, 'alice', 'sesame');
    t.same((await client.query('SELECT current_user AS me')).rows, [{ me: 'alice' }]);
    t.same((await client.query('SELECT count(*)::int AS n FROM orders')).rows, [{ n: 0 }]);
    await t.rejects(login(pgfig, 'alice', 'wrong'), {
      code: '28P01',
      message: 'password authentication failed for user "alice"',
    });
    await t.rejects(login(pgfig, 'nobody', 'sesame'), {
      code: '28P01',
      message: 'password authentication failed for user "nobody"',
    });
    await t.rejects(login(pgfig, 'late', 'x'), { code: '28P01' }, 'VALID UNTIL is over');
    t.notMatch(pgfig.logs(), /sesame|SCRAM-SHA-256\$/, 'nothing secret is logged');
    t.equal(await pgfig.stop(), 0);
  });
}

t.test('a password asked for in clear logs in to databases with it', async (t) => {
  const users = path.join(folder, 'plain.txt');
  writeFileSync(users, '"alice" "sesame"\n');
  const pgfig = await start({ method: 'password', users });
  const client = await login(pgfig, 'alice', 'sesame');
  t.same((await client.query('SELECT count(*)::int AS n FROM orders')).rows, [{ n: 0 }]);
  await t.rejects(login(pgfig, 'alice', 'wrong'), { code: '28P01' });
  t.equal(await pgfig.stop(), 0);
});
