import pg from 'pg';
import t from 'tap';
import { Catalog, CatalogReader, mergeCatalog, mergeWireTexts } from '../../src/backend/catalog.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { CatalogDatabase, configFor } from './catalog-database.js';

let server: TestPostgres;
let database: CatalogDatabase;
t.before(async () => {
  server = await startPostgres();
  await server.query('CREATE DATABASE shop');
  database = new CatalogDatabase(server, 18, configFor(t, server));
  await database.after(`
    CREATE TABLE orders (id int PRIMARY KEY, n int); CREATE TABLE items (id int, o int REFERENCES orders ON DELETE CASCADE);
    CREATE VIEW open AS SELECT id FROM orders o WHERE EXISTS (SELECT FROM items WHERE o = o.id);
    CREATE TABLE log (id int); CREATE RULE r AS ON INSERT TO log DO ALSO UPDATE orders SET n = 1;
    CREATE FUNCTION place() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO items VALUES (1); RETURN NEW; END $$;
    CREATE FUNCTION whole() RETURNS int BEGIN ATOMIC DELETE FROM items; SELECT 1; END;
    CREATE FUNCTION defaulted(a int DEFAULT 1 + 1) RETURNS orders LANGUAGE plpgsql AS $$ DECLARE o orders; BEGIN RETURN o; END $$;
    CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.n > 1) EXECUTE FUNCTION place();
    ALTER TABLE orders ADD COLUMN g int GENERATED ALWAYS AS (n + 1) STORED, ADD CHECK (n > 0);
    CREATE POLICY p ON orders USING (n IN (SELECT id FROM log)); ALTER TABLE orders ENABLE ROW LEVEL SECURITY;`);
});

t.test('a reading does not wait for locks of tables', async (t) => {
  const holder = new pg.Client(server.url('shop'));
  await holder.connect();
  t.teardown(() => holder.end());
  await holder.query(
    'BEGIN; LOCK TABLE orders, items, log, open IN ACCESS EXCLUSIVE MODE; ALTER TABLE items ADD COLUMN more int',
  );
  // A reader that has nothing yet reads every definition.
  const began = performance.now();
  const part = (await new CatalogReader(configFor(t, server)).read()).get('db');
  if (part === undefined || part instanceof Error) throw part ?? new Error('no part');
  t.ok(performance.now() - began < 4_000, 'no timeout was waited for');
  const fresh = new Catalog(1, new Map([['db', part]]));
  t.strictSame(fresh.relation('db', 'public', 'open'), database.relation('open'));
  t.strictSame(fresh.relation('db', 'public', 'orders'), database.relation('orders'));
  t.strictSame(fresh.relation('db', 'public', 'log'), database.relation('log'));
  t.strictSame(fresh.functions('db', 'public', 'whole')?.[0]?.body, database.function('whole').body);
  const locks = await server.query('SELECT FROM pg_locks WHERE NOT granted', 'shop');
  t.equal(locks.rowCount, 0);
});

t.test('what cannot be read stays as it was', async (t) => {
  const reader = new CatalogReader(configFor(t, server));
  const first = mergeCatalog(null, await reader.read());
  const holder = new pg.Client(server.url('shop'));
  await holder.connect();
  // As VACUUM FULL of a system catalog does.
  await holder.query('BEGIN; LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE');
  const read = await reader.read();
  t.match(read.get('db'), { message: /lock timeout/ });
  t.equal(mergeCatalog(first, read), first);
  await holder.end();
  t.equal(mergeCatalog(first, await reader.read()), first);
});

t.test('a quick reading believes the counts of changes, and they tell of a change in the end', async (t) => {
  const reader = new CatalogReader(configFor(t, server));
  let catalog = mergeCatalog(null, await reader.read());
  await server.query('CREATE TABLE later (id int)', 'shop');
  // The server counts a change within seconds after it.
  while (catalog.hasRelation('db', 'public', 'later') !== true) {
    const before = catalog;
    catalog = mergeCatalog(catalog, await reader.read(false));
    if (catalog === before) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.equal(mergeCatalog(catalog, await reader.read(false)), catalog);
  await server.query('ALTER ROLE postgres SET search_path = app', 'shop');
  catalog = mergeCatalog(catalog, await reader.read(false));
  t.strictSame(catalog.initialSearchPath('db', 'postgres'), ['app'], 'settings are always read');
  await server.query('ALTER ROLE postgres RESET search_path', 'shop');
});

t.test('a change of one thing is sent alone, and the rest stays what it was', async (t) => {
  const reader = new CatalogReader(configFor(t, server));
  const first = mergeCatalog(null, await reader.read());
  const whole = first.toText();
  const worker = Catalog.fromText(whole);
  t.strictSame(worker.relation('db', 'public', 'open'), first.relation('db', 'public', 'open'));
  const functionBefore = worker.part('db')?.sections.bodies;

  await server.query('CREATE TABLE "odd\nname\t\u2028" (id int); CREATE VIEW v AS SELECT * FROM orders', 'shop');
  const second = mergeCatalog(first, await reader.read());
  const change = second.toText(first);
  t.ok(change.length < whole.length);
  t.notOk(change.includes('defaulted'), 'functions are as before');
  const after = Catalog.fromText(change, worker);
  t.equal(after.version, second.version);
  t.equal(after.hasRelation('db', 'public', 'odd\nname\t\u2028'), true);
  t.match(after.relation('db', 'public', 'v')?.definition?.reads, [{ schema: 'public', name: 'orders' }]);
  t.equal(after.part('db')?.sections.bodies, functionBefore);
  t.throws(() => Catalog.fromText(change), /not known here/);

  const merged = mergeWireTexts(whole, change);
  const late = Catalog.fromText(merged);
  t.strictSame([...late.relations('db')], [...second.relations('db')], 'a worker that comes later');
  t.strictSame([...late.allFunctions('db')], [...second.allFunctions('db')]);
  t.strictSame(late.foreignKeys('db'), second.foreignKeys('db'));
  t.equal(mergeWireTexts(null, whole), whole);
  t.equal(Catalog.fromText(second.toText(second), after).part('db'), after.part('db'), 'the same part');
});

t.test(
  'a function that spoils the parser, or is no SQL, is opaque and keeps nobody else from being read',
  async (t) => {
    await server.query(
      'SET check_function_bodies = off; ' +
        `CREATE FUNCTION broken() RETURNS int LANGUAGE sql AS 'SELEC 1';
     CREATE FUNCTION deep() RETURNS int LANGUAGE sql AS 'SELECT ${'1+'.repeat(12_000)}1 FROM orders'; RESET check_function_bodies`,
      'shop',
    );
    await database.after('');
    t.match(database.body('broken'), /^opaque: does not parse/);
    t.match(database.body('deep'), /opaque/);
    t.equal(database.body('place'), 'does insert items');
  },
);
