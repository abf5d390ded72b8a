import t from 'tap';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { readShapes } from '../../src/mirror/shape/read-shapes.js';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';

/** The text of a key reads back as the same key, whatever the type and whatever the writer has set. */

/** type -> a value as SQL, and one that it changes to. */
const KEYS: Readonly<Record<string, readonly [string, string]>> = {
  smallint: ['1', '-2'],
  integer: ['1', '-2'],
  bigint: ['9007199254740993', '-9223372036854775808'],
  'numeric(20,4)': ['1.5000', '-1e10'],
  numeric: [`'NaN'`, `'Infinity'`],
  real: ['0.1::real', `'NaN'`],
  'double precision': ['0.1 + 0.2::float8', `'-Infinity'`],
  money: ['1234.56::numeric::money', '(-0.01)::numeric::money'],
  text: [`E'it''s {a}, "b" \\\\ \\n ü'`, `''`],
  'character varying(20)': [`'a  '`, `'NULL'`],
  'character(5)': [`'ab'`, `'c    '`],
  character: [`'a'`, `'b'`],
  '"char"': [`'x'`, `'y'`],
  name: [`'A name'`, `'b'`],
  boolean: ['true', 'false'],
  bytea: [`'\\x00ff27'::bytea`, `'\\x'::bytea`],
  date: [`'2026-02-03'`, `'infinity'`],
  time: [`'12:34:56.789'`, `'24:00'`],
  'time with time zone': [`'12:34:56+05:30'`, `'00:00-12'`],
  timestamp: [`'2026-02-03 04:05:06.789'`, `'-infinity'`],
  'timestamp with time zone': [`'2026-07-03 04:05:06.789+02'`, `'0044-03-15 BC'`],
  interval: [`'-1 year 2 mons -3 days 04:05:06.7'`, `'1 day'`],
  uuid: [`'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`, `'00000000-0000-0000-0000-000000000000'`],
  inet: [`'10.0.0.1'`, `'::1/64'`],
  cidr: [`'10.0.0.0/8'`, `'::/0'`],
  macaddr: [`'08:00:2b:01:02:03'`, `'ff:00:2b:01:02:03'`],
  'bit(5)': [`B'10110'`, `B'00000'`],
  'bit varying': [`B'101'`, `B''`],
  jsonb: [`'{"b": 1, "a": [null, 1.50]}'`, `'null'`],
  oid: ['4294967295', '0'],
  pg_lsn: [`'1/2A'`, `'0/0'`],
  tsvector: [`'a:1 b'`, `''`],
  int4range: ['int4range(1, 5)', `'empty'`],
  daterange: [`daterange('2026-02-03', NULL)`, `'empty'`],
  tstzrange: [`tstzrange('2026-02-03 04:05+02', '2026-03-03')`, `'(,)'`],
  nummultirange: [`'{[1.0,2.00),(3,]}'`, `'{}'`],
  'integer[]': [`'[2:3]={1,2}'`, `'{}'`],
  'text[]': [`ARRAY['a"b', NULL, 'NULL', '{}']`, `'{}'`],
  'date[]': [`ARRAY['2026-02-03'::date]`, `'{}'`],
  'double precision[]': ['ARRAY[0.1 + 0.2::float8]', `'{}'`],
  mood: [`'so, so'`, `'{happy}'`],
  pair: [`ROW(1.10, '2026-02-03', 'x,y')`, `ROW(NULL, NULL, '')`],
  day: [`'2026-02-03'`, `'2026-12-01'`],
  code: [`'ab'`, `'c'`],
  citext: [`'MiXed'`, `'x'`],
  hstore: [`'b=>2, a=>NULL'`, `''`],
};

const TYPES = `
CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE mood AS ENUM ('so, so', '{happy}');
CREATE TYPE pair AS (a numeric, b date, c text);
CREATE DOMAIN day AS date CHECK (VALUE > '2000-01-01');
CREATE DOMAIN code AS character(4);
CREATE FUNCTION wrong(mood) RETURNS text LANGUAGE sql AS $$ SELECT 'wrong' $$;
CREATE CAST (mood AS text) WITH FUNCTION wrong(mood) AS ASSIGNMENT;`;

const names = Object.keys(KEYS);
const table = (at: number): string => `k${at}`;
const SCHEMA = [
  TYPES,
  ...names.map((type, at) => `CREATE TABLE ${table(at)} (id ${type} PRIMARY KEY);`),
  ...names.map((type, at) => `CREATE TABLE two_${table(at)} ("Id ""x" ${type}, n int, PRIMARY KEY (n, "Id ""x"));`),
].join('\n');

/** As odd as a writer's session may be. */
const ODD = `SET DateStyle = 'SQL, DMY'; SET IntervalStyle = iso_8601; SET extra_float_digits = -15; SET TimeZone = 'Asia/Kolkata';
SET bytea_output = escape; SET array_nulls = off; SET lc_monetary = 'C'; SET quote_all_identifiers = on`;

const setUps = [];
for (const version of [15, 18] as const) {
  const server = await startPostgres({ version });
  const tables = names.flatMap((_, at) => [`public.${table(at)}`, `public.two_${table(at)}`]);
  const pair = await makePair(server, server, SCHEMA, tables);
  await pair.install();
  setUps.push({ version, pair });
}

for (const { version, pair } of setUps) {
  t.test(`PostgreSQL ${version}`, async (t) => {
    const writer = await pair.connect('source');
    const reader = await openMirrorClient(pair.config, 'monolith', 'test');
    t.teardown(() => reader.end());
    const shapes = await readShapes(reader, pair.mirror.tables);
    await writer.query(ODD);
    for (const [at, type] of names.entries()) {
      const [first = '', second = ''] = KEYS[type] ?? [];
      await t.test(type, async (t) => {
        const key = shapes.get(`public.${table(at)}`)?.key?.[0];
        if (key === undefined) throw new Error('it has no key');
        await writer.query(
          `INSERT INTO ${table(at)} VALUES (${first}); INSERT INTO two_${table(at)} VALUES (${first}, 7)`,
        );
        const same = async (what: string): Promise<void> => {
          // The output text, and that the key is found again by its text.
          const { rows } = await reader.query<{ key: string; text: string; equal: boolean }>(
            `SELECT o.key, concat(k.id) AS text, k.id ${key.equals} o.key::${key.type} AS equal
               FROM pgfig.outbox o CROSS JOIN public.${table(at)} k WHERE o.tbl = 'public.${table(at)}'::regclass ORDER BY o.id DESC LIMIT 1`,
          );
          t.match(rows, [{ equal: true }], what);
          t.equal(rows[0]?.key, rows[0]?.text, what);
          const two = await reader.query<{ key: string; wanted: string }>(
            `SELECT o.key, ARRAY[concat(k.n), concat(k."Id ""x")]::text AS wanted
               FROM pgfig.outbox o CROSS JOIN public.two_${table(at)} k WHERE o.tbl = 'public.two_${table(at)}'::regclass ORDER BY o.id DESC LIMIT 1`,
          );
          t.equal(two.rows[0]?.key, two.rows[0]?.wanted, `${what}, with another column`);
        };
        await same('inserted');
        const count = async (): Promise<number> =>
          (
            await reader.query(
              `SELECT count(*)::int AS n FROM pgfig.outbox WHERE tbl = 'public.${table(at)}'::regclass`,
            )
          ).rows[0]?.n;
        await writer.query(`UPDATE ${table(at)} SET id = id`);
        t.equal(await count(), 2, 'the same key is one event');
        await writer.query(`UPDATE ${table(at)} SET id = ${second}; UPDATE two_${table(at)} SET "Id ""x" = ${second}`);
        t.equal(await count(), 4, 'a changed key is two');
        await same('changed');
      });
    }

    await t.test('what the key takes for equal is no change of it', async (t) => {
      const at = names.indexOf('numeric');
      const of = (name: string): string =>
        `SELECT count(*)::int AS n FROM pgfig.outbox WHERE tbl = '${name}'::regclass`;
      const counts = async (name: string): Promise<number> => (await reader.query(of(`public.${name}`))).rows[0]?.n;
      await writer.query(`UPDATE ${table(at)} SET id = 1.0`);
      const before = await counts(table(at));
      await writer.query(`UPDATE ${table(at)} SET id = 1.00`);
      t.equal(await counts(table(at)), before + 1);
      const citext = table(names.indexOf('citext'));
      const had = await counts(citext);
      await writer.query(`UPDATE ${citext} SET id = upper(id::text)::citext`);
      t.equal(await counts(citext), had + 1);
    });

    await t.test('settings are pinned only where text or comparison hang on them', async (t) => {
      const pinned = async (type: string): Promise<number> => {
        const { rows } = await reader.query(
          `SELECT coalesce(array_length(proconfig, 1), 0) AS n
             FROM pg_proc WHERE proname = 'capture_' || 'public.${table(names.indexOf(type))}'::regclass::oid`,
        );
        return rows[0]?.n;
      };
      for (const type of ['integer', 'uuid', 'text', 'character(5)', 'numeric', 'mood', 'code', 'text[]'])
        t.equal(await pinned(type), 0, type);
      for (const type of ['citext', 'hstore']) t.equal(await pinned(type), 1, type);
      for (const type of ['date', 'interval', 'real', 'bytea', 'money', 'day', 'pair', 'date[]', 'daterange'])
        t.equal(await pinned(type), 7, type);
    });
  });
}
