import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { AuditRecorder } from '../../src/discovery/logs/audit-recorder.js';
import { auditLineOf } from '../../src/discovery/logs/pgaudit.js';
import { cellLines, discover, entryOf, newFolder, newRecorder, pairLines } from './helpers.js';

/** A field as pgaudit writes it (append_valid_csv). */
const csv = (field: string): string => (/[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);

type Fields = readonly [
  id: number,
  sub: number,
  className: string,
  command: string,
  type: string,
  name: string,
  sql: string,
];

const audit = ([id, sub, ...fields]: Fields, kind = 'SESSION', parameters = '<not logged>'): string =>
  `AUDIT: ${kind},${id},${sub},${fields.map(csv).join(',')},${parameters}`;

t.test('the lines of pgaudit', (t) => {
  const sql = 'select "a",\n\'it\'\'s\' from "B"';
  t.same(
    auditLineOf(Buffer.from(audit([33, 2, 'READ', 'SELECT', 'TABLE', 'public."B"', sql], 'OBJECT', '"1,""x"""'))),
    {
      statementId: 33,
      substatementId: 2,
      class: 'READ',
      command: 'SELECT',
      objectType: 'TABLE',
      objectName: 'public."B"',
      text: sql,
      rows: null,
    },
  );
  t.match(auditLineOf(Buffer.from('AUDIT: SESSION,1,1,READ,SELECT,,,select 1,<none>,17')), {
    text: 'select 1',
    rows: 17,
  });
  t.match(auditLineOf(Buffer.from('AUDIT: SESSION,1,1,READ,SELECT,,,<previously logged>,<previously logged>')), {
    text: null,
  });
  t.match(auditLineOf(Buffer.from('AUDIT: SESSION,1,1,READ,SELECT,,,<not logged>,<not logged>')), { text: null });
  for (const text of [
    'statement: select 1',
    'AUDIT: ',
    'AUDIT: SESSION,x,1,READ,SELECT,,,select 1,<none>',
    'AUDIT: OTHER,1,1,a,b,c,d,e,f',
  ]) {
    t.equal(auditLineOf(Buffer.from(text)), null, text);
  }
  const field = fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', "'", ' ') });
  fc.assert(
    fc.property(field, field, (name, text) => {
      const line = auditLineOf(Buffer.from(audit([1, 1, 'READ', 'SELECT', 'TABLE', name, `x${text}`])));
      return line?.objectName === name && line.text === `x${text}`;
    }),
  );
  t.end();
});

interface Line {
  readonly audit?: string;
  readonly error?: string;
  readonly transaction?: string;
  readonly session?: string;
  readonly database?: string;
}

function recorded(lines: readonly Line[]) {
  const recorder = newRecorder();
  const taker = new AuditRecorder(recorder, 'postgres', 'monolith', null);
  for (const { audit: message, error, ...facts } of lines) {
    const failed = { severity: 'ERROR', sqlstate: '23505', tag: 'INSERT', query: error ?? null };
    taker.take(message === undefined ? entryOf('it failed', { ...facts, ...failed }) : entryOf(message, facts));
  }
  taker.end();
  const matrix = recorder.matrix();
  return { cells: cellLines(matrix), pairs: pairLines(matrix), notes: taker.notes(), matrix };
}

t.test('one statement, however many lines tell of it', (t) => {
  const join = 'select * from a join b using (id)';
  const lines = ['public.a', 'public.b'].map((table) => ({
    audit: audit([1, 1, 'READ', 'SELECT', 'TABLE', table, join]),
  }));
  const again = { audit: audit([2, 1, 'READ', 'SELECT', '', '', join]) };
  t.match(recorded([...lines, again]), {
    cells: ['web public.a read: 2', 'web public.b read: 2'],
    pairs: ['web join public.a public.b: 2'],
  });
  const other = { audit: audit([1, 1, 'WRITE', 'INSERT', '', '', 'insert into a values (1)']), session: 's2' };
  t.same(recorded([...lines, other]).cells, ['web public.a read: 1', 'web public.a write: 1', 'web public.b read: 1']);
  t.end();
});

t.test('what runs within a statement', (t) => {
  const call = 'select f()';
  const dynamic = recorded([
    { audit: audit([1, 1, 'READ', 'SELECT', '', '', call]) },
    { audit: audit([1, 2, 'FUNCTION', 'EXECUTE', 'FUNCTION', 'public.f', call]) },
    { audit: audit([1, 3, 'WRITE', 'INSERT', 'TABLE', 'public.a', 'insert into a select * from v']) },
    {
      audit: audit(
        [1, 3, 'READ', 'SELECT', 'VIEW', 'public.v', '<previously logged>'],
        'SESSION',
        '<previously logged>',
      ),
    },
    {
      audit: audit(
        [1, 3, 'READ', 'SELECT', 'TABLE', 'public."B"', '<previously logged>'],
        'SESSION',
        '<previously logged>',
      ),
    },
    { audit: audit([1, 4, 'DDL', 'CREATE TABLE', 'TABLE', 'public.made', 'create table made (id int primary key)']) },
    {
      audit: audit([
        1,
        4,
        'DDL',
        'CREATE INDEX',
        'INDEX',
        'public.made_pkey',
        'create table made (id int primary key)',
      ]),
    },
    { audit: audit([1, 5, 'READ', 'SELECT', 'TABLE', 'pg_catalog.pg_class', 'select 1']) },
  ]);
  t.same(
    dynamic.cells.filter((line) => !line.includes('opaque')),
    [
      'web public.B read: 1, hidden 1',
      'web public.a write: 1, hidden 1',
      'web public.made ddl: 1, hidden 1',
      'web public.v read: 1, hidden 1',
    ],
  );
  t.same(dynamic.pairs, ['web join public.B public.a: 1'], 'a view is none of them');
  t.equal(dynamic.matrix.cells[0]?.example, 'select f()');
  t.end();
});

t.test('failures', (t) => {
  const sql = "insert into a values (1, 'x')";
  const line = { audit: audit([1, 1, 'WRITE', 'INSERT', '', '', sql]) };
  t.same(recorded([line, { error: sql }]).cells, ['web public.a write: 0, errors 1']);
  t.same(recorded([line, { error: 'select * from b' }]).cells, [
    'web public.a write: 1',
    'web public.b read: 0, errors 1',
  ]);
  t.same(recorded([{ error: sql }]).cells, ['web public.a write: 0, errors 1'], 'logged after it ran, with log_rows');
  t.end();
});

t.test('transactions, strings of statements, EXECUTE', (t) => {
  const misc = (id: number, command: string): Line => ({ audit: audit([id, 1, 'MISC', command, '', '', command]) });
  const insert = (id: number, table: string): Line => ({
    audit: audit([id, 1, 'WRITE', 'INSERT', '', '', `insert into ${table} values (1)`]),
  });
  t.same(recorded([misc(1, 'BEGIN'), insert(2, 'a'), insert(3, 'b'), misc(4, 'COMMIT')]).pairs, [
    'web transaction public.a public.b: 1',
  ]);
  t.same(recorded([misc(1, 'BEGIN'), insert(2, 'a'), insert(3, 'b'), misc(4, 'ROLLBACK')]).pairs, []);
  const transaction = '3/7';
  t.same(
    recorded([
      { ...insert(1, 'a'), transaction },
      { ...insert(2, 'b'), transaction },
      { ...insert(3, 'c'), transaction: '3/8' },
    ]).pairs,
    ['web transaction public.a public.b: 1'],
    'with class WRITE alone',
  );
  const text = 'select * from a; insert into b values (1); select * from c';
  const string = (['SELECT', 'INSERT', 'SELECT'] as const).map((command, n) => ({
    audit: audit([n + 1, 1, command === 'SELECT' ? 'READ' : 'WRITE', command, '', '', text]),
  }));
  t.same(recorded(string).cells, ['web public.a read: 1', 'web public.b write: 1', 'web public.c read: 1']);
  t.same(recorded(string.slice(1, 2)).cells, ['web public.b write: 1'], 'with class WRITE alone');
  const prepare = 'prepare p as select * from a where id = $1';
  const execute = recorded([
    { audit: audit([1, 1, 'READ', 'PREPARE', '', '', prepare]) },
    { audit: audit([2, 1, 'READ', 'SELECT', '', '', prepare], 'SESSION', '1') },
    { audit: audit([2, 2, 'MISC', 'EXECUTE', '', '', 'execute p(1)']) },
  ]);
  t.same(execute.cells, ['web public.a read: 1']);
  t.end();
});

t.test('without texts, what pgaudit names counts', (t) => {
  const line = { audit: audit([1, 1, 'WRITE', 'UPDATE', 'TABLE', 'public.a', '<not logged>']) };
  const { cells, notes } = recorded([line, { ...line, session: 's2' }, { ...line, session: 's3', database: 'other' }]);
  t.same(cells, ['web public.a write: 2']);
  t.match(notes, [/1 statements were sent to the database other/, /2 statements were logged without their text/]);
  t.match(recorded([{ audit: 'statement: select 1' }]).notes, [/None of 1 entries is pgaudit's/]);
  t.end();
});

t.test('in lines with a prefix', async (t) => {
  const file = path.join(await newFolder(), 'postgresql.log');
  const prefix = '2026-05-04 10:00:00.123 UTC [42] ann@postgres web';
  const sql = 'update a\n   set v = 1';
  await writeFile(
    file,
    [
      `${prefix} LOG:  statement: ${sql.replace('\n', '\n\t')}`,
      `${prefix} LOG:  ${audit([1, 1, 'WRITE', 'UPDATE', '', '', sql]).replaceAll('\n', '\n\t')}`,
      `${prefix} LOG:  ${audit([2, 1, 'WRITE', 'UPDATE', '', '', sql]).replaceAll('\n', '\n\t')}`,
      `${prefix} ERROR:  division by zero`,
      `${prefix} STATEMENT:  ${sql.replace('\n', '\n\t')}`,
      '',
    ].join('\n'),
  );
  const found = await discover([file], { lines: 'pgaudit', linePrefix: '%m [%p] %q%u@%d %a ' });
  t.same(cellLines(found.matrix), ['web public.a write: 1, errors 1']);
  t.same(found.notes, []);
  t.equal(found.matrix.cells[0]?.example, 'update a set v = ?');
});
