import { onEachVersion } from './catalog-database.js';

onEachVersion(async (t, database) => {
  const { server } = database;

  await t.test('tables, indexes, sequences, partitions and children', async (t) => {
    const catalog = await database.after(`
      CREATE SCHEMA app; CREATE SCHEMA empty;
      CREATE TABLE app.orders (id serial PRIMARY KEY, ref int GENERATED ALWAYS AS IDENTITY, note text);
      CREATE INDEX note_idx ON app.orders (note);
      CREATE SEQUENCE drawn; CREATE TABLE hand_made (id int DEFAULT nextval('drawn'));
      CREATE SEQUENCE shared; CREATE TABLE one (id int DEFAULT nextval('shared')); CREATE TABLE two (id int DEFAULT nextval('shared'));
      CREATE SEQUENCE alone;
      CREATE TABLE events (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
      CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') PARTITION BY LIST (id);
      CREATE TABLE events_1_a PARTITION OF events_1 DEFAULT;
      CREATE TABLE base (a int); CREATE TABLE other_base (b int); CREATE TABLE child () INHERITS (base, other_base);
      CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER far FOREIGN DATA WRAPPER nothing;
      CREATE FOREIGN TABLE away (id int) SERVER far;
      CREATE TEMP TABLE mine (id int);`);
    t.equal(catalog.hasSchema('db', 'empty'), true, 'a schema without relations');
    t.equal(catalog.hasSchema('db', 'nowhere'), false);
    t.equal(catalog.hasSchema('gone', 'empty'), null);
    t.match(database.relation('app.orders'), {
      kind: 'table',
      owner: null,
      parents: [],
      children: [],
      definition: null,
    });
    const owner = { schema: 'app', name: 'orders' };
    t.match(database.relation('app.orders_pkey'), { kind: 'index', owner });
    t.match(database.relation('app.note_idx'), { kind: 'index', owner });
    t.match(database.relation('app.orders_id_seq'), { kind: 'sequence', owner }, 'serial');
    t.match(database.relation('app.orders_ref_seq'), { kind: 'sequence', owner }, 'identity');
    t.match(database.relation('drawn').owner, { schema: 'public', name: 'hand_made' }, 'only that table draws from it');
    t.equal(database.relation('shared').owner, null);
    t.equal(database.relation('alone').owner, null);
    t.match(database.relation('events'), { kind: 'partitioned', children: [{ schema: 'public', name: 'events_1' }] });
    t.match(database.relation('events_1'), {
      kind: 'partitioned',
      parents: [{ schema: 'public', name: 'events' }],
      children: [{ name: 'events_1_a' }],
    });
    t.match(database.relation('events_1_a'), { kind: 'table', parents: [{ name: 'events_1' }], children: [] });
    t.match(database.relation('events_pkey'), { kind: 'index', owner: { name: 'events' }, parents: [] });
    t.strictSame(
      database.relation('child').parents.map(({ name }) => name),
      ['base', 'other_base'],
    );
    t.match(database.relation('base').children, [{ name: 'child' }]);
    t.match(database.relation('away'), { kind: 'foreign-table' });
    t.equal(catalog.relation('db', 'public', 'mine'), null);
    t.equal(catalog.relation('gone', 'public', 'events'), null);
    const told = [...catalog.relations('db')].map(([{ name }]) => name);
    t.ok(['events', 'events_1', 'child', 'drawn'].every((name) => told.includes(name)));
    t.notOk(told.includes('one') || told.includes('events_pkey'), 'nothing more to say of it');
  });

  await t.test('an owner given to a sequence, and a partition detached', async (t) => {
    await database.after(`ALTER SEQUENCE alone OWNED BY one.id; ALTER TABLE events DETACH PARTITION events_1`);
    t.match(database.relation('alone').owner, { name: 'one' });
    t.strictSame(database.relation('events').children, []);
    t.strictSame(database.relation('events_1').parents, []);
  });

  await t.test('foreign keys', async (t) => {
    const catalog = await database.after(`
      CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE);
      CREATE TABLE kept (p int REFERENCES parent);
      CREATE TABLE gone (p int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE loose (a text, b int, CONSTRAINT loose_fk FOREIGN KEY (a) REFERENCES parent (code) ON DELETE SET NULL ON UPDATE SET DEFAULT);
      CREATE TABLE wide (x int, y int, PRIMARY KEY (x, y));
      CREATE TABLE narrow (x int, y int, FOREIGN KEY (x, y) REFERENCES wide ON DELETE SET NULL (y));
      CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE RESTRICT);
      CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE whole_1 PARTITION OF whole FOR VALUES IN (1);
      CREATE TABLE points (w int REFERENCES whole ON DELETE CASCADE) PARTITION BY LIST (w);
      CREATE TABLE points_1 PARTITION OF points FOR VALUES IN (1);`);
    t.strictSame(database.hidden('parent').toSorted(), [
      'foreign key gone_p_fkey (ON DELETE CASCADE) on delete: does delete public.gone',
      'foreign key gone_p_fkey (ON UPDATE CASCADE) on update of id: does update public.gone(p)',
      'foreign key gone_p_fkey on truncate: does truncate public.gone cascade',
      'foreign key kept_p_fkey on truncate: does truncate public.kept cascade',
      'foreign key loose_fk (ON DELETE SET NULL) on delete: does update public.loose(a)',
      'foreign key loose_fk (ON UPDATE SET DEFAULT) on update of code: does update public.loose(a)',
      'foreign key loose_fk on truncate: does truncate public.loose cascade',
    ]);
    t.strictSame(database.hidden('gone'), []);
    t.match(database.hidden('wide'), [/\(ON DELETE SET NULL\) on delete: does update public.narrow\(y\)/, /truncate/]);
    t.match(database.hidden('tree'), ['foreign key tree_up_fkey on truncate: does truncate public.tree cascade']);
    t.match(database.hidden('whole'), [/on delete: does delete public.points$/, /truncate public.points /]);
    t.match(
      database.hidden('whole_1'),
      [/on delete: does delete public.points$/, /truncate/],
      'of the partition alone',
    );
    const keys = catalog.foreignKeys('db');
    t.match(
      keys.find(({ name }) => name === 'loose_fk'),
      {
        table: { schema: 'public', name: 'loose' },
        references: { schema: 'public', name: 'parent' },
        onDelete: 'set null',
        onUpdate: 'set default',
      },
    );
    t.match(
      keys.find(({ name }) => name === 'tree_up_fkey'),
      { onDelete: 'restrict', onUpdate: 'no action' },
    );
    t.equal(keys.filter(({ table }) => table.name.startsWith('points')).length, 1, 'once, not for each partition');
  });

  await t.test('a renamed column and table, and a dropped key, are followed', async (t) => {
    await database.after(
      `ALTER TABLE parent RENAME id TO number; ALTER TABLE gone RENAME TO "Gone %"; ALTER TABLE kept DROP CONSTRAINT kept_p_fkey`,
    );
    const hidden = database.hidden('parent');
    t.ok(
      hidden.includes('foreign key gone_p_fkey (ON UPDATE CASCADE) on update of number: does update public.Gone %(p)'),
    );
    t.notOk(hidden.some((work) => work.includes('kept')));
  });

  await t.test('a role without rights reads it all', async (t) => {
    await server.query(
      'CREATE ROLE nobody LOGIN; REVOKE ALL ON SCHEMA public, app FROM PUBLIC; REVOKE ALL ON ALL TABLES IN SCHEMA app FROM PUBLIC',
      'shop',
    );
    const { CatalogReader } = await import('../../src/backend/catalog.js');
    const { loadConfig } = await import('../../src/config/load.js');
    const folder = t.testdir({
      'pgfig.yaml': `databases:\n  db: { url: "postgres://nobody@127.0.0.1:${server.port}/shop" }\n`,
    });
    const part = (await new CatalogReader(loadConfig(`${folder}/pgfig.yaml`)).read()).get('db');
    if (part === undefined || part instanceof Error) throw part ?? new Error('no part');
    const names = ['relations', 'links', 'views', 'works', 'foreignKeys', 'functions'] as const;
    const own = database.catalog.part('db');
    t.strictSame(
      names.filter((name) => part.sections[name].key !== own?.sections[name].key),
      [],
    );
  });
});
