import t from 'tap';
import * as backend from '../../src/wire/backend-messages.js';
import * as frontend from '../../src/wire/frontend-messages.js';
import { encodeCancelRequest, encodeSslRequest, encodeStartup } from '../../src/wire/startup.js';
import { traceMessage } from '../../src/wire/trace.js';
import { raw, SAMPLES } from './messages.js';

const fromFrontend = (message: Buffer): string => traceMessage('F', message[0] ?? 0, message, 5, message.length);
const fromBackend = (message: Buffer): string => traceMessage('B', message[0] ?? 0, message, 5, message.length);
const packet = (message: Buffer): string => traceMessage('F', 0, message, 4, message.length);

t.test('lines as PQtrace writes them', async (t) => {
  t.equal(fromFrontend(frontend.query('SELECT 1')), 'F\t13\tQuery\t "SELECT 1"');
  t.equal(fromFrontend(frontend.parse('', 'SELECT $1', [23])), 'F\t21\tParse\t "" "SELECT $1" 1 23');
  t.equal(fromFrontend(frontend.bind('', '', ['1', null])), 'F\t21\tBind\t "" "" 0 2 1 \'1\' -1 0');
  t.equal(fromFrontend(frontend.describePortal('')), 'F\t6\tDescribe\t P ""');
  t.equal(fromFrontend(frontend.execute()), 'F\t9\tExecute\t "" 0');
  t.equal(fromFrontend(frontend.sync), 'F\t4\tSync\t');
  t.equal(fromBackend(backend.readyForQuery('I')), 'B\t5\tReadyForQuery\t I');
  t.equal(fromBackend(backend.commandComplete('SELECT 1')), 'B\t13\tCommandComplete\t "SELECT 1"');
  t.equal(fromBackend(backend.dataRow(['1', null])), "B\t15\tDataRow\t 2 1 '1' -1");
  const column = backend.rowDescription([{ name: '?column?', typeOid: 23, typeSize: 4 }]);
  t.equal(fromBackend(column), 'B\t33\tRowDescription\t 1 "?column?" 0 0 23 4 -1 0');
  const error = backend.errorResponse({ severity: 'ERROR', code: '42601', message: 'x' });
  t.equal(fromBackend(error), 'B\t29\tErrorResponse\t S "ERROR" V "ERROR" C "42601" M "x" \\x00');
  t.equal(fromBackend(backend.authenticationOk()), 'B\t8\tAuthenticationOk\t 0');
  t.equal(packet(encodeSslRequest()), 'F\t8\tSSLRequest\t');
  t.equal(packet(encodeStartup([['user', 'u']])), 'F\t16\tStartupMessage\t 3 0 "user" "u"');
});

t.test('every message has a name', async (t) => {
  for (const { name, message } of SAMPLES) {
    const side = /Parse|Bind|Describe|Close|Execute|Query|CopyFail/.test(name) ? 'F' : 'B';
    const line = traceMessage(side, message[0] ?? 0, message, 5, message.length);
    t.match(line, `\t${name.replace('long ', '')}\t`);
    t.notMatch(line, 'malformed', name);
  }
  t.match(fromBackend(raw('?', 'ab')), "Unknown message: 3f\t 'ab'");
});

t.test('what cannot be read is said to be so, and a time can stand before', async (t) => {
  t.match(traceMessage('F', 0x51, Buffer.from('no end'), 0, 6), /Query\t \(malformed\)$/);
  const at = new Date('2026-01-02T03:04:05.678Z');
  t.equal(traceMessage('F', 0x53, Buffer.alloc(0), 0, 0, at), '2026-01-02 03:04:05.678\tF\t4\tSync\t');
});

t.test('long values are cut', async (t) => {
  const line = fromFrontend(frontend.query(`SELECT '${'x'.repeat(100_000)}'`));
  t.ok(line.length < 1200 && line.endsWith('...'));
  t.ok(fromBackend(backend.dataRow(Array.from({ length: 1600 }, () => 'x'))).length < 2000);
});

t.test('secrets are not written', async (t) => {
  const verifier =
    'SCRAM-SHA-256$4096:c2VjcmV0c2VjcmV0$Hk6wVZmIHtBm5ycMHBgRa2V8CXlnM0wDjzF7gHYB3m4=:9xN5tmQQxNgvdrCmQNv+qKUjkzPkAZsC8Zr4j7HKXcQ=';
  const lines = [
    fromFrontend(frontend.password('hunter2')),
    fromFrontend(frontend.saslInitial('SCRAM-SHA-256', 'hunter2')),
    fromFrontend(frontend.query("ALTER ROLE x PASSWORD 'hunter2' VALID UNTIL 'infinity'")),
    fromFrontend(frontend.query("ALTER ROLE x PASSWORD E'\\'hunter2'")),
    fromFrontend(frontend.query('ALTER ROLE x PASSWORD $a$hunter2$a$')),
    fromFrontend(frontend.query(`ALTER ROLE x PASSWORD '${' '.repeat(2000)}hunter2`)),
    fromFrontend(frontend.parse('', "CREATE USER MAPPING FOR x SERVER s OPTIONS (password 'hun''ter2')")),
    fromFrontend(frontend.query("CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p")),
    fromBackend(backend.authenticationSaslContinue(Buffer.from('hunter2'))),
    fromBackend(backend.backendKeyData(1, Buffer.from('hunter2!'))),
    packet(encodeCancelRequest(1, Buffer.from('hunter2!'))),
    fromBackend(backend.dataRow([verifier, 'md5f1a2b3c4d5e6f708192a3b4c5d6e7f80'])),
    fromFrontend(frontend.bind('', '', [verifier])),
  ];
  for (const line of lines) t.notMatch(line, /hunter2|hun''ter2|ter2|Hk6w|f1a2b3/, line);
  t.match(lines[2], "PASSWORD '***' VALID UNTIL 'infinity'");
});
