import t from 'tap';
import { LogRecorder } from '../../src/discovery/logs/log-recorder.js';
import { statementOf } from '../../src/discovery/logs/statement-of-entry.js';
import type { RecorderOptions } from '../../src/discovery/recorder.js';
import { cellLines, entryOf, newRecorder, pairLines } from './helpers.js';

t.test('what an entry says of a statement', (t) => {
  const cases: [string, object][] = [
    ['statement: select 1', { type: 'started', text: 'select 1', prepared: null }],
    ['execute <unnamed>: select 1', { type: 'started', text: 'select 1' }],
    ['execute s1/C_1: select 1', { type: 'started', text: 'select 1' }],
    ["execute fetch from s1/C_1: select ': '", { type: 'fetched', text: "select ': '", seconds: 0 }],
    ['duration: 12.500 ms  statement: select 1', { type: 'done', text: 'select 1', seconds: 0.0125 }],
    ['duration: 1.000 ms  execute s1: select 1', { type: 'done', text: 'select 1', seconds: 0.001 }],
    ['duration: 1.000 ms  execute fetch from s1: select 1', { type: 'fetched', text: 'select 1', seconds: 0.001 }],
    ['duration: 1.000 ms  parse s1: select 1', { type: 'nothing' }],
    ['duration: 1.000 ms  bind s1: select 1', { type: 'nothing' }],
    ['duration: 1.000 ms  plan:\nQuery Text: select 1', { type: 'nothing' }],
    ['duration: 1.000 ms', { type: 'duration', seconds: 0.001 }],
    ['fastpath function call: "lo_open" (OID 952)', { type: 'nothing' }],
    ['duration: 1.000 ms  fastpath function call: "lo_open" (OID 952)', { type: 'nothing' }],
    ['process 1 still waiting for ShareLock on transaction 7 after 1000.123 ms', { type: 'nothing' }],
    ['disconnection: session time: 0:00:00.008 user=ann', { type: 'nothing' }],
    ['Anweisung: select 1', { type: 'unknown' }],
    ['Dauer: 1,000 ms  Anweisung: select 1', { type: 'unknown' }],
  ];
  for (const [message, expected] of cases) {
    const event = statementOf(entryOf(message));
    t.match({ ...event, ...('text' in event && { text: event.text?.toString() }) }, expected, message);
  }
  t.match(statementOf(entryOf('duration: 1.000 ms', { tag: 'BIND' })), { type: 'nothing' });
  const execute = statementOf(entryOf('statement: EXECUTE p(1)', { detail: 'prepare: PREPARE p AS SELECT 1' }));
  t.equal(execute.type === 'started' && execute.prepared?.toString(), 'PREPARE p AS SELECT 1');
  t.match(statementOf(entryOf('execute p: x', { detail: "Parameters: $1 = 'secret'" })), { prepared: null });
  const failed = { severity: 'ERROR', sqlstate: '42P01', query: 'select 1', tag: 'SELECT' };
  t.match(statementOf(entryOf('x', failed)), { type: 'failed', idle: false, inExecution: true, syntax: false });
  t.match(statementOf(entryOf('x', { ...failed, severity: 'FEHLER', tag: 'BIND' })), {
    type: 'failed',
    inExecution: false,
  });
  t.match(statementOf(entryOf('x', { ...failed, severity: 'FATAL' })), { type: 'ended', idle: false });
  t.match(statementOf(entryOf('x', { severity: 'WARNING', sqlstate: '22P06' })), { type: 'nothing' });
  t.match(statementOf(entryOf('x', { severity: 'FATAL', sqlstate: '57P01' })), { type: 'ended', idle: true });
  t.end();
});

/** The matrix and notes of entries. */
function recorded(entries: readonly ReturnType<typeof entryOf>[], options: Partial<RecorderOptions> = {}) {
  const recorder = newRecorder(options);
  const log = new LogRecorder(recorder, 'postgres');
  for (const entry of entries) log.take(entry);
  const matrix = recorder.matrix();
  return { cells: cellLines(matrix), pairs: pairLines(matrix), notes: log.notes(), matrix, recorder };
}

const error = (query: string | null, more: Parameters<typeof entryOf>[1] = {}): ReturnType<typeof entryOf> =>
  entryOf('it failed', { severity: 'ERROR', sqlstate: '23505', tag: 'INSERT', query, ...more });

t.test('what began and how it ended', (t) => {
  const insert = (id: number): string => `INSERT INTO a VALUES (${id})`;
  const began = entryOf(`statement: ${insert(1)}`);
  const cells = (...entries: ReturnType<typeof entryOf>[]): string[] => recorded(entries).cells;
  t.same(cells(began), ['web public.a write: 1'], 'nothing more is heard of it');
  t.same(cells(began, error(insert(1))), ['web public.a write: 0, errors 1']);
  t.same(
    cells(began, error(insert(2), { tag: 'BIND' })),
    ['web public.a write: 1, errors 1'],
    'the next one was not bound',
  );
  t.same(cells(began, error('SELECT * FROM b')), ['web public.a write: 1', 'web public.b read: 0, errors 1']);
  t.same(cells(began, error(null)), ['web public.a write: 0, errors 1'], 'an error without its statement');
  t.same(cells(began, error(null, { tag: 'idle' })), ['web public.a write: 1'], 'and one of an idle session');
  t.same(cells(began, entryOf('x', { severity: 'WARNING', sqlstate: '01000' }), error(insert(1))), [
    'web public.a write: 0, errors 1',
  ]);
  t.same(cells(began, error(insert(1), { session: 's2' })), ['web public.a write: 1, errors 1'], 'another session');
  t.same(
    cells(began, entryOf('x', { severity: 'FATAL', sqlstate: '57P01' })),
    ['web public.a write: 1'],
    'ended while idle',
  );
  t.same(cells(began, error(insert(1), { severity: 'FATAL', sqlstate: '57P01' })), ['web public.a write: 0, errors 1']);
  const long = `INSERT INTO a VALUES ('${'x'.repeat(70_000)}') -- ${'y'.repeat(70_000)}`;
  const many = `INSERT INTO a VALUES (${Array.from({ length: 40_000 }, (_, n) => `c${n}`).join(', ')})`;
  for (const text of [long, many]) {
    t.same(
      cells(entryOf(`statement: ${text}`), error(text)),
      ['web public.a write: 0, errors 1'],
      `${text.length} bytes`,
    );
  }
  t.end();
});

t.test('a duration belongs to what began last', (t) => {
  const { matrix } = recorded([
    entryOf('statement: SELECT * FROM a'),
    entryOf('duration: 2000.000 ms', { tag: 'SELECT' }),
    entryOf('duration: 4000.000 ms', { tag: 'SELECT' }),
    entryOf('statement: SELECT * FROM b'),
  ]);
  t.same(
    matrix.cells.map(({ table, seconds }) => [table, seconds]),
    [
      ['public.a', 2],
      ['public.b', 0],
    ],
  );
  t.end();
});

t.test('who counts', (t) => {
  const text = 'statement: SELECT * FROM a';
  const { cells, notes } = recorded([
    entryOf(text, { application: '' }),
    entryOf(text, { session: 's2', database: 'other' }),
    entryOf(text, { session: 's2', database: 'other' }),
    entryOf(text, { session: 's3', application: 'pgfig relay' }),
    entryOf(text, { session: 's4', backend: 'parallel worker' }),
    entryOf(text, { session: 's5', backend: 'autovacuum worker' }),
    entryOf(text, { session: 's6', backend: 'walsender' }),
    entryOf(text, { session: 's7', database: '' }),
    entryOf(text, { session: 's8', backend: '', database: null, application: 'old' }),
  ]);
  t.same(cells, ['ann public.a read: 1', 'old public.a read: 1']);
  t.same(notes, [
    '2 statements were sent to the database other and are left out.',
    '1 statements of pgfig itself are left out.',
  ]);
  const mapped = recorded([entryOf(text)], {
    serviceOf: (application, user, address) => `${application}+${user}+${address}`,
  });
  t.same(mapped.cells, ['web+ann+10.0.0.1 public.a read: 1']);
  const renamed = recorded([entryOf(text), entryOf(text, { application: 'later' })]);
  t.same(renamed.cells, ['later public.a read: 1', 'web public.a read: 1'], 'SET application_name');
  t.end();
});

t.test('transactions of several services, by times of the log', (t) => {
  const at = (n: number): number => Date.UTC(2026, 4, 4, 10, 0, n);
  const run = (n: number, sql: string, transaction: string) =>
    entryOf(`statement: ${sql}`, { time: at(n), transaction });
  const { pairs, matrix } = recorded([
    run(1, 'BEGIN', '3/1'),
    run(2, 'INSERT INTO a VALUES (1)', '3/1'),
    run(3, 'UPDATE b SET x = 1', '3/1'),
    run(4, 'COMMIT', '3/1'),
    run(5, 'SELECT 1', '3/2'),
  ]);
  t.same(pairs, ['web transaction public.a public.b: 1']);
  t.match(matrix.pairs[0], {
    first: at(4),
    last: at(4),
    exampleA: 'INSERT INTO a VALUES (?)',
    exampleB: 'UPDATE b SET x = ?',
  });
  t.match(matrix.cells[0], { first: at(2), last: at(2) });
  const unlogged = recorded([
    run(1, 'INSERT INTO a VALUES (1)', '3/1'),
    run(2, 'DELETE FROM b', '3/1'),
    run(3, 'DELETE FROM c', '3/2'),
  ]);
  t.same(unlogged.pairs, ['web transaction public.a public.b: 1'], 'BEGIN and COMMIT are not logged');
  const open = recorded([
    run(1, 'BEGIN', '3/1'),
    run(2, 'INSERT INTO a VALUES (1)', '3/1'),
    run(3, 'DELETE FROM b', '3/1'),
  ]);
  t.same(open.pairs, [], 'what was not committed');
  const lost = recorded([
    ...[run(1, 'BEGIN', '3/1'), run(2, 'INSERT INTO a VALUES (1)', '3/1'), run(3, 'DELETE FROM b', '3/1')],
    run(4, 'DELETE FROM c', '3/2'),
  ]);
  t.same(lost.pairs, ['web transaction public.a public.b: 1'], 'the COMMIT was not logged');
  const chain = ['BEGIN', 'DELETE FROM a', 'COMMIT AND CHAIN', 'DELETE FROM b', 'DELETE FROM c', 'ROLLBACK'];
  t.same(recorded(chain.map((sql, n) => run(n, sql, n < 3 ? '3/1' : '3/2'))).pairs, []);
  t.end();
});

t.test('names', (t) => {
  const cellsOf = (...texts: string[]): string[] => recorded(texts.map((sql) => entryOf(`statement: ${sql}`))).cells;
  t.same(cellsOf('SET search_path TO app', 'SELECT * FROM a', 'RESET search_path', 'SELECT * FROM a'), [
    'web app.a read: 1',
    'web public.a read: 1',
  ]);
  t.same(cellsOf('BEGIN', 'SET LOCAL search_path TO app', 'SELECT * FROM a', 'COMMIT', 'SELECT * FROM a'), [
    'web app.a read: 1',
    'web public.a read: 1',
  ]);
  t.same(cellsOf('BEGIN', 'SET search_path TO app', 'ROLLBACK', 'SELECT * FROM a'), ['web public.a read: 1']);
  t.same(cellsOf('BEGIN', 'SET search_path TO app', 'COMMIT', 'SELECT * FROM a'), ['web app.a read: 1']);
  t.same(cellsOf('CREATE TEMP TABLE a (x int)', 'SELECT * FROM a', 'DROP TABLE a', 'SELECT * FROM a'), [
    'web public.a read: 1',
  ]);
  t.same(cellsOf('BEGIN', 'CREATE TEMP TABLE a (x int)', 'ROLLBACK', 'SELECT * FROM a'), ['web public.a read: 1']);
  t.same(cellsOf('CREATE TEMP TABLE a (x int)', 'DISCARD ALL', 'SELECT * FROM a'), ['web public.a read: 1']);
  t.end();
});

t.test('only some of the time', (t) => {
  const at = (n: number): number => Date.UTC(2026, 4, n);
  const entries = [1, 2, 3, 4].map((n) => entryOf('statement: INSERT INTO a VALUES (1)', { time: at(n) }));
  const { cells, recorder } = recorded(entries, { since: at(2), until: at(3) });
  t.same(cells, ['web public.a write: 2']);
  t.match(recorder, { first: at(2), last: at(3), statements: 2 });
  const set = [
    entryOf('statement: SET search_path TO app', { time: at(1) }),
    entryOf('statement: SELECT * FROM a', { time: at(3) }),
  ];
  t.same(recorded(set, { since: at(2) }).cells, ['web app.a read: 1'], 'what was set before is known');
  t.end();
});

t.test('what the reader is told', (t) => {
  const german = [1, 2, 3].map(() => entryOf('Anweisung: SELECT * FROM a'));
  t.match(recorded(german).notes, [/3 entries of class LOG are in no form that is known.* lc_messages = 'C'/]);
  const mixed = [entryOf('statement: SELECT 1'), entryOf('something new')];
  t.same(recorded(mixed).notes, [], 'a few are nothing to worry about');
  const later = entryOf('statement: SELECT 1', { time: Date.UTC(2026, 5, 1) });
  t.match(recorded([later, entryOf('statement: SELECT 1')]).notes, [/not in the order of their time/]);
  const syntax = error('SELEC 1', { sqlstate: '42601', tag: 'idle' });
  t.match(recorded([syntax]), { cells: [], notes: [/1 texts with a syntax error/] });
  const unknown = error('SELEC 1', { sqlstate: '', tag: '' });
  t.match(recorded([unknown]), { cells: [], notes: [/1 texts with a syntax error/] }, 'where the log has no codes');
  t.equal(recorded([entryOf('statement: EXECUTE p(1)')]).recorder.unprepared, 1);
  t.end();
});
