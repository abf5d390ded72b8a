import t from 'tap';
import type { Parser } from '../../src/sql/parser.js';
import { type CachedStatement, Reading, StatementCache } from '../../src/sql/statement-cache.js';
import { nameOf, parser } from './helpers.js';

const MIB = 1024 * 1024;

function newCache(limits = { entries: 1000, bytes: 8 * MIB }, with_: Parser = parser): StatementCache<string> {
  return new StatementCache<string>(with_, limits);
}

function get(cache: StatementCache<string>, sql: string, conforming = true): CachedStatement<string> {
  const bytes = Buffer.from(`..${sql}\0..`);
  const found = cache.get(bytes, 2, bytes.length - 3, conforming);
  if (found instanceof Reading) throw new Error('it is read in a thread');
  return found;
}

t.test('texts that differ in literals share an entry and what is kept on it', (t) => {
  const cache = newCache();
  const first = get(cache, 'SELECT a FROM t WHERE id = 1');
  t.equal(first.folded, true);
  t.equal(first.extra, null);
  first.extra = 'the route';
  t.equal(get(cache, 'SELECT a FROM t WHERE id = 2').extra, 'the route');
  t.equal(get(cache, 'SELECT a FROM u WHERE id = 2').extra, null);
  t.same(cache.stats, { hits: 1, misses: 2, uncached: 0, threaded: 0, unparsable: 0, evictions: 0 });
  t.equal(cache.size, 2);
  t.end();
});

t.test('texts whose literals mean something are kept by every byte', (t) => {
  const cache = newCache();
  const one = get(cache, "SELECT nextval('a_seq')");
  const two = get(cache, "SELECT nextval('b_seq')");
  t.equal(one.folded, false);
  t.same(one.parsed.statements[0]?.sequences.map(nameOf), ['a_seq']);
  t.same(two.parsed.statements[0]?.sequences.map(nameOf), ['b_seq']);
  t.equal(get(cache, "SELECT nextval('a_seq')"), one);
  t.equal(get(cache, 'SET a = 1'), get(cache, 'SET a = 1'));
  t.not(get(cache, 'SET a = 1'), get(cache, 'SET a = 2'));
  t.equal(get(cache, '').parsed.statements.length, 0);
  t.end();
});

t.test('text beyond ASCII', (t) => {
  const cache = newCache();
  t.same(get(cache, "SELECT * FROM größe WHERE a = '日本'").parsed.statements[0]?.reads, [{ name: 'größe' }]);
  t.same(get(cache, "SELECT * FROM größe WHERE a = 'x'").parsed.statements[0]?.reads, [{ name: 'größe' }]);
  t.same(get(cache, 'SET a = größe').parsed.statements[0]?.effects, [
    { type: 'set', name: 'a', value: ['größe'], local: false },
  ]);
  t.equal(cache.stats.hits, 1);
  t.end();
});

t.test('texts of any length are kept by their short keys', (t) => {
  const cache = newCache();
  const literal = get(cache, `SELECT '${'x'.repeat(100_000)}' FROM t`);
  t.equal(get(cache, "SELECT 'a' FROM t"), literal);
  const rows = (count: number): string => Array.from({ length: count }, (_, i) => `(${i}, 'row ${i}', $${i})`).join();
  const bulk = get(cache, `INSERT INTO t VALUES ${rows(10_000)}`);
  t.same(bulk.parsed.statements[0]?.writes, [{ name: 't' }]);
  t.equal(get(cache, `INSERT INTO t VALUES ${rows(1)}`), bulk);
  t.same(cache.stats, { hits: 2, misses: 2, uncached: 0, threaded: 0, unparsable: 0, evictions: 0 });
  // Two entries, of texts of hundreds of kilobytes.
  t.ok(cache.bytes < 10_000, `${cache.bytes} bytes`);
  t.end();
});

t.test('an entry that several texts share holds one statement at most, so that no place in a text is kept', (t) => {
  const cache = newCache();
  for (const sql of ["SELECT 'a;b'", 'SELECT 1;', 'VALUES (1);', "INSERT INTO t VALUES ('a;'),('b')", 'SELECT 1;;']) {
    const entry = get(cache, sql);
    t.ok(!entry.folded || entry.parsed.statements.length <= 1, sql);
  }
  const two = get(cache, "SELECT 'a'; SELECT 'bc'");
  t.equal(two.folded, false);
  t.same(two.parsed.spans, [
    [0, 10],
    [12, 23],
  ]);
  t.end();
});

t.test('texts whose key is long are parsed and not kept', (t) => {
  const cache = newCache();
  const long = `SELECT a, ${'b, '.repeat(30_000)} c FROM t`;
  t.same(get(cache, long).parsed.statements[0]?.reads, [{ name: 't' }]);
  get(cache, long);
  t.equal(cache.size, 0);
  t.same(cache.stats, { hits: 0, misses: 2, uncached: 2, threaded: 0, unparsable: 0, evictions: 0 });
  t.end();
});

t.test('what does not parse is kept too, what could not be parsed just now is not', (t) => {
  const cache = newCache();
  t.type(get(cache, 'SELECT FROM WHERE').parsed.syntaxError, 'string');
  get(cache, 'SELECT FROM WHERE');
  t.same(cache.stats, { hits: 1, misses: 1, uncached: 0, threaded: 0, unparsable: 1, evictions: 0 });
  let busy = true;
  const later: Parser = {
    parse: (text) => (busy ? { ...parser.parse('selec'), transient: true } : parser.parse(text)),
  };
  const waiting = newCache(undefined, later);
  t.type(get(waiting, 'SELECT 1').parsed.syntaxError, 'string');
  busy = false;
  t.equal(get(waiting, 'SELECT 1').parsed.syntaxError, null);
  t.equal(waiting.stats.uncached, 1);
  t.end();
});

t.test('a backslash reads as the setting says', (t) => {
  const cache = newCache();
  // To this session the string goes on after \', to one with the setting on it ends there.
  const sql = "SELECT '\\'; DELETE FROM t; --'";
  t.same(
    get(cache, sql, false).parsed.statements.map((s) => s.kind),
    ['select'],
  );
  t.same(
    get(cache, sql, true).parsed.statements.map((s) => s.kind),
    ['select', 'delete'],
  );
  t.same(
    get(cache, sql, false).parsed.statements.map((s) => s.kind),
    ['select'],
  );
  t.equal(get(cache, "SELECT 'a'", false), get(cache, "SELECT 'b'", true), 'without one they share');
  t.end();
});

t.test('entries and bytes are bounded', (t) => {
  const few = newCache({ entries: 10, bytes: 8 * MIB });
  for (let i = 0; i < 50; i += 1) get(few, `SELECT * FROM t${i}`);
  t.equal(few.size, 10);
  t.equal(few.stats.evictions, 40);
  const small = newCache({ entries: 1_000_000, bytes: MIB });
  for (let i = 0; i < 2000; i += 1) get(small, `SELECT ${'column_name, '.repeat(50)} a FROM t${i}`);
  t.ok(small.bytes <= MIB, `${small.bytes} bytes`);
  t.ok(small.size < 2000);
  t.end();
});
