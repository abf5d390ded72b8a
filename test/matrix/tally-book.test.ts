import t from 'tap';
import { type Footprint, MOST_PAIRED } from '../../src/matrix/footprint.js';
import type { Matrix } from '../../src/matrix/matrix.js';
import { MatrixSum, sumOf } from '../../src/matrix/matrix-sum.js';
import { Tally } from '../../src/matrix/tally.js';
import { MOST_SERVICES, OTHER_SERVICES, TallyBook } from '../../src/matrix/tally-book.js';
import { TransactionWork } from '../../src/matrix/transaction-work.js';
import { matrixFromText, matrixToText } from '../../src/matrix/wire-text.js';

const writing = (...tables: string[]): Footprint => ({
  entries: tables.map((table) => ({ table, access: 'write', named: true })),
  joined: tables.toSorted(),
  written: tables.toSorted(),
});
const tallyOf = (service: string, footprint: Footprint, example = `write ${footprint.written}`): Tally =>
  new Tally({ service, footprint, database: 'monolith', example });

/** The pairs written together, as 'a+b: count'. */
const together = ({ pairs }: Matrix): string[] =>
  pairs
    .filter(({ kind }) => kind === 'transaction')
    .map(({ a, b, count }) => `${a}+${b}: ${count}`)
    .sort();

t.test('counts until the harvest, then from nothing', (t) => {
  const book = new TallyBook();
  const hidden: Footprint = {
    entries: [
      { table: 'public.v', access: 'read', named: true },
      { table: 'public.t', access: 'read', named: false },
    ],
    joined: ['public.t'],
    written: [],
  };
  const tally = tallyOf('shop', hidden, 'SELECT * FROM v');
  book.done(tally, 3, 0.5);
  book.done(tally, 4, 0.25);
  book.more(tally, 10, 1);
  book.failed(tally);
  const { cells, pairs } = book.harvest(1000);
  const [view, base] = cells;
  t.match(view, { table: 'public.v', statements: 2, hidden: 0, rows: 17, seconds: 1.75, errors: 1, first: 1000 });
  t.match(base, { table: 'public.t', statements: 2, hidden: 2, rows: 0, example: 'SELECT * FROM v', last: 1000 });
  t.same(pairs, []);
  t.same(book.harvest(2000), { cells: [], pairs: [] });
  book.done(tally, 1, 0);
  t.equal(book.harvest(3000).cells[0]?.statements, 1);
  t.end();
});

t.test('a table that nobody knows has no cell for its errors alone', (t) => {
  const book = new TallyBook();
  const entries = [
    { table: 'typo', access: 'read', named: true, unknown: true } as const,
    { table: 'public.t', access: 'read', named: true } as const,
  ];
  const tally = tallyOf('shop', { entries, joined: ['public.t', 'typo'], written: [] }, '');
  book.failed(tally);
  t.match(book.harvest(1), { cells: [{ table: 'public.t', errors: 1, statements: 0 }], pairs: [] });
  book.failed(tally);
  book.done(tally, 1, 0);
  t.match(book.harvest(1).cells, [{ table: 'typo', errors: 1, statements: 1 }, { table: 'public.t' }]);
  t.end();
});

t.test('what no server took for a name is not shown', (t) => {
  const book = new TallyBook();
  const tally = tallyOf('shop', writing('a', 'b'), 'DELETE FROM a WHERE mail = "bob@example.org"');
  const examples = (): string[] => {
    const { cells, pairs } = book.harvest(1);
    return [...new Set([...cells.map(({ example }) => example), ...pairs.map(({ exampleA }) => exampleA)])];
  };
  book.failed(tally);
  t.same(examples(), ['']);
  book.refused(tally);
  t.same(examples(), ['']);
  book.done(tally, 1, 0);
  t.same(examples(), [tally.example]);
  t.end();
});

t.test('a harvest in slices is bounded by what it makes, and misses nothing', (t) => {
  const book = new TallyBook();
  const names = Array.from({ length: MOST_PAIRED }, (_, i) => `t${String(i).padStart(3, '0')}`);
  const wide = Array.from({ length: 5 }, (_, i) => tallyOf(`s${i}`, writing(...names)));
  for (const tally of wide) book.done(tally, 1, 0);
  const sizes: number[] = [];
  let pairs = 0;
  while (book.unharvested > 0) {
    const before = book.unharvested;
    const matrix = book.harvest(1, 300);
    sizes.push(before - book.unharvested);
    pairs += matrix.pairs.length;
  }
  t.same(sizes, [1, 1, 1, 1, 1], 'one at a time, as each is more than the slice');
  t.equal(pairs, (5 * MOST_PAIRED * (MOST_PAIRED - 1)) / 2);
  t.end();
});

t.test('pairs of a statement, and of a refused one', (t) => {
  const book = new TallyBook();
  const tally = tallyOf('shop', writing('c', 'a', 'b'));
  book.done(tally, 1, 0);
  book.refused(tally);
  const joins = book.harvest(1).pairs.map(({ a, b, count, refused }) => `${a}+${b} ${count} ${refused}`);
  t.same(joins.sort(), ['a+b 1 1', 'a+c 1 1', 'b+c 1 1']);
  t.end();
});

t.test('what a transaction writes counts when it is committed', (t) => {
  const book = new TallyBook();
  const [a, b, c] = ['a', 'b', 'c'].map((table) => tallyOf('shop', writing(table))) as [Tally, Tally, Tally];
  const again = tallyOf('shop', writing('a'), 'another text');
  const work = new TransactionWork(book);
  const play = (...steps: (Tally | string)[]): void => {
    for (const step of steps) {
      if (typeof step !== 'string') work.wrote(step);
      else if (step === 'commit' || step === 'rollback') work.end(step === 'commit');
      else if (step.startsWith('save ')) work.savepoint(step.slice(5));
      else if (step.startsWith('release ')) work.release(step.slice(8));
      else work.rollbackTo(step.slice(3));
    }
  };
  play(a, b, 'rollback', a, 'commit', b, 'commit');
  t.same(together(book.harvest(1)), [], 'never together');
  play(a, again, b, a, 'commit', b, a, 'commit');
  t.same(together(book.harvest(1)), ['a+b: 2'], 'in any order');
  play(a, 'save s', b, 'to s', c, 'commit');
  t.same(together(book.harvest(1)), ['a+c: 1'], 'what a savepoint undoes does not count');
  play(a, 'save s', b, 'save t', c, 'release t', 'to s', 'to s', 'commit');
  t.same(together(book.harvest(1)), []);
  play(a, 'save s', b, 'save s', c, 'to s', 'release s', 'to s', 'commit');
  t.same(together(book.harvest(1)), [], 'the inner one first, then the outer');
  play('to nowhere', a, 'release nowhere', b);
  t.same(together(book.harvest(1)), [], 'under way over a harvest');
  play('commit');
  t.same(together(book.harvest(1)), ['a+b: 1']);
  t.end();
});

t.test('examples name the statement that wrote each table', (t) => {
  const book = new TallyBook();
  const work = new TransactionWork(book);
  work.wrote(tallyOf('shop', writing('z'), 'first z'));
  work.wrote(tallyOf('shop', writing('z', 'y'), 'both'));
  work.end(true, 77);
  const [pair] = book.harvest(1000).pairs;
  t.match(pair, { service: 'shop', a: 'y', b: 'z', exampleA: 'both', exampleB: 'first z', first: 77, last: 77 });
  t.end();
});

t.test('a transaction over a whole schema is not paired, and counted', (t) => {
  const book = new TallyBook();
  const work = new TransactionWork(book);
  for (let i = 0; i <= MOST_PAIRED; i++) work.wrote(tallyOf('migration', writing(`t${i}`)));
  work.end(true);
  t.equal(book.wide, 1);
  t.same(together(book.harvest(1)), []);
  t.end();
});

t.test('names of services without end are counted together', (t) => {
  const book = new TallyBook();
  for (let i = 0; i < MOST_SERVICES; i++) t.equal(book.serviceOf(`job-${i}`), `job-${i}`);
  t.equal(book.serviceOf('one too many'), OTHER_SERVICES);
  t.equal(book.serviceOf('job-7'), 'job-7');
  t.end();
});

t.test('sums keep the first, the last and an example; the text between processes keeps everything', (t) => {
  const book = new TallyBook();
  const tally = tallyOf('shop "x"\n', writing('public.a', 'public."b.c"'), '');
  book.done(tally, 5, 0.125);
  const early = book.harvest(1000);
  book.done(tally, 1, 1);
  const late = { ...book.harvest(9000) };
  const named = { ...late, cells: late.cells.map((cell) => ({ ...cell, example: 'UPDATE ...' })) };
  const sum = sumOf([named, early]);
  t.match(sum.cells[0], { statements: 2, rows: 6, seconds: 1.125, first: 1000, last: 9000, example: 'UPDATE ...' });
  t.match(sum.pairs[0], { kind: 'join', count: 2, first: 1000, last: 9000 });
  t.same(matrixFromText(matrixToText(sum)), sum);
  t.equal(early.cells[0]?.statements, 1, 'what was added is not changed');
  t.end();
});

t.test('a sum with a limit drops what is new, and goes on counting what it has', (t) => {
  const book = new TallyBook();
  const [a, b] = [tallyOf('s', writing('a')), tallyOf('s', writing('b'))];
  const sum = new MatrixSum(1);
  for (let i = 0; i < 2; i++) {
    book.done(a, 1, 0);
    book.done(b, 1, 0);
    sum.add(book.harvest(1));
  }
  t.equal(sum.dropped, 2);
  t.same(
    sum.matrix().cells.map(({ table, statements }) => [table, statements]),
    [['a', 2]],
  );
  t.end();
});
