import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import postgres from 'postgres';
import t from 'tap';
import { DEFAULT_AUTH_QUERY, readAuthRow, verifierOfRow } from '../../src/auth/auth-query.js';
import type { UserLookup } from '../../src/auth/server-auth.js';
import { formatVerifier, makeMd5, makeScram, parseVerifier, type Verifier } from '../../src/auth/verifier.js';
import type { AuthMethod } from '../../src/config/config.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { type LoginServer, logInTo, startLoginServer } from './login-sockets.js';

/** Not ASCII, and not what it is after SASLprep. */
const PASSWORD = 'pä\u00a0ß"\'\u2168';
const HBA = `
host all postgres   127.0.0.1/32 trust
host all by_scram   127.0.0.1/32 scram-sha-256
host all by_md5     127.0.0.1/32 md5
host all md5_scram  127.0.0.1/32 md5
host all by_text    127.0.0.1/32 password
host all more_turns 127.0.0.1/32 scram-sha-256
`;
const run = promisify(execFile);

let backend: TestPostgres;

t.before(async () => {
  backend = await startPostgres({ hba: HBA });
  const literal = pg.escapeLiteral(PASSWORD);
  await backend.query(`
    CREATE ROLE by_scram LOGIN PASSWORD ${literal};
    CREATE ROLE by_text LOGIN PASSWORD ${literal};
    CREATE ROLE md5_scram LOGIN PASSWORD ${literal};
    SET scram_iterations = 10000;
    CREATE ROLE more_turns LOGIN PASSWORD ${literal};
    SET scram_iterations = 4096;
    SET password_encryption = md5;
    CREATE ROLE by_md5 LOGIN PASSWORD ${literal};
    RESET password_encryption;
    CREATE ROLE expired LOGIN PASSWORD 'x' VALID UNTIL '2020-01-01';
    CREATE ROLE forever LOGIN PASSWORD 'x' VALID UNTIL 'infinity';
    CREATE ROLE later LOGIN PASSWORD 'x' VALID UNTIL '2999-01-01 00:00:00+02';
    CREATE ROLE without LOGIN;
    CREATE ROLE no_login PASSWORD 'x'`);
});

const verifierOf = async (user: string): Promise<Verifier> => {
  const { rows } = await backend.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', 'postgres', [user]);
  return parseVerifier(String(rows[0]?.rolpassword));
};

async function serving(
  method: AuthMethod,
  lookup: UserLookup,
  use: (server: LoginServer) => Promise<void>,
): Promise<void> {
  const server = await startLoginServer(method, lookup);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

t.test('into a real server, by password', async (t) => {
  for (const user of ['by_scram', 'by_md5', 'md5_scram', 'by_text', 'more_turns']) {
    t.equal(await logInTo(backend.port, user, PASSWORD), user);
    await t.rejects(logInTo(backend.port, user, 'wrong'), { message: /password authentication failed/ });
    await t.rejects(logInTo(backend.port, user, null), { code: 'BACKEND_LOGIN_FAILED' });
  }
  t.equal(await logInTo(backend.port, 'postgres', null), 'postgres');
});

t.test("a real server's verifiers are understood, and it understands those that are made here", async (t) => {
  t.match(await verifierOf('by_scram'), { kind: 'scram', iterations: 4096 });
  t.match(await verifierOf('more_turns'), { kind: 'scram', iterations: 10_000 });
  t.strictSame(await verifierOf('by_md5'), makeMd5('by_md5', PASSWORD));
  const made = formatVerifier(makeScram(PASSWORD));
  await backend.query(
    `CREATE ROLE made LOGIN PASSWORD ${pg.escapeLiteral(made)}; ALTER ROLE by_text RENAME TO old_text`,
  );
  await backend.query(`ALTER ROLE made RENAME TO by_text`);
  t.equal(await logInTo(backend.port, 'by_text', PASSWORD), 'by_text');
});

t.test("SCRAM passes through: what a client's login shows logs in to the backend", async (t) => {
  for (const user of ['by_scram', 'more_turns', 'md5_scram']) {
    const verifier = await verifierOf(user);
    await serving('scram-sha-256', { find: () => verifier }, async (server) => {
      const client = new pg.Client({ host: '127.0.0.1', port: server.port, user, password: PASSWORD, database: 'd' });
      await client.connect();
      t.equal((await client.query('SELECT current_user')).rows[0]?.current_user, user);
      await client.end();
      const shown = server.last();
      t.equal(shown?.password, null, 'no password is known');
      t.equal(await logInTo(backend.port, user, shown), user);
    });
  }
});

t.test('keys of another verifier of the same password are refused before they are sent', async (t) => {
  const other = makeScram(PASSWORD);
  await serving('scram-sha-256', { find: () => other }, async (server) => {
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'by_scram', password: PASSWORD });
    await client.connect();
    await client.end();
    await t.rejects(logInTo(backend.port, 'by_scram', server.last()), {
      code: 'BACKEND_LOGIN_FAILED',
      hint: /same verifier/,
    });
  });
});

t.test('an md5 login passes through as well', async (t) => {
  const verifier = await verifierOf('by_md5');
  await serving('md5', { find: () => verifier }, async (server) => {
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'by_md5', password: PASSWORD });
    await client.connect();
    await client.end();
    t.equal(await logInTo(backend.port, 'by_md5', server.last()), 'by_md5');
  });
});

t.test('real clients: pg, postgres, psql', async (t) => {
  const hasPsql = await run('psql', ['--version']).then(
    () => true,
    () => false,
  );
  const verifierIn = (kind: string, user: string, password: string): Verifier => {
    if (kind === 'plain') return parseVerifier(password);
    return kind === 'md5' ? makeMd5(user, password) : makeScram(password);
  };
  for (const [method, kind] of [
    ['password', 'plain'],
    ['password', 'scram'],
    ['md5', 'plain'],
    ['md5', 'md5'],
    ['md5', 'scram'],
    ['scram-sha-256', 'plain'],
    ['scram-sha-256', 'scram'],
  ] as const) {
    // `postgres` knows no SASLprep (nor does it get in to Postgres with such a password), so joe's is ASCII.
    const users = new Map([
      ['ann', verifierIn(kind, 'ann', PASSWORD)],
      ['joe', verifierIn(kind, 'joe', 'pencil')],
    ]);
    const lookup = { find: (user: string) => users.get(user) ?? null };
    await serving(method, lookup, async ({ port }) => {
      const name = `${method}, ${kind}`;
      const whoAmI = async (user: string, password: string): Promise<string> => {
        const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'd' });
        await client.connect();
        const { rows } = await client.query('SELECT current_user');
        await client.end();
        return rows[0]?.current_user;
      };
      t.equal(await whoAmI('ann', PASSWORD), 'ann', `pg: ${name}`);
      const refused = (user: string) => ({
        code: '28P01',
        message: `password authentication failed for user "${user}"`,
      });
      await t.rejects(whoAmI('ann', 'wrong'), refused('ann'), `pg: ${name}`);
      await t.rejects(whoAmI('bob', PASSWORD), refused('bob'), `pg: ${name}`);

      const sql = postgres({
        host: '127.0.0.1',
        port,
        user: 'joe',
        password: 'pencil',
        database: 'd',
        fetch_types: false,
      });
      t.equal((await sql`SELECT current_user`.simple())[0]?.current_user, 'joe', `postgres: ${name}`);
      await sql.end();

      if (!hasPsql) return;
      const psql = (password: string): Promise<{ stdout: string }> =>
        run('psql', ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'ann', '-d', 'd', '-XAtwc', 'SELECT current_user'], {
          env: { ...process.env, PGPASSWORD: password, PGCLIENTENCODING: 'UTF8' },
        });
      t.equal((await psql(PASSWORD)).stdout.trim(), 'ann', `psql: ${name}`);
      await t.rejects(psql('wrong'), { message: /FATAL: {2}password authentication failed for user "ann"/ });
    });
  }
});

t.test('auth_query on a real server', async (t) => {
  const lookUp = async (user: string): Promise<Verifier | null> => {
    const client = new pg.Client({ connectionString: backend.url() });
    await client.connect();
    try {
      const { rows } = await client.query({ text: DEFAULT_AUTH_QUERY, values: [user], rowMode: 'array' });
      return verifierOfRow(rows[0] === undefined ? null : readAuthRow(rows[0], user));
    } finally {
      await client.end();
    }
  };
  t.strictSame(await lookUp('by_scram'), await verifierOf('by_scram'));
  t.match(await lookUp('forever'), { kind: 'scram' });
  t.match(await lookUp('later'), { kind: 'scram' });
  for (const user of ['expired', 'without', 'no_login', 'nobody', "x' OR '1'='1"])
    t.equal(await lookUp(user), null, user);
  t.match(DEFAULT_AUTH_QUERY, /pg_catalog\.pg_shadow/);
});

t.test('the function of docs/auth.md gives a role without rights that one answer', async (t) => {
  const docs = await readFile(new URL('../../../docs/auth.md', import.meta.url), 'utf8');
  await backend.query(/```sql\n([\s\S]*?)```/.exec(docs)?.[1] ?? 'the docs have no SQL');
  const asRole = async (sql: string): Promise<unknown[][]> => {
    const client = new pg.Client({ connectionString: backend.url() });
    await client.connect();
    try {
      await client.query('SET SESSION AUTHORIZATION pgfig_auth');
      return (await client.query({ text: sql, rowMode: 'array' })).rows;
    } finally {
      await client.end();
    }
  };
  const rows = await asRole("SELECT name, verifier, valid_until FROM pgfig_auth.lookup('by_scram')");
  t.strictSame(parseVerifier(readAuthRow(rows[0] ?? [], 'by_scram').verifier ?? ''), await verifierOf('by_scram'));
  t.strictSame(await asRole("SELECT * FROM pgfig_auth.lookup('postgres')"), [], "not the superuser's");
  await t.rejects(asRole('SELECT * FROM pg_authid'), { code: '42501' });
});
