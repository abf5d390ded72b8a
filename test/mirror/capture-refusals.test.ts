import t from 'tap';
import { problemsOf } from '../../src/mirror/capture/checks/refuse.js';
import { removeMirror } from '../../src/mirror/capture/remove.js';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { pgfig } from '../operator/cli-run.js';
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.js';
import { makePair, type Pair } from './capture-support.js';

const source = await startPostgres({ version: 15 });
const target = await startPostgres({ version: 18 });

async function problems({ config, mirror }: Pair): Promise<readonly string[]> {
  const from = await openMirrorClient(config, mirror.source, 'test');
  const to = await openMirrorClient(config, mirror.target, 'test');
  try {
    return await problemsOf(from, to, mirror);
  } finally {
    await from.end();
    await to.end();
  }
}

t.test('tables that cannot be mirrored are refused by name, all at once, and nothing is changed', async (t) => {
  const schema = `
    CREATE TABLE good (id int PRIMARY KEY);
    CREATE TABLE keyless (id int);
    CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);
    CREATE TABLE partial (id int NOT NULL); CREATE UNIQUE INDEX ON partial (id) WHERE id > 0;
    CREATE TABLE nullable (id int UNIQUE);
    CREATE VIEW seen AS SELECT 1 AS id;
    CREATE UNLOGGED TABLE volatile (id int PRIMARY KEY);
    CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
    CREATE EXTENSION IF NOT EXISTS file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE abroad (id int) SERVER files OPTIONS (filename '/dev/null');
    CREATE TABLE fits (id int PRIMARY KEY, a text, b numeric(10,2));`;
  const names = [
    'good',
    'keyless',
    'deferred',
    'partial',
    'nullable',
    'seen',
    'volatile',
    'parent',
    'abroad',
    'fits',
    'gone',
  ];
  const pair = await makePair(
    source,
    target,
    schema,
    names.map((name) => `public.${name}`),
  );
  await target.query(
    'ALTER TABLE fits DROP COLUMN a, ALTER b TYPE numeric(12,2), ADD c int NOT NULL, DROP CONSTRAINT fits_pkey; DROP TABLE good',
    pair.to,
  );
  const text = await pair.install().then(
    () => '',
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  );
  t.match(text, /^MIRROR_REFUSED domain orders cannot be mirrored, and nothing was changed:/);
  for (const wanted of [
    /keyless in monolith: no key .*neither a primary key nor a unique one/,
    /deferred in monolith: no key .*is deferrable/,
    /partial in monolith: no key .*is partial/,
    /nullable in monolith: no key .*may hold NULL in id/,
    /seen in monolith: is a view/,
    /volatile in monolith: is unlogged/,
    /volatile in orders_db: is unlogged/,
    /parent in monolith: public\.child inherit from it/,
    /abroad in monolith: is a foreign table/,
    /good in orders_db: there is none/,
    /gone in monolith: there is none/,
    /fits in orders_db: it has no usable key/,
    /fits in orders_db: it lacks column a \(text\)/,
    /fits in orders_db: column b is numeric\(12,2\), and numeric\(10,2\) in the source/,
    /fits in orders_db: column c is not in the source, and must not be NULL/,
  ]) {
    t.match(text, wanted);
  }
  for (const [server, dbname] of [
    [source, pair.from],
    [target, pair.to],
  ] as const) {
    t.equal((await server.query(`SELECT FROM pg_namespace WHERE nspname = 'pgfig'`, dbname)).rowCount, 0);
  }
});

t.test('partitions count as their table does', async (t) => {
  const schema = `CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE UNLOGGED TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);`;
  t.match(await problems(await makePair(source, source, schema, ['public.parts'])), [
    /in monolith: its partition public\.parts_1 is unlogged/,
    /in orders_db: its partition/,
  ]);
});

t.test('a table of another domain', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE orders (id int PRIMARY KEY)', ['public.orders']);
  await pair.install();
  await t.rejects(pair.install({ mirror: { domain: 'billing' } }), {
    code: 'MIRROR_REFUSED',
    message: /public\.orders in monolith: it is captured for domain orders/,
  });
});

t.test('the same database; another source than the registered one; a clone with capture in it', async (t) => {
  const pair = await makePair(source, source, 'CREATE TABLE orders (id int PRIMARY KEY)', ['public.orders']);
  await t.rejects(pair.install({ mirror: { target: 'monolith' } }), {
    code: 'MIRROR_REFUSED',
    message: /is the same database as monolith/,
  });
  await pair.install();
  await source.query('UPDATE pgfig.relay SET source_timeline = 7', pair.to);
  await t.rejects(pair.install(), {
    code: 'MIRROR_REFUSED',
    message:
      /kept in step with another source \(.*timeline 7\) than this \(.*timeline 1\).*backfill orders --overwrite/,
  });
  await removeMirror(pair.config, pair.mirror);
  await pair.install();
  const clone = await makePair(source, source, '', ['public.orders']);
  await source.query(`DROP DATABASE ${clone.to} WITH (FORCE)`);
  await pair.source.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${pair.from}'`);
  await source.query(`CREATE DATABASE ${clone.to} TEMPLATE ${pair.from}`);
  await source.query('CREATE TABLE orders (id int PRIMARY KEY)', clone.from);
  await t.rejects(clone.install(), {
    code: 'MIRROR_REFUSED',
    message: /was cloned from monolith with pgfig's capture in it/,
  });
});

t.test('a server that is not to be written', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE orders (id int PRIMARY KEY)', ['public.orders']);
  await target.query(`ALTER DATABASE ${pair.to} SET default_transaction_read_only = on`);
  t.match(await problems(pair), [/database orders_db: default_transaction_read_only is on/]);
});

t.test("triggers that would fire on the relay's rows", async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE orders (id int PRIMARY KEY)', ['public.orders']);
  await target.query(
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER audit BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f();`,
    pair.to,
  );
  t.same(await problems(pair), [], 'replica role keeps it quiet');
  await target.query('ALTER TABLE orders ENABLE ALWAYS TRIGGER audit', pair.to);
  t.match(await problems(pair), [
    /its trigger audit would fire on the relay's rows\. Run: ALTER TABLE public\.orders ENABLE TRIGGER "audit"/,
  ]);
});

for (const version of [15, 18] as const) {
  t.test(
    `PostgreSQL ${version}: owners without superuser, from nothing to installed by the SQL that is told`,
    async (t) => {
      if (!hasPostgres(version)) return;
      const server = await startPostgres({ version });
      await server.query('CREATE ROLE owner; CREATE ROLE app LOGIN; REVOKE TEMP ON DATABASE template1 FROM PUBLIC');
      const schema = `CREATE SCHEMA shop AUTHORIZATION owner;
      CREATE TABLE shop.users (id int PRIMARY KEY); ALTER TABLE shop.users OWNER TO owner; GRANT REFERENCES ON shop.users TO owner;
      CREATE TABLE shop.orders (id int PRIMARY KEY, user_id int REFERENCES shop.users);
      ALTER TABLE shop.orders OWNER TO owner; ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;`;
      const pair = await makePair(server, server, schema, ['shop.orders'], { source: 'app', target: 'app' });
      await server.query(`REVOKE TEMP ON DATABASE ${pair.to} FROM PUBLIC`);
      const found = await problems(pair);
      t.match(found.join('\n'), /database monolith: user app cannot create in schema pgfig/);
      t.match(found.join('\n'), /shop\.orders in monolith: user app is not its owner/);
      t.match(found.join('\n'), /there is no role pgfig_relay/);
      t.match(found.join('\n'), /foreign key orders_user_id_fkey of shop\.orders would act on the relay's rows/);
      await runAll(server, pair, found, 5);
      t.same(await problems(pair), []);
      t.match(await pair.install(), { changed: ['shop.orders'], replica: true });
      const writer = await pair.connect('source');
      await writer.query('INSERT INTO shop.users VALUES (1); INSERT INTO shop.orders VALUES (1, 1)');
      t.same((await server.query('SELECT op::text, key FROM pgfig.outbox', pair.from)).rows, [{ op: 'I', key: '1' }]);
      await t.rejects(server.query('INSERT INTO shop.orders VALUES (1)', pair.to), { code: 'PF002' });
      t.match(await pair.install(), { changed: [] });
      t.match(await removeMirror(pair.config, pair.mirror), {
        released: ['shop.orders'],
        left: /DROP ROLE pgfig_relay/,
      });
    },
  );
}

/** Runs the SQL of the problems as the DBA would, and that of what comes after, until there is none. */
async function runAll(server: TestPostgres, pair: Pair, found: readonly string[], rounds: number): Promise<void> {
  for (const problem of found) {
    const sql = /A DBA runs: (.*)$/.exec(problem)?.[1];
    if (sql === undefined) throw new Error(`nothing to run: ${problem}`);
    await server.query(sql, /monolith/.test(problem) ? pair.from : pair.to);
  }
  const left = await problems(pair);
  if (left.length > 0 && rounds > 0) await runAll(server, pair, left, rounds - 1);
}

t.test('the command', async (t) => {
  const pair = await makePair(
    source,
    target,
    'CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE keyless (id int)',
    [],
  );
  const { writeConfig } = await import('../support/pgfig.js');
  const configOf = (tables: readonly string[], phase = 'dual-write', mirror: object = {}) =>
    writeConfig(
      {
        databases: { monolith: source.url(pair.from), orders_db: target.url(pair.to) },
        rules: { orders: { database: 'orders_db', tables, phase, mirror } },
      },
      { listen: 1, admin: 2 },
    );
  const good = await configOf(['public.orders']);
  t.match(await pgfig(['mirror', 'status', 'orders', '-c', good]), { code: 1, stdout: /not wholly installed/ });
  t.match(await pgfig(['mirror', 'install', 'orders', '-c', good]), {
    code: 0,
    stdout: /captured in monolith, guarded in orders_db: 1 tables/,
    stderr: /captured {3}public\.orders/,
  });
  t.match(await pgfig(['mirror', 'install', 'orders', '-c', good, '--json']), {
    code: 0,
    stdout: /^{"mirror":1,"changed":\[\],"replica":true,"warnings":\[".*postgres is a superuser/,
    stderr: /warning {4}database monolith: pgfig's user postgres is a superuser/,
  });
  t.match(await pgfig(['mirror', 'status', 'orders', '-c', good]), {
    code: 0,
    stdout: /public\.orders +yes +yes +new/,
  });
  t.match(await pgfig(['mirror', 'remove', 'orders', '-c', good]), {
    code: 0,
    stdout: /1 tables released/,
    stderr: /the rule still asks for this mirror: a running pgfig installs it again/,
  });
  t.match(await pgfig(['mirror', 'install', 'orders', '-c', await configOf(['public.keyless'])]), {
    code: 1,
    stderr: /public\.keyless in monolith: no key/,
  });
  t.match(await pgfig(['mirror', 'install', 'orders', '-c', await configOf(['public.orders'], 'monolith')]), {
    code: 1,
    stderr: /in phase monolith, in which nothing is mirrored/,
  });
  const byStatement = await configOf(['public.orders'], 'dual-write', { capture: 'statement' });
  for (const command of [['mirror', 'install'], ['mirror', 'status'], ['backfill'], ['verify'], ['relay', 'status']]) {
    t.match(await pgfig([...command, 'orders', '-c', byStatement]), {
      code: 1,
      stderr: /says capture: statement: no relay keeps its copy/,
    });
  }
  t.match((await source.query(`SELECT to_regclass('pgfig.captured') AS made`, pair.from)).rows, [{ made: null }]);
  t.match(await pgfig(['mirror', 'install', 'nix', '-c', good]), {
    code: 2,
    stderr: /no rule is for a domain "nix"\nhint: There are: orders/,
  });
  t.match(await pgfig(['mirror', 'install', 'orders', '-c', good, '--patience', 'long']), {
    code: 2,
    stderr: /Give a number/,
  });
});
