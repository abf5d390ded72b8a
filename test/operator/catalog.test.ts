import t, { type Test } from 'tap';
import { Catalog, identifierList, mergeCatalog, readCatalog, readCatalogParts } from '../../src/backend/catalog.js';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import { openAuthQuery } from '../../src/operator/auth-query.js';
import { CatalogRefresher } from '../../src/operator/catalog-refresher.js';
import { DatabaseProbe } from '../../src/operator/database-probe.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

let server: TestPostgres;
t.before(async () => {
  server = await startPostgres();
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE DATABASE orders');
});

const config = (t: Test, more = '', monolith = server.url('shop')): Config => {
  const folder = t.testdir({
    'pgfig.yaml': `
databases:
  monolith: { url: "${monolith}" }
  orders_db: { url: "${server.url('orders')}" }
  gone: { url: "postgres://ann@127.0.0.1:1/gone" }
${more}`,
  });
  return loadConfig(`${folder}/pgfig.yaml`);
};

t.test('relations, role settings and types are read from every database that answers', async (t) => {
  await server.query(
    `CREATE SCHEMA app; CREATE TABLE app.users (id serial PRIMARY KEY); CREATE VIEW "V x" AS SELECT 1;
     CREATE TYPE app.colour AS ENUM ('red'); CREATE TYPE app.pair AS (a int, b int);
     CREATE ROLE bob; CREATE ROLE eve;
     ALTER ROLE bob SET search_path = app, "Odd, ""one"""; ALTER ROLE bob IN DATABASE orders SET search_path = here;
     ALTER DATABASE shop SET search_path = "$user", app, public;`,
    'shop',
  );
  await server.query('CREATE TABLE public.orders (id int)', 'orders');
  const catalog = await readCatalog(config(t));
  t.strictSame(catalog.databases, ['monolith', 'orders_db']);
  t.equal(catalog.hasRelation('monolith', 'app', 'users'), true);
  t.equal(catalog.hasRelation('monolith', 'public', 'users'), false);
  t.equal(catalog.hasRelation('monolith', 'public', 'orders'), false);
  t.equal(catalog.hasRelation('orders_db', 'public', 'orders'), true);
  t.equal(catalog.hasRelation('orders_db', 'pg_catalog', 'pg_class'), true);
  t.equal(catalog.hasRelation('gone', 'public', 'orders'), null, 'not known');
  t.equal(catalog.hasRelation('monolith', 'pg_temp', 'x'), null, 'not known');
  t.equal(catalog.relationKind('monolith', 'public', 'V x'), 'v');
  t.equal(catalog.relationKind('monolith', 'app', 'users_id_seq'), 'S');
  t.strictSame(catalog.initialSearchPath('monolith', 'bob'), ['app', 'Odd, "one"'], 'the role before the database');
  t.strictSame(catalog.initialSearchPath('monolith', 'eve'), ['$user', 'app', 'public'], 'the database');
  t.strictSame(catalog.initialSearchPath('orders_db', 'bob'), ['here'], 'the role in this database');
  t.equal(catalog.initialSearchPath('orders_db', 'eve'), null, 'the built-in one');
  t.equal(catalog.initialSearchPath('gone', 'bob'), null);
  t.match(
    catalog.types('monolith').find(([, , name]) => name === 'colour'),
    [Number, 'app', 'colour', 'e'],
  );

  const copy = Catalog.fromText(catalog.toText());
  t.equal(copy.version, catalog.version);
  t.equal(copy.hasRelation('monolith', 'app', 'users'), true);
  t.strictSame(copy.initialSearchPath('monolith', 'bob'), ['app', 'Odd, "one"']);
});

t.test("the server's configured search_path is the default of roles without a setting", async (t) => {
  await server.query('ALTER SYSTEM SET search_path = company, public');
  await server.query('SELECT pg_reload_conf()');
  const look = async () => (await readCatalog(config(t))).initialSearchPath('orders_db', 'eve');
  while ((await look()) === null) await new Promise((resolve) => setTimeout(resolve, 10));
  t.strictSame(await look(), ['company', 'public']);
  await server.query('ALTER SYSTEM RESET search_path');
  await server.query('SELECT pg_reload_conf()');
});

t.test('what is planted in public does not answer for pg_catalog', async (t) => {
  await server.query(
    `CREATE FUNCTION public.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'search_path=planted' $$;
     ALTER DATABASE orders SET search_path = public, pg_catalog; CREATE TABLE public.pg_class (relname name);`,
    'orders',
  );
  const catalog = await readCatalog(config(t));
  t.strictSame(catalog.initialSearchPath('orders_db', 'eve'), ['public', 'pg_catalog']);
  t.equal(catalog.hasRelation('orders_db', 'public', 'orders'), true);
  await server.query('ALTER DATABASE orders RESET search_path; DROP TABLE public.pg_class', 'orders');
});

t.test('an unreachable database keeps what was known; nothing new is the same catalog', async (t) => {
  const read = await readCatalogParts(config(t));
  t.type(read.get('gone'), Error);
  const first = mergeCatalog(null, read);
  t.equal(mergeCatalog(first, await readCatalogParts(config(t))), first);
  const down = new Map(read).set('monolith', new Error('down'));
  t.equal(mergeCatalog(first, down), first);
  await server.query('CREATE TABLE public.later (id int)', 'orders');
  const parts = new Map(await readCatalogParts(config(t))).set('monolith', new Error('down'));
  const second = mergeCatalog(first, parts);
  t.ok(second.version > first.version);
  t.equal(second.hasRelation('orders_db', 'public', 'later'), true);
  t.equal(second.hasRelation('monolith', 'app', 'users'), true, 'kept');
});

t.test('a small catalog is read quickly', async (t) => {
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const before = performance.now();
    await readCatalog(config(t));
    times.push(performance.now() - before);
  }
  t.comment(times.map((time) => time.toFixed(1)).join(' '));
  // 15 to 30 ms on a quiet machine, most of it the servers' forks; the rest is for a busy one.
  t.ok(Math.min(...times) < 1_000, `${Math.min(...times)} ms`);
});

t.test('DDL brings a reading soon', async (t) => {
  const seen: Catalog[] = [];
  const errors: string[] = [];
  const changed = (): Promise<Catalog> => new Promise((resolve) => waiting.push(resolve));
  const waiting: ((catalog: Catalog) => void)[] = [];
  const first = changed();
  const refresher = new CatalogRefresher(
    config(t),
    (catalog) => {
      seen.push(catalog);
      waiting.shift()?.(catalog);
    },
    (database) => errors.push(database),
  );
  t.teardown(() => refresher.close());
  t.equal((await first).hasRelation('monolith', 'public', 'after_ddl'), false);
  t.strictSame(errors, ['gone'], 'said once');
  const second = changed();
  await server.query('CREATE TABLE public.after_ddl (id int)', 'shop');
  refresher.ddlSeen();
  t.equal((await second).hasRelation('monolith', 'public', 'after_ddl'), true);
  t.match(refresher.sights.get('gone'), { error: /ECONNREFUSED/ });
  t.strictSame(errors, ['gone'], 'not again');
});

t.test('a database that comes back is read soon', async (t) => {
  const late = await startPostgres();
  await late.stop();
  const folder = t.testdir({ 'pgfig.yaml': `databases: { late: { url: "${late.url()}" } }` });
  const catalogs: Catalog[] = [];
  let seen: () => void = () => undefined;
  let failed: () => void = () => undefined;
  const failure = new Promise<void>((resolve) => {
    failed = resolve;
  });
  const refresher = new CatalogRefresher(
    loadConfig(`${folder}/pgfig.yaml`),
    (catalog) => {
      catalogs.push(catalog);
      if (catalog.databases.length > 0) seen();
    },
    () => failed(),
  );
  t.teardown(() => refresher.close());
  await failure;
  const back = new Promise<void>((resolve) => {
    seen = resolve;
  });
  await late.restart();
  const began = Date.now();
  await back;
  t.equal(catalogs.at(-1)?.hasSchema('late', 'public'), true);
  t.ok(Date.now() - began < 15_000, 'long before the timer, which is 30 s');
});

t.test('auth_query gives verifier and end of validity, from the schema that was meant', async (t) => {
  await server.query(
    `CREATE ROLE ann LOGIN PASSWORD 'x' VALID UNTIL '2031-02-03 00:00:00Z'; CREATE ROLE ever LOGIN PASSWORD 'y';
     CREATE ROLE nopass LOGIN; CREATE ROLE old LOGIN PASSWORD 'z' VALID UNTIL '-infinity';
     CREATE VIEW public.pg_authid AS SELECT 'ann'::name AS rolname, 'planted' AS rolpassword, null::timestamptz AS rolvaliduntil;
     ALTER DATABASE shop SET search_path = public, pg_catalog;`,
    'shop',
  );
  t.teardown(() => server.query('DROP VIEW public.pg_authid', 'shop'));
  const query =
    'auth: { method: scram-sha-256, query: "SELECT rolname, rolpassword, rolvaliduntil FROM pg_authid WHERE rolname = $1" }';
  const auth = openAuthQuery(config(t, query));
  t.teardown(() => auth?.end());
  t.match(await auth?.lookUp('ann'), { verifier: /^SCRAM-SHA-256\$/, validUntil: new Date('2031-02-03T00:00:00Z') });
  t.match(await auth?.lookUp('ever'), { verifier: /^SCRAM-SHA-256\$/, validUntil: null });
  t.match(await auth?.lookUp('old'), { validUntil: new Date(0) });
  t.match(await auth?.lookUp('nopass'), { verifier: null });
  t.equal(await auth?.lookUp('nobody'), null);
  t.equal(await auth?.lookUp("' OR true --"), null);
  await server.query('ALTER ROLE ann PASSWORD NULL');
  t.match(await auth?.lookUp('ann'), { verifier: /^SCRAM/ }, 'remembered for a moment');
  t.equal(openAuthQuery(config(t)), null, 'none configured');
  const broken = openAuthQuery(config(t, query, 'postgres://ann@127.0.0.1:1/shop'));
  t.teardown(() => broken?.end());
  await t.rejects(async () => broken?.lookUp('ann'), { code: 'BACKEND_UNREACHABLE' });
});

t.test('the probe sees who answers', async (t) => {
  t.strictSame(
    [...(await new DatabaseProbe(config(t)).reachable())],
    [
      ['monolith', true],
      ['orders_db', true],
      ['gone', false],
    ],
  );
});

t.test('lists of identifiers are split as Postgres does', async (t) => {
  t.strictSame(identifierList('"$user", public'), ['$user', 'public']);
  t.strictSame(identifierList('App,"A""b, c" , x'), ['app', 'A"b, c', 'x']);
  t.strictSame(identifierList('""'), ['']);
  t.strictSame(identifierList(''), []);
});
