import { onEachVersion, touchesText } from './catalog-database.js';

onEachVersion(async (t, database) => {
  const definition = (name: string): string => {
    const { definition } = database.relation(name);
    return definition === null ? 'none' : touchesText(definition);
  };

  await t.test('views and materialized views', async (t) => {
    await database.after(`
      CREATE SCHEMA app; CREATE TABLE app.orders (id int PRIMARY KEY, total int); CREATE TABLE app.items (id int, order_id int);
      CREATE TABLE app.rates (r int); CREATE SEQUENCE app.numbers;
      CREATE FUNCTION app.rate() RETURNS int LANGUAGE sql STABLE AS 'SELECT r FROM app.rates';
      CREATE FUNCTION app.same(int, int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM app.rates WHERE r = $1)';
      CREATE OPERATOR app.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = app.same);
      CREATE VIEW totals AS SELECT id, total * app.rate() AS total FROM app.orders WHERE total > 0;
      CREATE VIEW joined AS SELECT o.id, i.id AS item FROM app.orders o JOIN app.items i ON i.order_id = o.id;
      CREATE VIEW with_items AS SELECT id FROM app.orders o WHERE EXISTS (SELECT FROM app.items i WHERE i.order_id = o.id);
      CREATE VIEW in_from AS SELECT s.id FROM (SELECT id FROM app.orders) s WHERE id IN (SELECT id FROM app.items);
      CREATE VIEW on_view AS SELECT * FROM totals;
      CREATE VIEW locking AS SELECT * FROM app.orders FOR UPDATE;
      CREATE VIEW by_operator AS SELECT id FROM app.items WHERE id OPERATOR(app.===) order_id;
      CREATE VIEW drawing AS SELECT nextval('app.numbers') AS n;
      CREATE VIEW told AS SELECT query_to_xml('SELECT * FROM app.rates', true, true, '') AS x;
      CREATE VIEW system AS SELECT relname FROM pg_class JOIN information_schema.tables ON true;
      CREATE MATERIALIZED VIEW sums AS SELECT sum(total) FROM app.orders;
      CREATE TABLE "odd :name {1}" (":relid" int); CREATE VIEW odd AS SELECT ':x {y' AS ":fromlist", ":relid" FROM "odd :name {1}" WHERE EXISTS (SELECT FROM app.items);`);
    t.equal(definition('totals'), 'reads app.orders, calls app.rate');
    t.match(database.relation('totals').updates, { schema: 'app', name: 'orders' });
    t.equal(definition('joined'), 'reads app.items app.orders');
    t.equal(database.relation('joined').updates, null);
    t.equal(definition('with_items'), 'reads app.items app.orders');
    t.match(database.relation('with_items').updates, { schema: 'app', name: 'orders' });
    t.equal(database.relation('in_from').updates, null);
    t.equal(definition('on_view'), 'reads public.totals');
    t.match(database.relation('on_view').updates, { schema: 'public', name: 'totals' });
    t.equal(definition('locking'), 'reads app.orders, locks app.orders');
    t.equal(definition('by_operator'), 'reads app.items, calls app.same');
    t.equal(definition('drawing'), 'draws app.numbers');
    t.match(definition('told'), /^opaque: a function that runs SQL/);
    t.equal(definition('system'), 'nothing');
    t.equal(database.relation('sums').kind, 'materialized-view');
    t.equal(definition('sums'), 'reads app.orders');
    t.equal(database.relation('sums').updates, null);
    t.match(database.relation('odd').updates, { name: 'odd :name {1}' });
    t.equal(definition('app.orders'), 'none');
  });

  await t.test('what a view reads is renamed, moved and replaced', async (t) => {
    await database.after(
      `ALTER TABLE app.orders RENAME TO bills; ALTER TABLE app.items SET SCHEMA public; ALTER FUNCTION app.rate() RENAME TO course`,
    );
    t.equal(definition('joined'), 'reads app.bills public.items');
    t.equal(definition('totals'), 'reads app.bills, calls app.course');
    await database.after('CREATE OR REPLACE VIEW joined AS SELECT id, 1 AS item FROM app.bills');
    t.equal(definition('joined'), 'reads app.bills');
    t.match(database.relation('joined').updates, { name: 'bills' });
  });

  await t.test('rules', async (t) => {
    await database.after(`
      CREATE TABLE log (id int, n int); CREATE TABLE archive (id int PRIMARY KEY, n int); CREATE VIEW pair AS SELECT 1 AS id;
      CREATE RULE also AS ON INSERT TO log DO ALSO INSERT INTO archive SELECT NEW.id, app.course() FROM items ON CONFLICT (id) DO UPDATE SET n = 1;
      CREATE RULE instead AS ON DELETE TO log DO INSTEAD (UPDATE archive SET n = 0 WHERE id = OLD.id; NOTIFY gone);
      CREATE RULE sometimes AS ON UPDATE TO log WHERE NEW.id > 1 DO INSTEAD DELETE FROM archive WHERE id = OLD.id;
      CREATE RULE nothing AS ON INSERT TO pair DO INSTEAD NOTHING;
      CREATE RULE off AS ON INSERT TO archive DO ALSO DELETE FROM log; ALTER TABLE archive DISABLE RULE off;
      CREATE RULE deep AS ON DELETE TO archive DO ALSO WITH w AS (DELETE FROM log RETURNING id) INSERT INTO items SELECT id FROM w;`);
    t.strictSame(database.hidden('log').toSorted(), [
      'rule also on insert: reads public.items, does insert public.archive update public.archive, calls app.course',
      'rule instead on delete instead: does update public.archive',
      'rule sometimes on update: does delete public.archive',
    ]);
    t.strictSame(database.hidden('pair'), ['rule nothing on insert instead: nothing']);
    t.strictSame(database.hidden('archive'), ['rule deep on delete: does delete public.log insert public.items']);
    await database.after('ALTER TABLE archive RENAME TO attic; DROP RULE also ON log');
    t.strictSame(database.hidden('log').toSorted(), [
      'rule instead on delete instead: does update public.attic',
      'rule sometimes on update: does delete public.attic',
    ]);
  });

  await t.test('triggers', async (t) => {
    await database.after(`
      CREATE TABLE watched (a int, b int, doc tsvector, txt text); CREATE TABLE seen (n int); CREATE VIEW over AS SELECT a FROM watched;
      CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (1); RETURN NEW; END $$;
      CREATE FUNCTION app.wanted(int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM seen)';
      CREATE TRIGGER first AFTER INSERT OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION app.note();
      CREATE TRIGGER of_columns BEFORE UPDATE OF b, a ON watched FOR EACH ROW WHEN (app.wanted(NEW.a)) EXECUTE FUNCTION app.note();
      CREATE TRIGGER cut AFTER TRUNCATE ON watched EXECUTE FUNCTION app.note();
      CREATE TRIGGER instead INSTEAD OF UPDATE ON over FOR EACH ROW EXECUTE FUNCTION app.note();
      CREATE TRIGGER off AFTER INSERT ON watched EXECUTE FUNCTION app.note(); ALTER TABLE watched DISABLE TRIGGER off;
      CREATE TRIGGER built_in BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger('doc', 'pg_catalog.english', 'txt');
      CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON watched DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.note();
      CREATE TABLE split (id int) PARTITION BY LIST (id); CREATE TABLE split_1 PARTITION OF split DEFAULT;
      CREATE TRIGGER cloned AFTER INSERT ON split FOR EACH ROW EXECUTE FUNCTION app.note();
      CREATE SCHEMA pgfig; CREATE FUNCTION pgfig.capture() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO pgfig.outbox VALUES (1); RETURN NULL; END $$;
      CREATE TRIGGER pgfig AFTER INSERT ON seen FOR EACH ROW EXECUTE FUNCTION pgfig.capture();`);
    t.strictSame(database.hidden('watched').toSorted(), [
      'trigger cut on truncate: calls app.note',
      'trigger first on insert delete: calls app.note',
      'trigger late on update: calls app.note',
      'trigger of_columns on update of a b: calls app.note app.wanted',
    ]);
    t.strictSame(database.hidden('over'), ['trigger instead on update instead: calls app.note']);
    t.strictSame(database.hidden('split'), ['trigger cloned on insert: calls app.note']);
    t.strictSame(database.hidden('split_1'), ['trigger cloned on insert: calls app.note']);
    t.strictSame(database.hidden('seen'), [], 'what pgfig itself installs');
    await database.after(
      'ALTER TABLE watched ENABLE TRIGGER off, DISABLE TRIGGER first; ALTER TABLE watched RENAME b TO c',
    );
    const hidden = database.hidden('watched');
    t.ok(hidden.includes('trigger off on insert: calls app.note'));
    t.notOk(hidden.some((work) => work.includes('first')));
    t.ok(hidden.some((work) => work.includes('update of a c:')));
  });

  await t.test('policies', async (t) => {
    await database.after(`
      CREATE TABLE members (who name); CREATE TABLE secret (id int); CREATE TABLE idle (id int);
      CREATE FUNCTION app.may() RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM members)';
      CREATE POLICY reading ON secret FOR SELECT USING (EXISTS (SELECT FROM members WHERE who = current_user));
      CREATE POLICY adding ON secret FOR INSERT WITH CHECK (app.may());
      CREATE POLICY "any" ON secret USING (app.may()); CREATE POLICY plain ON secret FOR DELETE USING (id > 0);
      ALTER TABLE secret ENABLE ROW LEVEL SECURITY; CREATE POLICY off ON idle USING (app.may());`);
    t.strictSame(database.hidden('secret').toSorted(), [
      'policy adding on insert: calls app.may',
      'policy any on read insert update delete: calls app.may',
      'policy reading on read: reads public.members',
    ]);
    t.strictSame(database.hidden('idle'), [], 'row level security is not enabled there');
    await database.after('ALTER TABLE idle ENABLE ROW LEVEL SECURITY');
    t.strictSame(database.hidden('idle'), ['policy off on read insert update delete: calls app.may']);
  });

  await t.test('functions in defaults, generated columns and checks', async (t) => {
    await database.after(
      `
      CREATE FUNCTION app.next_code() RETURNS text LANGUAGE sql AS $$ INSERT INTO seen VALUES (1) RETURNING 'x' $$;
      CREATE FUNCTION app.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1 + max(n) FROM seen';
      CREATE FUNCTION app.listed(int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM seen WHERE n = $1)';
      CREATE EXTENSION "uuid-ossp";
      CREATE TABLE made (id uuid DEFAULT uuid_generate_v4(), code text DEFAULT app.next_code(), n int CONSTRAINT known CHECK (app.listed(n)),
        m int GENERATED ALWAYS AS (app.twice(n)) STORED, at timestamptz DEFAULT now(), s serial);`,
    );
    t.strictSame(database.hidden('made').toSorted(), [
      'check known on insert update: calls app.listed',
      'default of column code on insert update of code: calls app.next_code',
      'generated column m on insert update: calls app.twice',
    ]);
  });
});
