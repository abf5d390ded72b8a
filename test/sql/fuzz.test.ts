/** Statements with things wrong with them: whatever comes, it is read as PostgreSQL's grammar reads it, or not at all. */
import fc from 'fast-check';
import pgQuery from 'libpg-query';
import t from 'tap';
import { escapeStrings } from '../../src/sql/escape-strings.js';
import type { ParsedText, StatementKind } from '../../src/sql/statement.js';
import { Reading, StatementCache } from '../../src/sql/statement-cache.js';
import { foldText, parser } from './helpers.js';
import { Dice, mutant } from './mutants.js';

await pgQuery.loadModule();

/** FUZZ_SEED and FUZZ_TIMES: others, and more of them. */
const TIMES = Number(process.env.FUZZ_TIMES ?? 1);
const MUTANTS = 12_000 * TIMES;
const SEED = Number(process.env.FUZZ_SEED ?? 20_240_229);

/** Whether libpg-query's own instance, which pgfig does not use, takes the text. */
function isAccepted(sql: string): boolean {
  try {
    pgQuery.parseSync(sql);
    return true;
  } catch (error) {
    // It does not take a text without statements.
    return /Query cannot be empty/.test(String(error));
  }
}

const facts = (parsed: ParsedText): string => JSON.stringify(parsed.statements);

function kindsOf(parsed: ParsedText): StatementKind[] {
  return parsed.statements.map(({ kind }) => kind);
}

t.test('mutants come to a Statement, with the facts of their own text', (t) => {
  const dice = new Dice(SEED);
  const cache = new StatementCache<never>(parser, { entries: 2_000, bytes: 64 * 1024 * 1024 });
  const count = { folded: 0, hits: 0, refused: 0 };
  const wrong: unknown[] = [];
  for (let i = 0; i < MUTANTS; i += 1) {
    const bytes = mutant(dice);
    const sql = bytes.toString('utf8');
    const found = cache.get(bytes, 0, bytes.length, true);
    if (found instanceof Reading) throw new Error('there is no thread');
    const alone = parser.parse(sql);
    const accepted = isAccepted(sql);
    if (facts(found.parsed) !== facts(alone)) wrong.push({ why: 'facts', sql, key: foldText(sql) });
    if ((alone.syntaxError === null) !== accepted) wrong.push({ why: 'grammar', sql, accepted });
    if (!accepted && kindsOf(found.parsed).join() !== 'unparsable') wrong.push({ why: 'kind', sql });
    if (found.folded) count.folded += 1;
    if (!accepted) count.refused += 1;
  }
  count.hits = cache.stats.hits;
  t.same(wrong.slice(0, 5), []);
  t.comment(`seed ${SEED}`, count);
  t.ok(count.folded > MUTANTS / 5 && count.refused > MUTANTS / 5 && count.hits > MUTANTS / 100, JSON.stringify(count));
  t.end();
});

const pieces = (...of: string[]): fc.Arbitrary<string> => fc.constantFrom(...of);
const item = pieces(
  ...[
    '1',
    '2',
    "'x'",
    "''",
    "E'a'",
    '$1',
    '$22',
    'null',
    'NULL',
    'default',
    'true',
    'a',
    '"a"',
    'a$1',
    '-1',
    '+a',
    '.5',
  ],
  ...[
    'f(1)',
    'f()',
    '(1)',
    '(select 1)',
    '(select a from t)',
    '(values (1),(2))',
    'cast(1 as int)',
    'row(1, 2)',
    'a[1]',
  ],
  ...['99999999999', '$99999999999', '/**/1', '--\n1', '"$1"', '$$x$$', "x'1'", '', ' ', '1::float(60)', 'values'],
);
const plain = pieces('1', '2', "'x'", '$1', '$22', 'null', 'default', 'a', 'f(1)', '(select a from t)');
const items = fc.oneof(
  { weight: 3, arbitrary: fc.array(plain, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(item, { minLength: 1, maxLength: 3 }) },
);
const tuple = fc
  .tuple(pieces('(', '(', '(', ' (', '( ', '\n('), items, pieces(')', ')', ')', ')', ')', ')', ' )', '', '))'))
  .map(([open, values, close]) => `${open}${values.join(',')}${close}`);
const commas = pieces(',', ',', ',', ',', ',', ', ', ' ,', ',/**/', ',--\n', '', ',,');
/** One to three tuples, each perhaps several times, with other numbers. */
const rows = fc
  .tuple(
    fc.array(tuple, { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(2), fc.nat(9), commas), { minLength: 1, maxLength: 6 }),
  )
  .map(([tuples, order]) =>
    order
      .map(([which, digit, comma], at) => {
        const row = (tuples[which % tuples.length] ?? '').replaceAll('1', `${digit || 1}`);
        return row + (at + 1 < order.length ? comma : '');
      })
      .join(''),
  );
const before = pieces(
  ...['insert into t ', 'insert into t (a, b) ', 'select * from (', 'with x as (', ''],
  ...[
    'insert into t ',
    'insert into t (a, b) ',
    'insert into ',
    'with x as (',
    'select * from (',
    'select * from t as ',
    'insert into t as ',
  ],
  ...[
    'select ',
    'select s.',
    'select s . ',
    'select a ',
    'select a as ',
    'select * from ',
    'select /**/',
    '',
    '(',
    'table ',
  ],
  ...[
    'merge into t using u on a = b when not matched then insert ',
    'insert into t select 1 union ',
    'select 1 from t ',
  ],
  ...['insert into t values (1) on conflict (a ', 'select * from f() as ', 'update t set (a, b) = ', 'with merge as ('],
  ...[
    'insert into "merge" ',
    'select a from t where b in ',
    'select a::',
    'select a collate ',
    'select * from t window ',
  ],
);
const behind = pieces(
  ...['', '', '', '', ') x', ') select * from x'],
  ...[
    '',
    ';',
    ')',
    ') x',
    ') select * from x',
    ' returning a',
    ' on conflict do nothing',
    ' union values (1),(2)',
    ' order by 1',
  ],
  ...[
    ' select 1',
    ' values (1),(1)',
    '::int',
    ' + 1',
    ' as v (a, b)',
    ' from t',
    ' , (1)',
    ' is null',
    '.a',
    ') do nothing',
  ],
);

t.test('leaving rows out of a VALUES list changes nothing, nor where it only looks like one', (t) => {
  const count = { shortened: 0, accepted: 0 };
  fc.assert(
    fc.property(before, pieces('values', 'VALUES', 'values', '"values"', 'value'), rows, behind, (a, word, list, b) => {
      const sql = a + word + list + b;
      const key = foldText(sql);
      if (key === null) return true;
      const [text, short] = [parser.parse(sql), parser.parse(key)];
      if (key.length < sql.length - 20) count.shortened += 1;
      if (text.syntaxError === null) count.accepted += 1;
      return facts(text) === facts(short) && foldText(key) === key;
    }),
    { numRuns: 20_000 * TIMES, seed: SEED },
  );
  t.comment(count);
  t.ok(count.shortened > 500 && count.accepted > 500, JSON.stringify(count));
  t.end();
});

const soup = fc
  .array(
    pieces(
      ...["'", "'", "''", '\\', '\\', "\\'", "'a'", "E'", "e'\\''", "b'1'", "n'", "N'", "U&'", 'u&"', '"', '$$', '$a$'],
      ...['$1', '1', 'a', 'x1', '--', '\n', '/*', '*/', ' ', ' ', ',', ';', 'select ', 'é'],
    ),
    { minLength: 1, maxLength: 14 },
  )
  .map((parts) => `select ${parts.join('')}`);

t.test('strings that say themselves that they have escapes: where no backslash stands, nothing changes', (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(soup, (sql) => {
      const bytes = Buffer.from(`junk'${sql}'junk`);
      const escaped = escapeStrings(bytes, 5, bytes.length - 5);
      if (escaped === null) return /u&'/i.test(sql);
      const text = parser.parse(escaped.bytes.toString('utf8'));
      const length = Buffer.byteLength(sql);
      for (const [from, to] of text.spans) {
        const [start, end] = [escaped.original(from), escaped.original(to)];
        if (start < 0 || end < start || end > length) return false;
      }
      // Without a backslash the setting decides nothing.
      if (sql.includes('\\')) return true;
      const plain = parser.parse(sql);
      if (plain.syntaxError === null) accepted += 1;
      const same = text.spans.map(([from, to]) => [escaped.original(from), escaped.original(to)]);
      return facts(plain) === facts(text) && JSON.stringify(same) === JSON.stringify(plain.spans);
    }),
    { numRuns: 10_000 * TIMES, seed: SEED },
  );
  t.ok(accepted > 300, `${accepted} accepted`);
  t.end();
});
