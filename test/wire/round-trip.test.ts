import { PassThrough } from 'node:stream';
import { parse as pgParse } from 'pg-protocol';
import t from 'tap';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import * as backend from '../../src/wire/backend-messages.js';
import * as decode from '../../src/wire/decode.js';
import * as frontend from '../../src/wire/frontend-messages.js';
import { B, F } from '../../src/wire/types.js';
import { decoded, SAMPLES } from './messages.js';

/** What pg-protocol, which the world's clients use, makes of our messages. */
async function read(...messages: Buffer[]): Promise<Record<string, unknown>[]> {
  const seen: Record<string, unknown>[] = [];
  const stream = new PassThrough();
  const finished = pgParse(stream, (message) => seen.push(message as unknown as Record<string, unknown>));
  stream.end(Buffer.concat(messages));
  await finished;
  return seen;
}

t.test('what is encoded is decoded the same', async (t) => {
  const result = Object.fromEntries(SAMPLES.map(({ name, message, decoder }) => [name, decoded(decoder, message)]));
  t.match(result, {
    ErrorResponse: { severity: 'ERROR', localizedSeverity: 'ERROR', code: '42P01', detail: 'détail', line: 1392 },
    NoticeResponse: { severity: 'NOTICE', code: '00000', message: 'hello' },
    ParameterStatus: ['application_name', 'orders-sérvice'],
    NotificationResponse: { pid: 77, channel: 'changes', payload: '{"id":1}' },
    RowDescription: [
      { name: 'id', typeOid: 20, tableOid: 4_000_000_000, columnNumber: 1, typeSize: 8, format: 0 },
      { name: 'näme', typeOid: 1043, typeModifier: 54, format: 1 },
    ],
    ParameterDescription: [23, 4_294_967_295],
    DataRow: ['1', null, '', 'üñí'],
    CommandComplete: 'INSERT 0 12',
    NegotiateProtocolVersion: { minor: 2, unrecognized: ['_pq_.one', '_pq_.two'] },
    CopyInResponse: { format: 0, columnFormats: [0, 1] },
    Parse: { name: 's1', paramTypes: [23, 25] },
    Bind: { portal: 'p1', statement: 's1' },
    Describe: { what: 'S', name: 's1' },
    Close: { what: 'P', name: 'p1' },
    Execute: { portal: 'p1', maxRows: 50 },
    CopyFail: 'no more',
  });
  t.strictSame(result.BackendKeyData, { pid: 4_200_000, secret: Buffer.from('0123456789abcdef0123456789abcdef') });
});

t.test('every message carries its own length', async (t) => {
  for (const { name, message } of SAMPLES) t.equal(message.readInt32BE(1), message.length - 1, name);
});

t.test('the text of a query is where the span says', async (t) => {
  const parse = frontend.parse('s', 'SELECT 1');
  const { queryStart, queryEnd } = decode.decodeParse(parse, 5, parse.length);
  t.equal(parse.toString('utf8', queryStart, queryEnd), 'SELECT 1');
  for (const text of ['', 'SELECT 1', `SELECT '${'é'.repeat(200)}'`]) {
    const query = frontend.query(text);
    const span = decode.decodeQuery(query, 5, query.length);
    t.equal(query.toString('utf8', span.queryStart, span.queryEnd), text);
  }
});

t.test('pg-protocol reads what pgfig sends to clients', async (t) => {
  const seen = await read(
    backend.authenticationCleartext(),
    backend.authenticationMd5(Buffer.from([1, 2, 3, 4])),
    backend.authenticationSasl(['SCRAM-SHA-256', 'OTHER']),
    backend.authenticationSaslContinue(Buffer.from('r=x')),
    backend.authenticationSaslFinal(Buffer.from('v=y')),
    backend.authenticationOk(),
    backend.parameterStatus('server_version', '18.4'),
    backend.backendKeyData(-5, Buffer.from([0, 0, 1, 0])),
    backend.readyForQuery('I'),
  );
  t.match(seen, [
    { name: 'authenticationCleartextPassword' },
    { name: 'authenticationMD5Password', salt: Buffer.from([1, 2, 3, 4]) },
    { name: 'authenticationSASL', mechanisms: ['SCRAM-SHA-256', 'OTHER'] },
    { name: 'authenticationSASLContinue', data: 'r=x' },
    { name: 'authenticationSASLFinal', data: 'v=y' },
    { name: 'authenticationOk' },
    { name: 'parameterStatus', parameterName: 'server_version', parameterValue: '18.4' },
    { name: 'backendKeyData', processID: -5, secretKey: 256 },
    { name: 'readyForQuery', status: 'I' },
  ]);
});

t.test('pg-protocol reads results', async (t) => {
  const seen = await read(
    backend.parseComplete,
    backend.bindComplete,
    backend.parameterDescription([23]),
    backend.rowDescription([{ name: 'a', typeOid: 23, typeSize: 4 }]),
    backend.dataRow(['é', null]),
    backend.portalSuspended,
    backend.commandComplete('SELECT 1'),
    backend.emptyQueryResponse,
    backend.noData,
    backend.closeComplete,
    backend.notificationResponse(9, 'c', 'p'),
    backend.readyForQuery(0x45),
  );
  t.match(seen, [
    { name: 'parseComplete' },
    { name: 'bindComplete' },
    { name: 'parameterDescription', dataTypeIDs: [23] },
    { name: 'rowDescription', fields: [{ name: 'a', dataTypeID: 23, dataTypeSize: 4, format: 'text' }] },
    { name: 'dataRow', fields: ['é', null] },
    { name: 'portalSuspended' },
    { name: 'commandComplete', text: 'SELECT 1' },
    { name: 'emptyQuery' },
    { name: 'noData' },
    { name: 'closeComplete' },
    { name: 'notification', processId: 9, channel: 'c', payload: 'p' },
    { name: 'readyForQuery', status: 'E' },
  ]);
});

t.test('an error of pgfig has everything that a driver shows', async (t) => {
  const error = new PgfigError('NO_COMMON_HOME', 'orders is in orders_db', { detail: 'd', hint: 'h', position: 7 });
  const [seen] = await read(backend.errorFrom(error));
  t.match(seen, {
    name: 'error',
    severity: 'ERROR',
    code: '0A000',
    message: 'orders is in orders_db',
    detail: 'd',
    hint: 'h',
    position: '7',
  });
});

t.test('a NUL cannot break out of a text', async (t) => {
  const message = backend.errorResponse({ severity: 'ERROR', code: '22000', message: 'a\0Mb' });
  t.equal(decode.decodeErrorFields(message, 5, message.length).message, 'a');
  const status = backend.parameterStatus('x\0y', 'z\0');
  t.strictSame(decode.decodeParameterStatus(status, 5, status.length), ['x', 'z']);
});

t.test('severity comes from S where there is no V', async (t) => {
  const old = Buffer.from('SERROR\0C42601\0Mboom\0\0');
  t.match(decode.decodeErrorFields(old, 0, old.length), { severity: 'ERROR', code: '42601', message: 'boom' });
});

t.test('names are bytes: what a client calls a statement goes to backends unchanged', async (t) => {
  const bytes = Buffer.from('Pst\xe4t\xff\0', 'latin1');
  const { name } = decode.decodeDescribe(bytes, 0, bytes.length);
  t.strictSame(frontend.describePortal(name).subarray(5), bytes);
  const bind = frontend.bind(name, name);
  t.match(decode.decodeBindNames(bind, 5, bind.length), { portal: name, statement: name });
  t.equal(decode.decodeParse(frontend.parse(name, 'SELECT 1'), 5, name.length + 17).name, name);
  t.equal(decode.decodeExecute(frontend.execute(name), 5, 5 + name.length + 5).portal, name);
});

t.test('a Bind of which only the beginning is there', async (t) => {
  const bind = frontend.bind('portal', 'statement', ['value']);
  const namesEnd = 5 + 'portal\0statement\0'.length;
  for (let end = 5; end < namesEnd; end++) t.equal(decode.decodeBindNames(bind, 5, end, false), null);
  t.strictSame(decode.decodeBindNames(bind, 5, namesEnd, false), {
    portal: 'portal',
    statement: 'statement',
    end: namesEnd,
  });
  t.throws(() => decode.decodeBindNames(bind, 5, namesEnd - 1), { message: 'invalid string in message' });
});

t.test('messages of pg-protocol do not share a buffer', async (t) => {
  const first = frontend.query('SELECT 1');
  const copy = Buffer.from(first);
  for (let i = 0; i < 50; i++) {
    frontend.query(`SELECT ${'x'.repeat(i * 20)}`);
    frontend.password('secret');
    frontend.saslInitial('SCRAM-SHA-256', 'n,,n=,r=x');
    frontend.saslResponse('c=biws');
  }
  t.strictSame(first, copy);
});

t.test('messages without a body, and those for the login', async (t) => {
  t.strictSame(frontend.sync, Buffer.from([F.Sync, 0, 0, 0, 4]));
  t.strictSame(frontend.flush, Buffer.from([F.Flush, 0, 0, 0, 4]));
  t.strictSame(frontend.terminate, Buffer.from([F.Terminate, 0, 0, 0, 4]));
  t.strictSame(frontend.copyDone, Buffer.from([F.CopyDone, 0, 0, 0, 4]));
  t.strictSame(frontend.execute(), Buffer.from([F.Execute, 0, 0, 0, 9, 0, 0, 0, 0, 0]));
  t.equal(frontend.password('x').toString('latin1'), 'p\0\0\0\x06x\0');
  t.equal(frontend.saslInitial('M', 'ab').toString('latin1'), 'p\0\0\0\x0cM\0\0\0\0\x02ab');
  t.equal(frontend.saslResponse('ab').toString('latin1'), 'p\0\0\0\x06ab');
  t.strictSame(backend.readyForQuery('T'), Buffer.from([B.ReadyForQuery, 0, 0, 0, 5, 0x54]));
});
