import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { LinePrefix } from '../../src/discovery/logs/line-prefix.js';
import { LogClock } from '../../src/discovery/logs/log-clock.js';
import { addressOf, type LogEntry } from '../../src/discovery/logs/log-entry.js';
import { openLog, sizeOf } from '../../src/discovery/logs/open-log.js';
import { readLogs } from '../../src/discovery/logs/read-logs.js';
import { newFolder } from './helpers.js';

const folder = await newFolder();

/** A record of csvlog; `fields` is how many PostgreSQL's version has. */
function csvLine(
  message: string,
  { time = '2026-05-04 10:00:00.123 UTC', start = '2026-05-04 09:00:00 UTC', fields = 26 } = {},
): string {
  const session = (Date.UTC(2026, 4, 4, 9) / 1000).toString(16);
  const more = fields >= 24 ? ',"client backend"' : '';
  return `${time},"ann","shop",42,"10.0.0.1:5000",${session}.2a,1,"SELECT",${start},3/7,0,LOG,00000,"${message.replaceAll('"', '""')}",,,,,,,,,"web"${more}${fields >= 26 ? ',,0' : ''}\n`;
}

interface Kept extends Omit<LogEntry, 'message' | 'detail' | 'query'> {
  readonly message: string;
  readonly detail: string | null;
  readonly query: string | null;
}

function keep(entry: LogEntry): Kept {
  const { time, session, user, database, application, address, tag, transaction, severity, sqlstate, backend } = entry;
  const facts = { time, session, user, database, application, address, tag, transaction, severity, sqlstate, backend };
  const text = (bytes: Buffer | null): string | null => bytes?.toString('utf8') ?? null;
  return { ...facts, message: entry.message.toString('utf8'), detail: text(entry.detail), query: text(entry.query) };
}

/** Entries and notes of texts, each as a file. */
async function read(texts: readonly (string | Buffer)[], linePrefix: string | null = null) {
  const files: string[] = [];
  for (const [at, text] of texts.entries()) {
    const file = path.join(folder, `log-${at}`);
    await writeFile(file, text);
    files.push(file);
  }
  const entries: Kept[] = [];
  const notes = await readLogs({ files, linePrefix }, (entry) => entries.push(keep(entry)));
  return { entries, notes };
}

const ENTRY = {
  time: Date.UTC(2026, 4, 4, 10, 0, 0, 123),
  session: '69f86010.2a',
  user: 'ann',
  database: 'shop',
  application: 'web',
  address: '10.0.0.1',
  tag: 'SELECT',
  transaction: '3/7',
  severity: 'LOG',
  sqlstate: '00000',
  message: 'statement: select "a"\nfrom b',
  detail: null,
  query: null,
};

t.test('csvlog of PostgreSQL 12, 13, and 14 to 18', async (t) => {
  const message = ENTRY.message;
  const { entries } = await read([
    csvLine(message, { fields: 23 }),
    csvLine(message, { fields: 24 }),
    csvLine(message),
  ]);
  t.same(entries, [
    { ...ENTRY, backend: '' },
    { ...ENTRY, backend: 'client backend' },
    { ...ENTRY, backend: 'client backend' },
  ]);
});

t.test('jsonlog', async (t) => {
  const line = {
    timestamp: '2026-05-04 10:00:00.123 UTC',
    user: 'ann',
    dbname: 'shop',
    pid: 42,
    remote_host: '10.0.0.1',
    remote_port: 5000,
    session_id: ENTRY.session,
    ps: 'SELECT',
    session_start: '2026-05-04 09:00:00 UTC',
    vxid: '3/7',
    error_severity: 'LOG',
    message: ENTRY.message,
    application_name: 'web',
    backend_type: 'client backend',
  };
  const failed = { ...line, error_severity: 'ERROR', state_code: '42P01', detail: 'd', statement: 'select 1' };
  const { entries } = await read([`${JSON.stringify(line)}\n${JSON.stringify(failed)}\r\n`]);
  const backend = 'client backend';
  t.same(entries, [
    { ...ENTRY, backend },
    { ...ENTRY, backend, severity: 'ERROR', sqlstate: '42P01', detail: 'd', query: 'select 1' },
  ]);
});

t.test('lines with a prefix', async (t) => {
  const before = '2026-05-04 10:00:00.123 UTC [42] ann@shop web';
  const text = [
    '\trest of what stood in the file before',
    '2026-05-04 09:59:00.000 UTC [1] LOG:  database system is ready to accept connections',
    `${before} LOG:  statement: select "a"`,
    '\tfrom b',
    `${before} ERROR:  relation "b" does not exist at character 3`,
    `${before} DETAIL:  more`,
    `${before} HINT:  try again`,
    `${before} STATEMENT:  select "a"`,
    '\tfrom b',
    '',
  ].join('\n');
  const { entries, notes } = await read([text], '%m [%p] %q%u@%d %a ');
  const entry = { ...ENTRY, session: '42', address: '', tag: '', transaction: '', sqlstate: '', backend: '' };
  t.same(entries[0]?.message, 'database system is ready to accept connections');
  t.match(entries[0], { session: '1', user: '', database: '', application: '' });
  t.same(entries.slice(1), [
    entry,
    {
      ...entry,
      severity: 'ERROR',
      message: 'relation "b" does not exist at character 3',
      detail: 'more',
      query: 'select "a"\nfrom b',
    },
  ]);
  t.same(notes, []);
});

t.test('what a prefix may hold', (t) => {
  const line =
    '1777888800.123:69f86010.2a 10.0.0.1(5000) [   42] my app   |ann/shop|SELECT 3/7 00000 client backend 7% LOG:  statement: select 1';
  const prefix = new LinePrefix('%n:%c %r [%5p] %-8a |%u/%d|%i %v %e %b %l%% ');
  t.match(prefix.match(line), {
    severity: 'LOG',
    rest: 'statement: select 1',
    fields: {
      epoch: '1777888800.123',
      session: '69f86010.2a',
      address: '10.0.0.1(5000)',
      application: 'my app',
      user: 'ann',
      database: 'shop',
      tag: 'SELECT',
      transaction: '3/7',
      sqlstate: '00000',
      backend: 'client backend',
    },
  });
  t.equal(prefix.match('something else'), null);
  t.equal(new LinePrefix('%p %u ').match('1 [unknown] LOG:  x')?.fields.user, '');
  t.equal(new LinePrefix('%p %u ').match('1 ann LOG:  x')?.fields.database, null);
  t.throws(() => new LinePrefix('%m [%p] '), { code: 'CONFIG_INVALID', message: /no %a or %u/ });
  t.throws(() => new LinePrefix('%m %a '), { code: 'CONFIG_INVALID', message: /no %p or %c/ });
  t.throws(() => new LinePrefix('%p %a %y '), { code: 'CONFIG_INVALID', message: /%y is not known/ });
  t.end();
});

t.test('time zones', async (t) => {
  const clock = new LogClock();
  const at = (text: string, session: readonly [string, string] | null = null): number => {
    const bytes = Buffer.from(text);
    return clock.read(bytes, 0, bytes.length, () => session);
  };
  const ten = Date.UTC(2026, 4, 4, 10);
  const began = (ten / 1000 - 60).toString(16);
  t.equal(at('2026-05-04 10:00:00.000 UTC'), ten);
  t.equal(at('2026-05-04 10:00:00 GMT'), ten);
  t.equal(at('2026-05-04 10:00:01.5 UTC'), ten + 1500);
  t.equal(at('2026-05-04 13:00:00.000 +03'), ten);
  t.equal(at('2026-05-04 04:30:00.000 -0530'), ten);
  t.equal(at('2026-05-04 12:00:00.000 CEST', ['2026-05-04 11:59:00 CEST', `${began}.1`]), ten, 'by a session’s start');
  t.equal(at('2026-05-04 12:00:00.250 CEST'), ten + 250, 'and then known');
  t.equal(at('2026-05-04 10:00:00.000 UTC'), ten);
  t.same([...clock.unknown], []);
  at('2026-05-04 10:00:00.000 XYZ');
  t.same([...clock.unknown], ['XYZ']);
  for (const text of ['', 'x', '2026-05-04', 'hello, this is not a time at all', '2026/05/04 10:00:00 UTC'])
    t.ok(Number.isNaN(at(text)), text);
  const { entries } = await read([
    csvLine('statement: x', { time: '2026-05-04 12:00:00.123 CEST', start: '2026-05-04 11:00:00 CEST' }),
  ]);
  t.equal(entries[0]?.time, ENTRY.time);
});

t.test('addresses', (t) => {
  const cases = [
    ['127.0.0.1:5432', '127.0.0.1'],
    ['::1:5432', '::1'],
    ['[local]', '[local]'],
    ['', ''],
    ['host(5432)', 'host'],
  ] as const;
  for (const [text, address] of cases) t.equal(addressOf(text), address);
  t.end();
});

t.test('gzip, several members of it, and stdin', async (t) => {
  const one = csvLine('statement: select 1');
  const two = csvLine('statement: select 2');
  const packed = Buffer.concat([gzipSync(one), gzipSync(two)]);
  t.same(
    (await read([packed])).entries.map(({ message }) => message),
    ['statement: select 1', 'statement: select 2'],
  );
  const bytes: Buffer[] = [];
  let counted = 0;
  // One byte at a time: the first two tell what it is.
  const stdin = Readable.from([...packed].map((byte) => Buffer.from([byte])));
  for await (const chunk of openLog(
    '-',
    (count) => {
      counted += count;
    },
    stdin,
  ))
    bytes.push(Buffer.from(chunk));
  t.equal(Buffer.concat(bytes).toString(), one + two);
  t.equal(counted, packed.length);
  t.equal(await sizeOf(['-']), null);
});

t.test('what cannot be read', async (t) => {
  const csv = csvLine('statement: select 1');
  await t.rejects(
    readLogs({ files: [path.join(folder, 'none')], linePrefix: null }, () => undefined),
    {
      code: 'FILE_UNREADABLE',
      message: /none cannot be read \(ENOENT\)/,
    },
  );
  await t.rejects(sizeOf([folder]), { code: 'FILE_UNREADABLE', message: /is a folder/ });
  await t.rejects(read(['hello\nworld\n']), { code: 'FILE_UNREADABLE', message: /log-0: neither csvlog nor jsonlog/ });
  await t.rejects(read([gzipSync(csv.repeat(1000)).subarray(0, 100)]), {
    code: 'FILE_UNREADABLE',
    message: /Z_BUF_ERROR/,
  });
  await t.rejects(read(['2026-05-04 10:00:00 UTC,1,2\n']), {
    code: 'FILE_UNREADABLE',
    message: /log-0: line 1: not csvlog .* here are 3/,
  });
  await t.rejects(read(['{"a":1}\n{"b":2}\n']), { code: 'FILE_UNREADABLE', message: /line 2: not jsonlog/ });
  await t.rejects(read(['LOG:  x\n'], '%m [%p] %u '), {
    code: 'FILE_UNREADABLE',
    message: /no line before it begins as --line-prefix says/,
  });
  t.end();
});

t.test('what can be read of damaged files', async (t) => {
  const csv = csvLine('statement: select 1');
  const cut = await read([csv + csv.slice(0, -30)]);
  t.equal(cut.entries.length, 1);
  t.match(cut.notes, [/log-0: 1 entries or lines are not whole/]);
  const inside = await read([
    `rest of an entry"\n${csv}broken,line\n${csv}`.replace('rest', '2026-05-04 10:00:00 UTC,rest'),
  ]);
  t.equal(inside.entries.length, 2);
  const json = await read([
    '{"timestamp":"2026-05-04 10:00:00.123 UTC","error_severity":"LOG","message":"x"}\n{"timest',
  ]);
  t.equal(json.entries.length, 1);
  t.match(json.notes, [/1 entries or lines are not whole/]);
  t.match((await read([''])).notes, [/log-0 is empty/]);
});
