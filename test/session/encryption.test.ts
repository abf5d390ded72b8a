import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import pg from 'pg';
import t from 'tap';
import { encodeStartup } from '../../src/wire/startup.js';
import { TestAuthority } from '../support/certificates.js';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

let authority: TestAuthority;
let server: TestPostgres;
let pgfig: TestPgfig;
let clientTls: { ca: string; cert: string; key: string };

const read = (file: string): string => readFileSync(file, 'utf8');

t.before(async () => {
  authority = new TestAuthority(t.testdir({}));
  const ours = authority.issue('server', 'localhost');
  const backend = authority.issue('backend', 'localhost');
  const alice = authority.issue('alice', 'alice');
  clientTls = { ca: read(authority.path('ca.crt')), cert: read(alice.cert), key: read(alice.key) };
  server = await startPostgres({ tls: backend });
  const ca = encodeURIComponent(authority.path('ca.crt'));
  pgfig = await startPgfig({
    databases: { monolith: `${server.url('postgres')}?sslmode=verify-full&sslrootcert=${ca}` },
    config: {
      listen: { tls: { mode: 'require', cert: ours.cert, key: ours.key, ca: authority.path('ca.crt') } },
      auth: { method: 'cert' },
    },
  });
});

async function connect(user: string, ssl: pg.ClientConfig['ssl']): Promise<pg.Client> {
  // pg hides the key of the object that it is given.
  const own = typeof ssl === 'object' ? { ...ssl } : ssl;
  const client = new pg.Client({ host: '127.0.0.1', port: pgfig.port, user, database: 'postgres', ssl: own });
  client.on('error', () => {});
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

t.test('a client in clear is refused, and told what to do', async (t) => {
  await t.rejects(connect('alice', false), { code: '28000', message: /encrypted connections only/ });
});

t.test('a certificate logs its own user in, and no other', async (t) => {
  const client = await connect('alice', clientTls);
  t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await t.rejects(connect('bob', clientTls), { code: '28000' });
  await t.rejects(connect('alice', { ca: clientTls.ca }), { code: '28000' });
});

t.test('the way to the database is encrypted and verified', async (t) => {
  const client = await connect('alice', clientTls);
  const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  t.same(rows, [{ ssl: true }]);
});

t.test('a large result arrives byte for byte', async (t) => {
  const client = await connect('alice', clientTls);
  const sql = 'SELECT repeat(md5(i::text), 100) AS x FROM generate_series(1, 20000) AS i';
  const digest = createHash('sha256');
  const through = (await client.query<{ x: string }>(sql)).rows;
  for (const { x } of through) digest.update(x);
  const direct = createHash('sha256');
  for (const { x } of (await server.query<{ x: string }>(sql)).rows) direct.update(x);
  t.equal(digest.digest('hex'), direct.digest('hex'));
});

/** First byte of what the server says to a startup packet within direct TLS; null when it only closes. */
function direct(protocols: string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = tls.connect({
      ...clientTls,
      host: '127.0.0.1',
      port: pgfig.port,
      servername: 'localhost',
      ALPNProtocols: protocols,
    });
    socket.on('secureConnect', () =>
      socket.write(
        encodeStartup([
          ['user', 'alice'],
          ['database', 'postgres'],
        ]),
      ),
    );
    socket.on('data', (chunk) => {
      resolve(chunk.toString('latin1', 0, 1));
      socket.destroy();
    });
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(null));
  });
}

t.test('direct TLS needs the name of the protocol', async (t) => {
  t.equal(await direct(['postgresql']), 'R');
  t.equal(await direct([]), null);
});

t.test('SIGHUP takes a new certificate; what stands stays', async (t) => {
  const before = await connect('alice', clientTls);
  const serial = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({
        ...clientTls,
        host: '127.0.0.1',
        port: pgfig.port,
        servername: 'localhost',
        ALPNProtocols: ['postgresql'],
      });
      socket.on('error', reject);
      socket.on('secureConnect', () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
    });
  const old = await serial();
  authority.issue('server', 'localhost');
  process.kill(pgfig.pid, 'SIGHUP');
  await pgfig.until(async () => (await serial()) !== old, 'another certificate');
  t.same((await before.query('SELECT 2 AS two')).rows, [{ two: 2 }]);
});
