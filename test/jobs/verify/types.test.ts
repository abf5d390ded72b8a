import t from 'tap';
import { chooseHash, SERVER_HASH, STANDARD_HASH } from '../../../src/jobs/verify/row-hash.js';
import { columnText } from '../../../src/jobs/verify/row-text.js';
import { brief, startPair, verified } from '../pair.js';

const pair = await startPair();
await pair.both(`
  CREATE EXTENSION hstore; CREATE EXTENSION citext;
  CREATE TYPE mood AS ENUM ('sad', 'glad, "very"'); CREATE DOMAIN posint AS int CHECK (VALUE > 0);
  CREATE TYPE place AS (street text, no posint, m mood); CREATE TYPE floats AS RANGE (subtype = float8)`);

/** type -> values that the type holds apart: each must give another text, on both sides the same. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  boolean: ['t', 'f'],
  smallint: ['-32768', '0'],
  integer: ['-2147483648', '2147483647'],
  bigint: ['-9223372036854775808', '9223372036854775807'],
  numeric: ['1', '1.0', '1.00', 'NaN', 'Infinity', '-Infinity', '1e-300', '0.1'],
  real: ['0', '-0', '0.1', '0.10000001', 'NaN', 'Infinity', '1e-45'],
  'double precision': ['0', '-0', '0.1', '0.10000000000000002', 'NaN', '-Infinity', '5e-324', '1.7976931348623157e308'],
  money: ['1.00', '-12345.67'],
  text: ['', ' ', 'NULL', 'null', 'ä', 'a\u0308', '{}', '"', '\\', 'a,b', '\n', '\u000b', '😀'],
  'character varying(10)': ['', ' ', 'x', 'x '],
  'character(4)': ['x', ' x', ''],
  bpchar: ['x', 'x '],
  '"char"': ['', 'a'],
  name: ['', 'a'],
  bytea: ['', '\\x00', '\\x0000', '\\xff'],
  date: ['2026-02-28', 'infinity', '-infinity', '4713-01-01 BC'],
  time: ['00:00', '24:00', '00:00:00.000001'],
  timetz: ['00:00+00', '01:00+01', '00:00:00+00:00:01'],
  timestamp: ['2026-01-01', '2026-01-01 00:00:00.000001', 'infinity'],
  timestamptz: ['2026-01-01 00:00+00', '2026-01-01 00:00+01', '-infinity'],
  interval: ['1 day', '24 hours', '1 month', '30 days', '-1 year 2 days'],
  uuid: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  json: ['{"a":1,"a":2}', '{"a": 1,"a":2}', 'null', '1.0', '1.00', '"\\u0041"'],
  jsonb: ['{"a":1}', 'null', '1.0', '1.00', '[]', '{}', '[null]'],
  jsonpath: ['$.a', '$.a[*] ? (@ > 1)'],
  xml: ['<a/>', '<a></a>', 'text'],
  inet: ['10.0.0.1', '10.0.0.1/8', '::1'],
  cidr: ['10.0.0.0/8', '10.0.0.0/16'],
  macaddr: ['08:00:2b:01:02:03', '08:00:2b:01:02:04'],
  macaddr8: ['08:00:2b:01:02:03:04:05', '08:00:2b:01:02:03:04:06'],
  'bit(3)': ['101', '000'],
  'bit varying': ['', '0', '00'],
  point: ['(0,0)', '(-0,0)', '(0.1,1e300)'],
  line: ['{1,2,3}', '{1,2,4}'],
  lseg: ['[(0,0),(1,1)]', '[(1,1),(0,0)]'],
  box: ['(1,1),(0,0)', '(2,1),(0,0)'],
  path: ['[(0,0),(1,1)]', '((0,0),(1,1))'],
  polygon: ['((0,0),(1,1))', '((1,1),(0,0))'],
  circle: ['<(0,0),1>', '<(0,0),1.0000000000000002>'],
  tsvector: ['a', 'a:1', 'a:1A', "'a b'"],
  tsquery: ['a', '!a', 'a & b', 'a <-> b'],
  int4range: ['empty', '[1,2)', '(,)', '[1,)'],
  numrange: ['[1,2]', '[1.0,2]', '(1,2]'],
  tstzrange: ['["2026-01-01 00:00+00",)', '(,"2026-01-01 00:00+00"]'],
  int4multirange: ['{}', '{[1,2)}', '{[1,2),[4,5)}'],
  floats: ['[0.1,0.2]', '[0.1,0.20000000000000004]'],
  pg_lsn: ['0/0', '16/B374D848'],
  oid: ['0', '4294967295'],
  xid8: ['0', '18446744073709551615'],
  regclass: ['pg_class', 'pg_type'],
  mood: ['sad', 'glad, "very"'],
  posint: ['1', '2'],
  place: ['(,,)', '("",1,)', '("a b",1,sad)', '(a,1,"glad, ""very""")'],
  'integer[]': ['{}', '{1}', '{NULL}', '[0:0]={1}', '{{1}}', '{1,2}'],
  'text[]': ['{}', '{""}', '{NULL}', '{"NULL"}', '{"a,b"}', '{a,b}', '{"{a"}'],
  'jsonb[]': ['{"null"}', '{NULL}'],
  'place[]': ['{"(a,1,sad)"}', '{NULL}'],
  'mood[]': ['{sad}', '{"glad, \\"very\\""}'],
  hstore: ['', 'a=>1', 'a=>NULL', 'a=>"NULL"', 'a=>"", b=>1'],
  citext: ['Abc', 'abc', ''],
};

t.test('every value is itself on both sides, and no other', async (t) => {
  await pair.both('CREATE TABLE typed (id int PRIMARY KEY)');
  const columns = Object.keys(TYPES).map((type, at) => ({ type, name: `c${at} ${type.slice(0, 9)}` }));
  for (const { type, name } of columns) await pair.both(`ALTER TABLE typed ADD "${name.replaceAll('"', '')}" ${type}`);
  let rows = 1;
  for (const [at, [type, values]] of Object.entries(TYPES).entries()) {
    const name = columns[at]?.name.replaceAll('"', '');
    const literals = values.map(
      (value, i) => `(${rows + i}, E'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'::${type})`,
    );
    rows += values.length;
    await pair.both(`INSERT INTO typed (id, "${name}") VALUES ${literals.join(', ')}`);
    const text = columnText({ name: name ?? '', type });
    const { rows: found } = await pair.source.query<{ n: string }>(
      `SELECT count(DISTINCT ${text} COLLATE "C") AS n FROM typed t`,
    );
    t.equal(Number(found[0]?.n), values.length, type);
  }
  t.same((await verified(pair, 'public.typed')).found, []);
});

t.test('NULL is no value of any type', async (t) => {
  const at = Object.keys(TYPES);
  await pair.both('INSERT INTO typed (id) VALUES (0)');
  t.same((await verified(pair, 'public.typed')).found, []);
  await pair.target.query(`UPDATE typed SET "c${at.indexOf('place')} place" = '(,,)' WHERE id = 0`);
  t.same(brief(await verified(pair, 'public.typed')), [`differs 0 c${at.indexOf('place')} place`]);
});

t.test('generated columns are compared, columns of the target alone are not', async (t) => {
  const table = (expression: string) =>
    `CREATE TABLE made (b text, id int PRIMARY KEY, g text GENERATED ALWAYS AS (${expression}) STORED)`;
  await pair.source.query(`${table('upper(b)')}; INSERT INTO made (id, b) VALUES (1, 'x')`);
  await pair.target.query(
    `${table('upper(b)')}; ALTER TABLE made ADD own int DEFAULT 5; INSERT INTO made (id, b) VALUES (1, 'x')`,
  );
  t.same((await verified(pair, 'public.made')).found, []);
  await pair.target.query(`DROP TABLE made; ${table('lower(b)')}; INSERT INTO made (id, b) VALUES (1, 'x')`);
  t.same(brief(await verified(pair, 'public.made')), ['differs 1 g']);
  await pair.target.query('ALTER TABLE made DROP g');
  await t.rejects(verified(pair, 'public.made'), { code: 'NOT_COMPARABLE', message: /the target has no column g/ });
});

t.test('partitions, empty tables, tables without columns but the key', async (t) => {
  await pair.both('CREATE TABLE nothing (id int PRIMARY KEY); CREATE TABLE lone (id text PRIMARY KEY)');
  t.same((await verified(pair, 'public.nothing')).found, []);
  await pair.target.query(`INSERT INTO nothing VALUES (3); INSERT INTO lone VALUES ('x')`);
  t.same(brief(await verified(pair, 'public.nothing')), ['extra 3']);
  t.same(brief(await verified(pair, 'public.lone')), ['extra x']);
  await pair.source.query(`CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200)`);
  await pair.target.query('CREATE TABLE parts (id int PRIMARY KEY, v text)');
  await pair.both('INSERT INTO parts SELECT g, g FROM generate_series(0, 199) g');
  t.same((await verified(pair, 'public.parts')).found, []);
  await pair.target.query('UPDATE parts SET v = NULL WHERE id = 150');
  t.same(brief(await verified(pair, 'public.parts')), ['differs 150 v']);
});

t.test('both hashes tell rows apart', async (t) => {
  await pair.inTurn(async ({ source, target }) => {
    t.equal(await chooseHash(source, target), SERVER_HASH, 'the faster one where both servers agree about it');
    for (const hash of [SERVER_HASH, STANDARD_HASH]) {
      const [first, second] = hash.halves('h');
      const sql = `SELECT count(DISTINCT ${first}) AS a, count(DISTINCT ${second}) AS b, sum(${first}) AS c, sum(${second}) AS d
        FROM (SELECT ${hash.digest('g::text COLLATE "C"')} AS h FROM generate_series(1, 5000) g) r`;
      const [here, there] = [await source.query(sql), await target.query(sql)];
      t.match(here.rows[0], { a: '5000', b: '5000' });
      t.same(here.rows, there.rows);
    }
  });
  await pair.source.query(`CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  const { default: pg } = await import('pg');
  const latin = new pg.Client({ connectionString: pair.source.url('latin') });
  await latin.connect();
  t.equal(await pair.inTurn(({ target }) => chooseHash(latin, target)), STANDARD_HASH, 'another encoding');
  await latin.end();
});
