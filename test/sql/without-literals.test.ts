import fc from 'fast-check';
import pgQuery from 'libpg-query';
import t from 'tap';
import { keyOf } from '../../src/sql/read-text.js';
import { exampleOf, withoutLiterals } from '../../src/sql/without-literals.js';
import { readCorpus } from './helpers.js';

await pgQuery.loadModule();

/** The example of a text that lies amid others. */
function example(sql: string, standardConformingStrings = true): string {
  const bytes = Buffer.from(`junk${sql}'"junk`);
  return withoutLiterals(bytes, 4, bytes.length - 6, standardConformingStrings);
}

function exampleByKey(sql: string, standardConformingStrings = true): string {
  const bytes = Buffer.from(sql);
  return exampleOf(keyOf(bytes, 0, bytes.length, standardConformingStrings).key);
}

t.test('literals become question marks, all else stays', (t) => {
  const cases: [string, string][] = [
    ['', ''],
    ['SELECT 1', 'SELECT ?'],
    ['select a, -5, 1.5e3, .5, 0x1F, 1_000, 7.', 'select a, -?, ?, ?, ?, ?, ?'],
    ["SELECT 'it''s', E'a\\'b', B'01', x'1F', N'x', U&'d\\0061t'", 'SELECT ?, ?, ?, ?, ?, ?'],
    ["SELECT 'now', E'\\x41', 'a\\'", 'SELECT ?, ?, ?'],
    ['SELECT $$a$$, $q$it $$ is$q$, $1, $23', 'SELECT ?, ?, $1, $23'],
    ["SELECT 1 -- it's\n, 2 /* a /* 'b' */ c */;", 'SELECT ? , ?'],
    ['SELECT a1, "b""2", "c 3", d$4, é5, U&"d" FROM t6', 'SELECT a1, "b""2", "c 3", d$4, é5, U&"d" FROM t6'],
    ["SELECT 'a'\n  -- more's\n'b', E'c'\n'd\\'e'", 'SELECT ?, ?'],
    ["SELECT 'a' 'b'", 'SELECT ? ?'],
    ["SELECT DATE'2020-01-01', a->>'b', c ? 'd'", 'SELECT DATE ?, a->>?, c ? ?'],
    [' \n\tSELECT\r\n  a,b ; \n', 'SELECT a,b'],
    ['SELECT 1; SELECT 2;', 'SELECT ?; SELECT ?'],
    ["SET a = 'b'", 'SET a = ?'],
    ["CREATE USER u PASSWORD 'secret'", 'CREATE USER u PASSWORD ?'],
    ['-- only a comment', ''],
  ];
  for (const [sql, expected] of cases) t.equal(example(sql), expected, sql);
  t.end();
});

t.test('what repeats is there once', (t) => {
  const cases: [string, string][] = [
    ['SELECT a FROM t WHERE id IN (1, 2,3 , 4) AND b', 'SELECT a FROM t WHERE id IN (?) AND b'],
    ["SELECT a WHERE b in('x','y')", 'SELECT a WHERE b in(?)'],
    ['SELECT a WHERE b IN ($1, $2, $3) AND c = $4', 'SELECT a WHERE b IN ($1) AND c = $4'],
    ['SELECT a WHERE (b, c) IN ((1, 2), (3, 4))', 'SELECT a WHERE (b, c) IN ((?, ?))'],
    ['SELECT a WHERE b IN (1, x, 2)', 'SELECT a WHERE b IN (?, x, ?)'],
    ['SELECT a WHERE b IN (SELECT 1, 1 FROM t)', 'SELECT a WHERE b IN (SELECT ?, ? FROM t)'],
    ['SELECT f(1, 1), a[1, 1]', 'SELECT f(?, ?), a[?, ?]'],
    ["INSERT INTO t VALUES (1, 'a'), (2, 'b')\n, (3, 'c') RETURNING 1", 'INSERT INTO t VALUES (?, ?) RETURNING ?'],
    ['INSERT INTO t VALUES ($1, $2), ($3, $4), ($5, NULL)', 'INSERT INTO t VALUES ($1, $2), ($5, NULL)'],
    ['VALUES (f(1, (2)), 3), (f(4, (5)), 6)', 'VALUES (f(?, (?)), ?)'],
    ['SELECT * FROM (VALUES (1), (2)) v (a), (VALUES (3), (4)) w', 'SELECT * FROM (VALUES (?)) v (a), (VALUES (?)) w'],
  ];
  for (const [sql, expected] of cases) t.equal(example(sql), expected, sql);
  const rows = Array.from({ length: 10_000 }, (_, i) => `(${i}, 'name ${i}')`).join(', ');
  t.equal(example(`INSERT INTO t VALUES ${rows}`), 'INSERT INTO t VALUES (?, ?)', 'ten thousand rows');
  t.end();
});

t.test('what is not sound is not shown', (t) => {
  const cases = [
    "SELECT 'open",
    'SELECT "open',
    'SELECT $$open',
    'SELECT $a$open$b$',
    'SELECT $ a',
    'SELECT a /* open',
    "SELECT 'O'Brien'",
    "SELECT 'O'Brien, 'x'",
    "SELECT E'a\\'",
    "SELECT B'01",
    'SELECT 1name',
    'SELECT $1name',
    'SELECT 1..2',
  ];
  for (const sql of cases) t.equal(example(sql), '', sql);
  t.equal(example("SELECT 'a\\'b'"), '', 'a backslash that does not escape');
  t.equal(example("SELECT 'a\\' b', 1", false), 'SELECT ?, ?', 'a backslash that does');
  t.equal(example("SELECT U&'a', 1", false), '', 'Postgres refuses it');
  t.end();
});

t.test('a long text is cut', (t) => {
  const names = Array.from({ length: 400 }, (_, i) => `näme${i}`).join(', ');
  const cut = example(`SELECT ${names} FROM t`);
  t.equal(cut.length, 500);
  t.ok(cut.startsWith('SELECT näme0, näme1,'));
  t.ok(cut.endsWith('...'));
  t.equal(example(`SELECT ${names}, 'open`), '', 'what is not sound behind the cut is seen');
  for (let pad = 0; pad < 4; pad += 1) {
    const wide = example(`SELECT ${'x'.repeat(pad)}${'😀'.repeat(1000)}`);
    t.ok(wide.length <= 500 && Buffer.from(wide).toString() === wide, `no half character, ${pad}`);
  }
  t.end();
});

t.test('by the key of the cache', (t) => {
  const cases: [string, string][] = [
    ["SELECT é, 'a' FROM t WHERE id = 5 -- c", 'SELECT é, ? FROM t WHERE id = ?'],
    ["SET a = 'é'", 'SET a = ?'],
    ["SELECT nextval('s'), 1", 'SELECT nextval(?), ?'],
    ['INSERT INTO t VALUES (1, 2), (3, 4)', 'INSERT INTO t VALUES (?, ?)'],
    ['CREATE TABLE "é" (a varchar(10))', 'CREATE TABLE "é" (a varchar(?))'],
  ];
  for (const [sql, expected] of cases) t.equal(exampleByKey(sql), expected, sql);
  t.equal(exampleByKey("SET a = 'b\\' c'", false), 'SET a = ?', 'backslashes escape');
  t.equal(exampleOf(null), '');
  t.equal(exampleOf(''), '');
  t.end();
});

/** A literal, and what of it must not be seen. */
const secret = fc.stringMatching(/^[a-z]{6}$/).map((word) => `zq${word}`);
const literal = fc.oneof(
  secret.map((s) => ({ sql: `'${s}'`, s })),
  secret.map((s) => ({ sql: `'it''s ${s}'`, s })),
  secret.map((s) => ({ sql: `E'\\'${s}\\\\'`, s })),
  secret.map((s) => ({ sql: `'x'\n'${s}'`, s })),
  secret.map((s) => ({ sql: `$$'${s}$$`, s })),
  secret.map((s) => ({ sql: `$t$ $$ ${s}$t$`, s })),
  secret.map((s) => ({ sql: `U&'${s}'`, s })),
  secret.map((s) => ({ sql: `-- '${s}\n`, s })),
  secret.map((s) => ({ sql: `/* "${s} */`, s })),
  fc.integer({ min: 100_000, max: 999_999_999 }).map((n) => ({ sql: ` ${n}`, s: `${n}` })),
  fc.integer({ min: 100_000, max: 999_999_999 }).map((n) => ({ sql: `.${n}e-${n}`, s: `${n}` })),
);
const plain = fc.constantFrom(
  'SELECT ',
  ' a, ',
  '(',
  ')',
  ' IN (',
  ' VALUES (',
  ', ',
  ' "x y" ',
  '$1',
  '\n',
  ' + ',
  '::t ',
);

t.test('no literal of a text is in its example', (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(literal, plain), { maxLength: 30 }), (parts) => {
      const text = parts.map((part) => (typeof part === 'string' ? part : part.sql)).join(' ');
      const shown = example(text);
      const byKey = exampleByKey(text);
      for (const part of parts) {
        if (typeof part === 'string') continue;
        if (shown.includes(part.s) || byKey.includes(part.s)) return false;
      }
      return shown.length <= 500;
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('any bytes give a text', (t) => {
  const bits = fc.constantFrom(...`'"$-/*()\\,;. \n\tEeUu&Bb01xIN VALUES?`);
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 200 }), fc.boolean(), (letters, plainBackslash) => {
      const shown = example(letters.join(''), plainBackslash).replace(/"[^"]*"/g, ' ');
      return !shown.includes("'") && !/\d/.test(shown.replace(/\$\d+|[\w$]*[A-Za-z_][\w$]*/g, ' '));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, plainBackslash) => {
      return withoutLiterals(bytes, 0, bytes.length, plainBackslash).length <= 500;
    }),
  );
  t.end();
});

t.test('the scanner of PostgreSQL sees the same literals in what people and ORMs write', (t) => {
  const CONSTANTS = new Set(['SCONST', 'USCONST', 'ICONST', 'FCONST', 'BCONST', 'XCONST']);
  const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT']);
  let compared = 0;
  for (const sql of readCorpus()) {
    // Their lists are shortened.
    if (/\b(in|values)\b/i.test(sql)) continue;
    const expected = pgQuery
      .scanSync(sql)
      .tokens.filter(({ tokenName }) => !COMMENTS.has(tokenName))
      .map(({ tokenName, text }) => (CONSTANTS.has(tokenName) || /^[bx]'/i.test(text) ? '?' : text))
      .join('');
    if (expected.length > 400) continue;
    const squeezed = (text: string): string => text.replace(/\s/g, '').replace(/;+$/, '');
    if (squeezed(example(sql)) !== squeezed(expected)) t.equal(squeezed(example(sql)), squeezed(expected), sql);
    compared += 1;
  }
  t.ok(compared > 200, `${compared} statements`);
  t.end();
});
