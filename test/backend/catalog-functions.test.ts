import { onEachVersion } from './catalog-database.js';

onEachVersion(async (t, database) => {
  await t.test('functions and procedures in SQL and PL/pgSQL', async (t) => {
    const catalog = await database.after(`
      CREATE SCHEMA app; CREATE TABLE app.orders (id int, total int); CREATE TABLE app.log (id int); CREATE SEQUENCE app.numbers;
      CREATE FUNCTION app.total(int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(total) FROM app.orders WHERE id = $1';
      CREATE FUNCTION app.total(text) RETURNS bigint LANGUAGE sql AS 'DELETE FROM log; SELECT 1' SET search_path = app, "Odd ""one""";
      CREATE FUNCTION app.place(n int, OUT done bool) LANGUAGE plpgsql AS $$
        DECLARE r app.orders%ROWTYPE; BEGIN
          SELECT * INTO r FROM app.orders WHERE id = n FOR UPDATE;
          INSERT INTO log VALUES (nextval('app.numbers')); PERFORM app.total(n); done := true; END $$;
      CREATE PROCEDURE app.clear() LANGUAGE plpgsql AS $$ BEGIN TRUNCATE app.log; PERFORM set_config('search_path', 'app', false); COMMIT; END $$;
      CREATE FUNCTION app.any(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM ' || t; END $$;
      CREATE FUNCTION app.pure(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
      CREATE FUNCTION app.alias(int, int) RETURNS int LANGUAGE internal IMMUTABLE AS 'int4pl';`);
    const [byId, byText] = catalog.functions('db', 'app', 'total') ?? [];
    t.match(byId, { schema: 'app', name: 'total', volatile: false, searchPath: null });
    t.match(byText, { volatile: true, searchPath: ['app', 'Odd "one"'] });
    t.equal(database.body('app.total'), 'reads app.orders');
    t.match(byText?.body.changes, [{ op: 'delete', table: { name: 'log' } }], 'as written');
    t.match(
      database.body('app.place'),
      /^reads app\.orders, locks app\.orders, does insert log, draws app\.numbers, calls app\.total$/,
    );
    t.match(database.body('app.clear'), 'does truncate app.log');
    t.strictSame(database.function('app.clear').body.sets, ['search_path']);
    t.match(database.body('app.any'), /^opaque: dynamic SQL/);
    t.equal(database.body('app.pure'), 'nothing');
    t.equal(database.body('app.alias'), 'nothing');
    t.strictSame(catalog.functions('db', 'app', 'nowhere'), []);
    t.strictSame(catalog.functions('db', 'pg_catalog', 'now'), [], "PostgreSQL's own are left out");
    t.equal(catalog.functions('gone', 'app', 'total'), null);
  });

  await t.test('bodies that Postgres keeps as trees', async (t) => {
    await database.after(`
      CREATE FUNCTION app.kept(n int) RETURNS bigint BEGIN ATOMIC
        UPDATE app.orders SET total = nextval('app.numbers') WHERE id = n;
        WITH gone AS (DELETE FROM app.log RETURNING id) SELECT app.total(count(*)::int) FROM gone; END;
      CREATE FUNCTION app.returned() RETURNS bool STABLE RETURN EXISTS (SELECT FROM app.log);
      CREATE FUNCTION app.setting() RETURNS text RETURN set_config('search_path', 'x', false);
      CREATE FUNCTION app.xml() RETURNS xml RETURN query_to_xml('SELECT 1', true, true, '');`);
    const kept = 'does delete app.log update app.orders, draws app.numbers, calls app.total';
    t.equal(database.body('app.kept'), kept);
    t.equal(database.body('app.returned'), 'reads app.log');
    t.strictSame(database.function('app.setting').body.sets, ['*']);
    t.match(database.body('app.xml'), /^opaque/);
    await database.after('ALTER TABLE app.orders RENAME TO bills');
    t.equal(database.body('app.kept'), kept.replace('orders', 'bills'), 'renamed');
    if (database.version >= 15) {
      await database.after(`
        CREATE FUNCTION app.merged() RETURNS void BEGIN ATOMIC
          MERGE INTO app.bills b USING app.log l ON b.id = l.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1, 1); END`);
      t.equal(database.body('app.merged'), 'reads app.log, does delete app.bills insert app.bills');
    }
  });

  await t.test('aggregates, extensions and other languages', async (t) => {
    const catalog = await database.after(`
      CREATE FUNCTION app.step(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + (SELECT max(id) FROM app.log)';
      CREATE AGGREGATE app.collect(int) (SFUNC = app.step, STYPE = int, INITCOND = '0');
      CREATE AGGREGATE app.plain(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
      CREATE EXTENSION dblink; CREATE EXTENSION tablefunc; CREATE EXTENSION hstore; CREATE EXTENSION refint SCHEMA app; CREATE EXTENSION earthdistance CASCADE;
      CREATE FUNCTION app.own(text) RETURNS text LANGUAGE c AS '$libdir/hstore', 'hstore_out';
      CREATE LANGUAGE other HANDLER plpgsql_call_handler;
      CREATE FUNCTION app.strange() RETURNS void LANGUAGE other AS 'anything';`);
    t.equal(database.body('app.collect'), 'calls app.step');
    t.equal(database.body('app.plain'), 'nothing');
    t.equal(database.body('dblink'), 'opaque: extension dblink');
    t.equal(database.body('dblink_exec'), 'opaque: extension dblink');
    t.equal(database.body('crosstab'), 'opaque: extension tablefunc');
    t.equal(database.body('normal_rand'), 'nothing');
    t.equal(database.body('hstore_out'), 'nothing');
    t.equal(database.body('app.check_primary_key'), 'opaque: extension refint');
    t.match(database.body('sec_to_gc'), /^nothing|^calls/, "an extension's functions in SQL are read like any other");
    t.equal(database.body('app.own'), 'opaque: language c');
    t.equal(database.body('app.strange'), 'opaque: language other');
    t.ok([...catalog.allFunctions('db')].some(({ name }) => name === 'collect'));
  });

  await t.test('a changed body is read again, others are not', async (t) => {
    const before = database.catalog;
    await database.after(
      "CREATE OR REPLACE FUNCTION app.pure(int) RETURNS int LANGUAGE sql AS 'SELECT id FROM app.log'",
    );
    t.equal(database.body('app.pure'), 'reads app.log');
    t.equal(database.catalog.part('db')?.sections.relations, before.part('db')?.sections.relations, 'the same object');
    const again = database.catalog;
    t.equal((await database.after('')).part('db'), again.part('db'));
    await database.after('DROP FUNCTION app.pure(int)');
    t.strictSame(database.catalog.functions('db', 'app', 'pure'), []);
  });
});
