import fc from 'fast-check';
import pgQuery from 'libpg-query';
import t from 'tap';
import { fold } from '../../src/sql/fold.js';
import { foldText, parser, readCaseFiles, readCorpus } from './helpers.js';

await pgQuery.loadModule();

t.test('literals are taken out, all else stays', (t) => {
  const cases: [string, string][] = [
    ['SELECT 1', 'SELECT 1'],
    ['select a, -5, 1.5e3, .5, 0x1F, 1_000, 1e5, 12345678901234', 'select a, -1, 1.1, .1, 1, 1, 1.1, 1'],
    ["SELECT 'it''s', E'a\\'b', B'01', x'1F', N'x'", "SELECT '', E'', B'', x'', N''"],
    ['SELECT $$a$$, $q$it $$ is$q$, $1, $23', 'SELECT $$$$, $$$$, $1, $23'],
    ["SELECT 1 -- it's\n, 2 /* a /* 'b' */ c */", 'SELECT 1 --\n, 1 /**/'],
    ['SELECT a1, "b2", "c 3", d$4, é5 FROM t6 WHERE x7=8', 'SELECT a1, "b2", "c 3", d$4, é5 FROM t6 WHERE x7=1'],
    ["SELECT a->>'b', c @> '{}', d -1, e--f\n", "SELECT a->>'', c @> '', d -1, e--\n"],
    [
      "SELECT interval '1' day, date '2020-01-01', numeric(10,2) '1'",
      "SELECT interval '' day, date '', numeric(1,1) ''",
    ],
    ['SELECT * FROM t ORDER BY 2 LIMIT ALL;', 'SELECT * FROM t ORDER BY 1 LIMIT ALL;'],
    [' \n( SELECT 5 ) ; ', ' \n( SELECT 1 ) ;'],
    ['SELECT a[5:6], b.c, 7.', 'SELECT a[1:1], b.c, 1.1'],
    ["INSERT INTO t VALUES (1,'a')", "INSERT INTO t VALUES (1,'')"],
    ['SELECT 12345678901::float, float8(3), a::varchar(20)', 'SELECT 1::float, float8(1), a::varchar(1)'],
    ['SELECT * FROM t WHERE id IN (12345678901)', 'SELECT * FROM t WHERE id IN (1)'],
    ["SELECT E'a\\\\', '\\'", "SELECT E'', ''"],
    ["SELECT 'nowhere', 'known', 'day'", "SELECT '', '', ''"],
  ];
  for (const [sql, key] of cases) t.equal(foldText(sql), key, sql);
  t.end();
});

t.test('what must be read by its exact text', (t) => {
  const cases = [
    '',
    '-- x',
    '1',
    "SET a = 'b'",
    'CREATE TABLE t (a varchar(10))',
    'COPY t FROM STDIN',
    'EXPLAIN SELECT 1',
    'BEGIN',
    'SELECT 1; SELECT 2',
    'SELECT 1; -- more',
    "SELECT set_config('a', 'b', false)",
    `SELECT "set_config"('a', 'b', false)`,
    "SELECT NextVal('s')",
    "SELECT 's'::regclass",
    "SELECT to_regclass('s')",
    "SELECT pg_advisory_lock(1), pg_catalog.pg_notify('a', 'b')",
    "SELECT dblink('a', 'b')",
    "SELECT query_to_xml('a', true, true, '')",
    'SELECT lo_get(1)',
    "SELECT U&'d\\0061t'",
    'SELECT U&"d\\0061t"',
    "SELECT 'a'\n'b'",
    "SELECT E'a'\n'b\\'c'",
    "SELECT E'\\x41', E'\\101', E'\\u0041'",
    "SELECT 'open",
    'SELECT "open',
    'SELECT "a""b"',
    'SELECT "a" "',
    'SELECT $$open',
    'SELECT $a$open$b$',
    'SELECT /* open /* */',
    'SELECT 12abc',
    'SELECT 0x',
    'SELECT 1__0',
    'SELECT 1e',
    'SELECT $1abc',
    "SELECT * FROM t WHERE a > 'now'",
    "SELECT * FROM t WHERE a > E' Today'",
    'SELECT * FROM t WHERE a > $$tomorrow$$',
    // The grammar looks at these numbers.
    'SELECT a::float(60)',
    'SELECT a::float/**/(60)',
    'SELECT a::varchar(12345678901)',
    'SELECT a::timestamp ( /**/ 12345678901)',
    'SELECT a::int[12345678901]',
    `SELECT ${'a, '.repeat(30_000)} a FROM t`,
  ];
  for (const sql of cases) t.equal(foldText(sql), null, sql);
  t.end();
});

t.test('with standard_conforming_strings off, a backslash in a string bars folding', (t) => {
  t.equal(foldText("SELECT 'a'", false), "SELECT ''");
  t.equal(foldText("SELECT '\\'", false), null);
  t.equal(foldText("SELECT '\\'", true), "SELECT ''");
  t.equal(foldText("SELECT E'a\\\\'", false), "SELECT E''");
  t.end();
});

/** Pieces that the scanner could cut differently than `fold` does. */
const PIECES = [
  ...[
    "'",
    "''",
    "'a'",
    "E'",
    "e'\\''",
    "b'1'",
    "X'1F'",
    "n'x'",
    "U&'",
    '"',
    '"a"',
    '""',
    '$$',
    '$a$',
    '$1',
    '$',
    'a$b$',
  ],
  ...[
    '1',
    '12',
    '1.5',
    '.5',
    '1.',
    '1e5',
    '1e',
    '0x1F',
    '0b1',
    '0o7',
    '1_000',
    '1__0',
    '..',
    '.',
    '--',
    '/*',
    '*/',
    '-',
  ],
  ...[
    '/',
    '*',
    '+',
    '->>',
    '@',
    '\n',
    '\r',
    '\t',
    ' ',
    ' ',
    ' ',
    'x',
    'é',
    '_',
    'E',
    'n',
    'b',
    ',',
    '(',
    ')',
    '=',
    '::',
  ],
  ...[
    'from',
    't',
    'now',
    "'now'",
    '\\',
    "'\\'",
    '&',
    '|',
    '<',
    '>',
    '!',
    '?',
    ':',
    ';',
    '[',
    ']',
    'interval',
    'set_config',
  ],
];

interface Token {
  readonly start: number;
  readonly end: number;
  readonly tokenName: string;
}

const isDigits = /^([0-9_]+|0[xob][0-9a-f_]+)$/i;

/** The tokens as PostgreSQL's own scanner cuts them, constants by their kind only; null where it refuses the text. */
function tokens(sql: string): string[] | null {
  try {
    const bytes = Buffer.from(sql);
    const scanned = (pgQuery.scanSync(sql) as { tokens: Token[] }).tokens;
    return scanned
      .filter((token) => !token.tokenName.includes('COMMENT'))
      .map((token) => {
        const text = bytes.toString('utf8', token.start, token.end);
        if (/^[bx]'/i.test(text)) return `bits ${text[0]}`;
        if (token.tokenName === 'SCONST') return `string ${/^[e$]/i.exec(text)?.[0] ?? ''}`;
        // A whole number too big for an integer is an FCONST to the scanner.
        if (token.tokenName === 'ICONST' || (token.tokenName === 'FCONST' && isDigits.test(text))) return 'integer';
        return token.tokenName === 'FCONST' ? 'number' : `${token.tokenName} ${text}`;
      });
  } catch {
    return null;
  }
}

t.test("a key has the text's tokens, as PostgreSQL's scanner cuts both", (t) => {
  const soup = fc
    .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 12 })
    .map((pieces) => `select ${pieces.join('')}`);
  let folded = 0;
  fc.assert(
    fc.property(soup, (sql) => {
      const key = foldText(sql);
      if (key === null) return;
      folded += 1;
      t.equal(foldText(key), key, 'folding a key changes nothing');
      const of = tokens(sql);
      t.same(tokens(key), of, sql);
    }),
    { numRuns: 5000 },
  );
  t.ok(folded > 1000, `${folded} of the texts could be folded`);
  t.end();
});

const REAL = [
  ...readCorpus(),
  ...readCaseFiles().flatMap(({ text }) =>
    [...text.matchAll(/^- sql: (".*")$/gm)].map((match) => JSON.parse(match[1] ?? '""') as string),
  ),
];

t.test('a key parses as its text does, to the same facts', (t) => {
  let folded = 0;
  for (const sql of REAL) {
    const key = foldText(sql);
    if (key === null) continue;
    folded += 1;
    const [text, short] = [parser.parse(sql), parser.parse(key)];
    t.same(short.syntaxError === null, text.syntaxError === null, sql);
    t.same(short.statements, text.statements, sql);
    t.equal(foldText(key), key);
  }
  t.ok(folded > 350, `${folded} of ${REAL.length} texts could be folded`);
  t.end();
});

const literal = fc.oneof(
  fc.integer().map((n) => String(Math.abs(n))),
  fc.string({ unit: 'grapheme' }).map((s) => `'${s.replaceAll("'", "''").replaceAll('\0', '')}'`),
  fc
    .string({ unit: 'binary' })
    .filter((s) => !/[$\0]|^\s*(now|today|tomorrow|yesterday)/i.test(s))
    .map((s) => `$q$${s}$q$`),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map(String),
);
const name = fc.stringMatching(/^[a-z_][a-z0-9_$]{0,12}$/);

t.test('other literals of the same kinds give the same key, other names never', (t) => {
  const isMoment = /^'\s*(now|today|tomorrow|yesterday)/i;
  const statement = (table: string, column: string, values: readonly string[]): string =>
    `SELECT ${column} FROM "${table}" WHERE a IN (${values.join(', ')}) -- ${values.length}`;
  const kindOf = (value: string): string => (foldText(`SELECT ${value}`) ?? '').slice(7);
  fc.assert(
    fc.property(
      name,
      name,
      name,
      fc.array(
        literal.filter((v) => !isMoment.test(v)),
        { minLength: 1, maxLength: 6 },
      ),
      (table, column, other, values) => {
        const key = foldText(statement(table, column, values));
        if (key === null) return;
        const canonical = values.map(kindOf);
        t.equal(foldText(statement(table, column, canonical)), key);
        if (other !== table) t.not(foldText(statement(other, column, values)), key);
        if (other !== column) t.not(foldText(statement(table, other, values)), key);
        t.not(foldText(statement(table, column, [...values, '1'])), key);
        t.not(foldText(`${statement(table, column, values)}\n LIMIT 1`), key);
      },
    ),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('random bytes give a key or none, and nothing is read beyond the end', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
      const bytes = Buffer.concat([Buffer.from('select '), noise]);
      const alone = fold(bytes, 0, bytes.length);
      for (const tail of ["'", '"', '$$', '*/', '\n', '1', 'e', ';', '--', '&']) {
        t.equal(fold(Buffer.concat([bytes, Buffer.from(tail)]), 0, bytes.length), alone);
      }
    }),
    { numRuns: 1000 },
  );
  t.end();
});
