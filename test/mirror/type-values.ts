/** Types, and values of each that something could spoil on the way. */
export interface TypeValues {
  readonly type: string;
  /** SQL expressions. */
  readonly values: readonly string[];
}

const of = (type: string, ...values: readonly string[]): TypeValues => ({ type, values: [...values, 'NULL'] });
const q = (type: string, ...texts: readonly string[]): TypeValues =>
  of(type, ...texts.map((text) => `'${text.replaceAll("'", "''")}'::${type}`));

export const TYPES_SCHEMA = `
  CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION cube; CREATE EXTENSION seg;
  CREATE TYPE mood AS ENUM ('a b', 'o''k', 'Ü', '"', '{}');
  CREATE TYPE inner_pair AS (a text, b numeric[]);
  CREATE TYPE outer_pair AS (p inner_pair, m mood, at timestamptz);
  CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);
  CREATE DOMAIN pairs AS inner_pair[];`;

const DATES = ['infinity', '-infinity', '0044-03-15 BC', '2024-02-29', '4713-01-02 BC', '5874897-12-31'];
const TIMES = ['infinity', '-infinity', '0044-03-15 12:00 BC', '2024-02-29 23:59:59.999999', '294276-12-31 23:59:59.5'];

export const TYPES: readonly TypeValues[] = [
  q('boolean', 't', 'f'),
  q('smallint', '-32768', '32767'),
  q('integer', '-2147483648', '2147483647'),
  q('bigint', '-9223372036854775808', '9223372036854775807'),
  of('numeric', `(repeat('9', 1000) || '.' || repeat('1', 500))::numeric`, `'NaN'`, `'Infinity'`, `'-Infinity'`),
  q('numeric', '0.00', '1.10', '-0.000', '1e-1000', '1e100000'),
  q('numeric(10,2)', '1.1', '-99999999.99'),
  q('real', 'NaN', 'Infinity', '-Infinity', '-0', '0.1', '1.1754944e-38', '3.4028235e38', '16777217'),
  of('double precision', `'NaN'`, `'-Infinity'`, `'-0'`, '0.1::float8 + 0.2', `'5e-324'`, `'1.7976931348623157e308'`),
  of('bytea', `(SELECT string_agg(decode(lpad(to_hex(b), 2, '0'), 'hex'), '') FROM generate_series(0, 255) b)`, `''`),
  q('json', '{"a" : 1,"a":2 ,  "b":[ ]}', ' null ', '"\\u0041\\n"', '1.50'),
  q('jsonb', 'null', '{"b": 1.50, "a": "é\\n\\\\"}', '[]', '""', '1e400'),
  q('jsonpath', '$.a[*] ? (@.b > 1)', '$."x y"'),
  of(
    'text',
    ...[`''`, `'\\N'`, `E'\\\\.\\n\\\\.'`, `E'a\\tb\\r\\n\\\\n'`, `'it''s "q" $$ $1'`, `'😀 ünï 漢字'`, `'NULL'`],
    `(SELECT string_agg(chr(c), '') FROM generate_series(1, 160) c)`,
    `(SELECT string_agg(md5(c::text) || 'é', '') FROM generate_series(1, 31000) c)`,
  ),
  q('character varying(10)', 'ab ', ' ', 'äöü'),
  q('character(5)', 'ab', '', ' a', 'äb'),
  q('"char"', 'x', '', '\\'),
  q('name', 'a name', '', 'ä"b'),
  q('integer[]', '[0:2]={1,NULL,3}', '{{1,2},{3,4}}', '{}', '[-1:0][5:6]={{1,2},{3,NULL}}'),
  q('text[]', '{a,"b c","NULL",NULL,"","\\"","\\\\","{","é,"}', '[2:3]={x,y}', '{{{a}}}'),
  q('numeric(8,3)[]', '{1.5,NaN,-0}'),
  q('timestamptz[]', '{infinity,"2024-02-29 12:00:00.000001+05:30",NULL}'),
  q('int4range', '[1,5)', 'empty', '(,)', '(,3]'),
  q('numrange', '[1.10,2.0]', '(1.0,)'),
  q('daterange', '[2024-01-02,2024-03-04)', '[infinity,]', '[0044-03-15 BC,)'),
  q('tsrange', '["2024-01-02 03:04:05.000001",infinity]', '(-infinity,)'),
  q('tstzrange', '["2024-01-02 03:04:05+05:30","2024-05-06 07:08:09-02")', '[,infinity)'),
  q('int4multirange', '{[1,2),[5,9)}', '{}', '{(,)}'),
  q('tstzmultirange', '{["2024-01-02 03:04+00","2024-03-04 00:00+00"),[2025-01-01,)}'),
  q('nummultirange', '{[1.0,2.00],(3,)}'),
  q('interval', '-1 year 2 mons -3 days +04:05:06.789', '1 year -1 mon', '-0.000001 s', '178000000 years', '0'),
  q('interval day to second(3)', '1 02:03:04.5678'),
  q('interval[]', '{"-1 mon +1 day","-00:00:01"}'),
  q('timestamp', ...TIMES),
  q('timestamptz', ...TIMES),
  q('timestamp(3)', '2024-02-29 12:00:00.123456'),
  q('date', ...DATES),
  q('time', '24:00:00', '00:00:00.000001'),
  q('timetz', '23:59:59.999999+15:59', '00:00-05:30', '12:00:00+05:30:15'),
  q('mood', 'a b', "o'k", 'Ü', '"', '{}'),
  q('mood[]', '{"a b","\\"",NULL,"{}"}'),
  of('outer_pair', `ROW(ROW('a "q" \\ (,)', '{1.0,NULL}')::inner_pair, 'o''k', '2024-01-02 03:04+00')`),
  of('outer_pair', `ROW(NULL, NULL, 'infinity')`, `ROW(ROW('', NULL)::inner_pair, 'Ü', NULL)`),
  of('inner_pair[]', `ARRAY[ROW('x,"y', '{}')::inner_pair, NULL, ROW(NULL, NULL)]`),
  q('short', 'dom\\ain', ''),
  of('pairs', `ARRAY[ROW('p', '{2.50}')::inner_pair]`),
  q('hstore', '"a b"=>"c\\"d", e=>NULL, ""=>"\\\\"', ''),
  q('citext', 'MiXed É', ''),
  q('ltree', 'Top.Science_1.x', ''),
  q('lquery', 'Top.*{1,2}.a|b@'),
  q('cube', '(1,2.5),(-3,1e-10)', '(0)'),
  q('seg', '1.50 .. 2.0', '~6.5'),
  of(
    'xml',
    `XMLPARSE(CONTENT 'text &amp; <a b="c"/> <!-- x -->')`,
    `XMLPARSE(DOCUMENT '<?xml version="1.0"?><é>x</é>')`,
  ),
  q('tsvector', "'a':1A,2 'it''s':3 'back\\\\slash'", ''),
  q('tsquery', "'fat' & ( 'rat':AB* | !'c''at' ) <-> 'x'", ''),
  q('money', '-92233720368547758.08', '12.34', '0'),
  q('inet', '10.0.0.1', '10.0.0.1/8', '::1/64', '2001:db8::ff'),
  q('cidr', '10.0.0.0/8', '2001:db8::/32'),
  q('macaddr', '08:00:2b:01:02:03'),
  q('macaddr8', '08:00:2b:01:02:03:04:05'),
  q('bit(5)', '10101', '00000'),
  q('bit varying(70)', '', '1', '1'.repeat(70)),
  q('point', '(1e-300,-0)', '(NaN,Infinity)', '(0.30000000000000004,1)'),
  q('line', '{1,-1,0.1}'),
  q('lseg', '[(0,0),(1.1,2)]'),
  q('box', '(1,1),(0,0.1)'),
  q('path', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0.1))'),
  q('polygon', '((0,0),(1,1),(2,0.1))'),
  q('circle', '<(1,2.5),0.1>'),
  q('uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
  q('pg_lsn', '16/B374D848', 'FFFFFFFF/FFFFFFFF'),
  q('txid_snapshot', '10:20:10,14,15', '10:10:'),
  q('pg_snapshot', '10:20:10,14,15'),
  q('xid8', '18446744073709551615'),
  q('xid', '4294967295'),
  q('cid', '7'),
  q('tid', '(4294967295,65535)'),
  q('oid', '4294967295', '0'),
  q('regtype', 'integer', 'pg_catalog.timestamptz[]'),
  q('oidvector', '1 2 3', ''),
  q('int2vector', '-1 2'),
  q('"char"[]', '{a,"\\"",NULL}'),
  q('hstore[]', '{"\\"a\\"=>\\"b\\"",NULL}'),
  q('bytea[]', '{"\\\\x00ff",NULL}'),
];

/** Tables whose columns are made by the server, or whose names are odd, or words that the relay's own statements use. */
export const ODD_TABLES = `
  CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a numeric, b text,
                     doubled numeric GENERATED ALWAYS AS (a * 2) STORED);
  CREATE TABLE defaulted (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v int);
  CREATE TABLE "We.ird ""T""" ("Ke""y" int, "key" text, "there" int, "k" int, "e" int, "k0" int, "s" int, "a.b" int,
                               PRIMARY KEY ("Ke""y", "key"));
  CREATE TABLE t (t int, k text, r int, key int, PRIMARY KEY (t, k));`;

export const ODD_NAMES: readonly string[] = ['public.made', 'public.defaulted', 'public.We.ird "T"', 'public.t'];
