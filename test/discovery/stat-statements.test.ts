import pg from 'pg';
import t from 'tap';
import { countRows, readStatStatements } from '../../src/discovery/stat-statements.js';
import { hasPostgres, startPostgres } from '../support/postgres.js';
import { cellLines, OPTIONS, pairLines } from './helpers.js';

/** Versions of the extension, by the PostgreSQL that they came with. */
const VERSIONS = [
  { extension: '1.7', of: 12, on: 15 },
  { extension: '1.8', of: 13, on: 15 },
  { extension: '1.9', of: 14, on: 15 },
  { extension: '1.10', of: 15, on: 15 },
  { extension: '1.11', of: 17, on: 18 },
  { extension: '1.12', of: 18, on: 18 },
] as const;

for (const { extension, of, on } of VERSIONS) {
  t.test(`the view as PostgreSQL ${of} has it`, { skip: !hasPostgres(on) && 'not installed' }, async (t) => {
    const server = await startPostgres({
      version: on,
      settings: { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track': 'all' },
    });
    const began = Date.now();
    await server.query('CREATE SCHEMA "My Stats"');
    await server.query(`CREATE EXTENSION pg_stat_statements SCHEMA "My Stats" VERSION '${extension}'`);
    await server.query(
      'CREATE TABLE a (id int, at timestamptz); CREATE TABLE b (id int); CREATE ROLE shop LOGIN SUPERUSER',
    );
    await server.query('CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ INSERT INTO b VALUES (7) RETURNING 1 $$');
    await server.query('CREATE DATABASE other');
    await server.query('CREATE TABLE elsewhere (id int)', 'other');
    const shop = new pg.Client({ connectionString: server.url().replace('postgres:postgres@', 'shop@') });
    await shop.connect();
    for (const id of [1, 2, 3])
      await shop.query(`INSERT INTO a SELECT g, now() - interval '${id} day' FROM generate_series(1, ${id}) g`);
    await shop.query('SELECT * FROM a JOIN b USING (id) WHERE a.id = $1', [1]);
    await shop.query('PREPARE p AS SELECT * FROM b WHERE id = $1; EXECUTE p(1); EXECUTE p(2)');
    await shop.query("SELECT * FROM a WHERE at > now() - interval '5 days'");
    await shop.query('SELECT f()');
    const found = await readStatStatements(shop, OPTIONS);
    await shop.end();

    const cells = cellLines(found.matrix).filter((line) => line.startsWith('shop'));
    const nested = of < 14 ? ['shop public.b write: 1, rows 1'] : [];
    const seen = ['shop public.a read: 2, rows 6', 'shop public.a write: 3, rows 6', 'shop public.b read: 3'];
    t.same(cells, [...seen, ...nested, 'shop what f() touches is not known opaque: 1, rows 1']);
    t.same(pairLines(found.matrix), ['shop join public.a public.b: 1']);
    t.notOk(
      found.matrix.cells.some(({ table }) => table === 'public.elsewhere'),
      'of this database only',
    );
    for (const { first, last, seconds, database } of found.matrix.cells) {
      t.ok(first <= last && last <= Date.now() && seconds >= 0);
      t.equal(database, 'monolith');
      if (of >= 17) t.ok(first >= began, 'since when each statement is counted');
    }
    const notes = found.notes.join('\n');
    t.match(notes, /Services are users here/);
    t.match(notes, of < 14 ? /statements within functions cannot be told apart/ : /./);
    t.equal(/Since when .* is not known/.test(notes), of < 14);
    await server.remove();
  });
}

t.test('what cannot be read', async (t) => {
  const server = await startPostgres();
  const client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  await t.rejects(readStatStatements(client, OPTIONS), {
    code: 'BACKEND_ANSWERED',
    message: /the database postgres does not have the extension pg_stat_statements/,
  });
  await client.query('CREATE EXTENSION pg_stat_statements');
  await t.rejects(readStatStatements(client, OPTIONS), {
    code: 'BACKEND_ANSWERED',
    sqlstate: '55000',
    message: /shared_preload_libraries/,
  });
  await client.end();
});

t.test('rows that cannot be used are told of', (t) => {
  const row = { role: 'shop', calls: '2', rows: '4', milliseconds: 1500, since: null };
  const rows = [
    { ...row, query: 'SELECT * FROM a WHERE id = $1' },
    { ...row, query: 'SELECT * FROM a WHERE id = $1', role: null },
    { ...row, query: '<insufficient privilege>' },
    { ...row, query: null },
    { ...row, query: 'SELECT a b c' },
  ];
  const found = countRows(rows, { reset: 1000, topLevelOnly: true, now: 5000 }, OPTIONS);
  t.match(found, { statements: 4, since: 1000, until: 5000 });
  t.match(found.matrix.cells, [
    {
      service: 'shop',
      statements: 2,
      rows: 4,
      seconds: 1.5,
      first: 1000,
      last: 5000,
      example: 'SELECT * FROM a WHERE id = $1',
    },
    { service: '', statements: 2 },
  ]);
  t.match(found.notes, [
    /Services are users/,
    /1 statements of other users may not be read.* pg_read_all_stats/,
    /1 statements are left out, whose text/,
    /1 texts \(2 calls\) are left out/,
  ]);
  t.end();
});
