import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { loadParser } from '../../src/sql/parser.js';
import { nameOf, parser } from './helpers.js';

const TOO_DEEP = `select ${'1+'.repeat(10_000)}1`;

t.test('texts without a statement', (t) => {
  for (const text of ['', ' ', ';', ' ;; \n;', '-- only a comment', '/* a /* nested */ one */', '--\r\n/**/;']) {
    t.same(parser.parse(text), { statements: [], spans: [], syntaxError: null }, JSON.stringify(text));
  }
  t.end();
});

t.test('what does not parse is one statement that may do anything', (t) => {
  for (const text of [
    'selec',
    'SELECT * FROM',
    "SELECT 'open",
    'SELECT 1; SELEC 2',
    'SELECT /* open',
    'SELECT $$ open',
  ]) {
    const { statements, spans, syntaxError, transient } = parser.parse(text);
    t.match(statements, [{ kind: 'unparsable', writesData: true, deterministic: false }], text);
    t.equal(statements.length, 1);
    t.same(spans, [[0, Buffer.byteLength(text)]]);
    t.type(syntaxError, 'string');
    t.not(transient, true);
  }
  t.match(parser.parse('SELECT 1\0; DROP TABLE t').statements, [{ kind: 'unparsable' }], 'C would stop at the NUL');
  t.end();
});

t.test('the parts of a query string, with their bytes', (t) => {
  const text = "BEGIN; /* é */ INSERT INTO größe VALUES ('日本');\n SELECT 1 ;; COMMIT -- bye";
  const bytes = Buffer.from(text);
  const { statements, spans } = parser.parse(text);
  t.same(
    statements.map((statement) => statement.kind),
    ['begin', 'insert', 'select', 'commit'],
  );
  t.same(
    spans.map(([start, end]) => bytes.toString('utf8', start, end).trim()),
    ['BEGIN', "INSERT INTO größe VALUES ('日本')", 'SELECT 1', 'COMMIT -- bye'],
  );
  t.end();
});

t.test('a statement too deep for the stack spoils nothing', async (t) => {
  const own = await loadParser();
  for (let i = 0; i < 100; i += 1) {
    const { statements, syntaxError } = own.parse(TOO_DEEP);
    t.equal(statements[0]?.kind, 'unparsable');
    t.type(syntaxError, 'string');
    const good = own.parse('SELECT * FROM a JOIN b USING (id)');
    t.same(good.statements[0]?.reads.map(nameOf), ['a', 'b'], `after ${i + 1}`);
    await setImmediate();
  }
});

t.test('a burst that comes faster than spare instances is refused, and over when they are there', async (t) => {
  const own = await loadParser();
  let transient = 0;
  for (let i = 0; i < 200; i += 1) if (own.parse(TOO_DEEP).transient === true) transient += 1;
  t.ok(transient > 0, 'some are refused unread, and marked so that no cache keeps them');
  const during = own.parse('SELECT 1 FROM a');
  if (during.syntaxError !== null) t.equal(during.transient, true, 'a refusal of good SQL is marked');
  await t.resolves(
    (async () => {
      while (own.parse('SELECT 1 FROM a').syntaxError !== null) await setImmediate();
    })(),
  );
});

t.test('a chain of thousands of operands is walked without recursion', (t) => {
  const union = Array.from({ length: 1500 }, (_, i) => `SELECT a FROM t${i}`).join(' UNION ALL ');
  t.equal(parser.parse(union).statements[0]?.reads.length, 1500);
  const sum = `SELECT ${'a + '.repeat(1500)} (SELECT max(b) FROM u) FROM t`;
  t.same(parser.parse(sum).statements[0]?.reads.map(nameOf), ['u', 't']);
  t.end();
});

t.test('long literals and wide statements', (t) => {
  const rows = Array.from({ length: 5000 }, (_, i) => `(${i}, 'name ${i}')`).join(', ');
  t.match(parser.parse(`INSERT INTO t VALUES ${rows}`).statements, [{ kind: 'insert', writes: [{ name: 't' }] }]);
  t.match(parser.parse(`SELECT '${'x'.repeat(3_000_000)}' FROM t`).statements, [{ reads: [{ name: 't' }] }]);
  t.end();
});

t.test('a DO block that was refused unread is not to be kept', async (t) => {
  const own = await loadParser();
  const deep = `DO $$ BEGIN PERFORM ${'1+'.repeat(10_000)}1; END $$`;
  let kept = 0;
  for (let i = 0; i < 60; i += 1) {
    const { statements, transient } = own.parse(deep);
    t.match(statements, [{ writesData: true }]);
    if (statements[0]?.opaque?.includes('being replaced') === true && transient !== true) kept += 1;
  }
  t.equal(kept, 0);
  while (own.parse('SELECT 1').syntaxError !== null) await setImmediate();
  const { statements, transient } = own.parse('DO $$ BEGIN DELETE FROM t; END $$');
  t.match(statements, [{ kind: 'do', writes: [{ name: 't' }], opaque: null }]);
  t.not(transient, true, 'only what was refused is marked');
});

t.test('queries within queries, deeper than the walk can go, end in an answer', (t) => {
  for (const depth of [100, 1000, 3000]) {
    const nested = `${'SELECT * FROM ('.repeat(depth)}SELECT * FROM t${') x'.repeat(depth)}`;
    t.equal(parser.parse(nested).statements.length, 1, String(depth));
  }
  t.end();
});
