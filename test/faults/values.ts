import type { Random } from './random.js';

/** SQL literals that are easily damaged on their way, by column of `typed`; null among them. */
const TYPED: Readonly<Record<string, readonly string[]>> = {
  num: ["'NaN'", "'Infinity'", '1.0', '1.00', '-0.000000000000000000001', '123456789012345678901234567890.123'],
  f4: ["'NaN'", "'-Infinity'", '0.1', '3.4e38', '1e-45', "'-0'"],
  f8: ["'NaN'", "'Infinity'", '0.1::float8 + 0.2', '1.7976931348623157e308', '5e-324', "'-0'", 'random()'],
  raw: ["'\\x'", "'\\x00ff5c0a0d09'", "decode(repeat('ab', 3000), 'hex')"],
  js: [`'{"a": 1,  "a":2}'`, `'null'`, `'[1e400, "\\u00e9", ""]'`, `'{"deep": {"tab": "\\t"}}'`],
  jb: [`'null'`, `'{"a": null, "b": [], "n": 1.10}'`, `'"text"'`, `'{"b": 1, "a": 2, "b": 3}'`],
  ints: ["'[2:4]={1,NULL,3}'", "'{}'", "'{{1,2},{3,4}}'", "'[-1:0][5:5]={{1},{2}}'"],
  texts: [`'{"NULL",NULL,"",",","a\\\\b","{}"}'`, "ARRAY[E'a\\nb\\tc', '\"', '''']"],
  r: ["'empty'", "'[1,5)'", "'(,)'", "'[3,]'"],
  tr: ["tstzrange(now(), now() + '1 day')", "'(,2030-02-03 04:05:06.789+05:45]'", "'empty'"],
  mr: ["'{}'", "'{[1,3), [5,8), [20,)}'"],
  iv: ["'1 mon -1 day 00:00:01.5'", "'-1 year -2 mons +3 days -04:05:06.789'", "'0'", "'P1Y2M3DT4H5M6S'"],
  feeling: ["'sad'", "'happy'"],
  pos: ['1', '2147483647'],
  vec: ["to_tsvector('simple', 'the quick ''brown'' fox')", "'''a:b'':1A,3B c:2'", "''"],
  cash: ['12.34', '-99999.99'],
  bits: ["B''", "B'1010001'"],
  ip: ["'::1'", "'10.1.2.3/8'", "'fe80::1/64'"],
  u: ['gen_random_uuid()'],
  d: ["'infinity'", "'0044-03-15 BC'", 'current_date', "'5874897-12-31'"],
  t: ["'24:00'", "'00:00:00.000001'"],
  ttz: ["'12:34:56.789-03:30'", "'00:00+15:59'"],
  ts: ["'-infinity'", 'localtimestamp', "'294276-12-31 23:59:59.999999'"],
  tstz: ['now()', 'clock_timestamp()', "'infinity'", "'4713-01-01 00:00:00+00 BC'", "'1883-11-18 12:03:58-04:56:02'"],
  here: [`ROW('a "b", (c)', '(1.5,-0)', NULL)::spot`, 'ROW(NULL, NULL, NULL)::spot', `ROW('', '(1e300,2)', 7)::spot`],
  lsn: ["'16/B374D848'"],
  ch: ["'a'", "''", "'  x'"],
  words: ["''", "'\\N'", "'\\.'", "E'a\\tb\\nc\\r\\\\d\\be\\vf\\x7f'", "'ünïcödé \u{1F9F5}'", "' NULL '", "'$$; DROP'"],
  big: ["repeat('large', 4000)", "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i)"],
};

export const TYPED_COLUMNS = Object.keys(TYPED);

export const typedLiteral = (random: Random, column: string): string =>
  random.chance(0.2) ? 'NULL' : random.pick(TYPED[column] ?? ['NULL']);

/** Texts that are keys: every byte that COPY, arrays or SQL could take for their own. */
const CODES = [
  '',
  ' ',
  'NULL',
  '\\N',
  '\\.',
  ',',
  '{}',
  '{"a"}',
  '"',
  "'",
  'a\\b',
  'tab\there',
  'line\nbreak',
  'é',
  'E',
  'e',
];

export const code = (random: Random): string => random.pick(CODES);

/** Keys of table `odd`, which print differently under other settings, or are equal and print differently. */
export const oddKey = (random: Random): string =>
  [
    random.pick(['1.0', '1.00', '1', "'NaN'", '-0.5', '1e30']),
    random.pick([
      "'2024-02-03 04:05:06+00'",
      "'2024-03-02 04:05:06.7+05:45'",
      "'infinity'",
      "'0001-02-03 00:00:00+00 BC'",
    ]),
    random.pick(['0.1', '0.30000000000000004', "'NaN'", "'-0'", '0', '1e-300']),
    random.pick(["'\\x00'", "'\\x5c'", "''", "'\\x2c22'"]),
  ].join(', ');
