import t from 'tap';
import {
  checkStartupLength,
  encodeCancelRequest,
  encodeGssRequest,
  encodeSslRequest,
  encodeStartup,
  parseOptions,
  parseStartup,
} from '../../src/wire/startup.js';

const packet = (version: number, body: string): Buffer => {
  const buf = Buffer.alloc(8 + Buffer.byteLength(body));
  buf.writeInt32BE(buf.length, 0);
  buf.writeInt32BE(version, 4);
  buf.write(body, 8);
  return buf;
};

t.test('requests', async (t) => {
  t.strictSame(parseStartup(encodeSslRequest()), { type: 'ssl' });
  t.strictSame(parseStartup(encodeGssRequest()), { type: 'gss' });
  for (const size of [4, 32, 256]) {
    const secret = Buffer.alloc(size, 7);
    t.strictSame(parseStartup(encodeCancelRequest(4_194_999, secret)), { type: 'cancel', pid: 4_194_999, secret });
  }
  for (const size of [0, 3, 257]) {
    t.throws(() => parseStartup(encodeCancelRequest(1, Buffer.alloc(size))), { code: 'PROTOCOL_VIOLATION' });
  }
});

t.test('a secret outlives the packet that it came in', async (t) => {
  const buf = encodeCancelRequest(1, Buffer.from('abcd'));
  const parsed = parseStartup(buf);
  buf.fill(0);
  t.match(parsed, { secret: Buffer.from('abcd') });
});

t.test('startup message', async (t) => {
  const params: [string, string][] = [
    ['user', 'zoë'],
    ['database', 'shop'],
    ['application_name', ''],
  ];
  t.strictSame(parseStartup(encodeStartup(params)), {
    type: 'startup',
    major: 3,
    minor: 0,
    params: new Map(params),
    options: [],
  });
  t.match(parseStartup(encodeStartup(params, 2)), { minor: 2 });
  t.match(parseStartup(packet(0x0003_270f, 'user\0u\0_pq_.test\0x\0\0')), {
    minor: 9999,
    params: new Map([['user', 'u']]),
    options: ['_pq_.test'],
  });
});

t.test('what Postgres refuses', async (t) => {
  t.throws(() => parseStartup(packet(0x0002_0000, 'u\0')), {
    code: 'UNSUPPORTED_PROTOCOL',
    sqlstate: '0A000',
    message: 'unsupported frontend protocol 2.0: server supports 3.0 to 3.2',
  });
  t.throws(() => parseStartup(packet(0x0004_0000, 'user\0u\0\0')), { message: /protocol 4\.0/ });
  const layout = { code: 'PROTOCOL_VIOLATION', message: /^invalid startup packet layout/ };
  t.throws(() => parseStartup(packet(0x0003_0000, 'user\0u\0')), layout);
  t.throws(() => parseStartup(packet(0x0003_0000, 'user\0u\0\0\0')), layout);
  t.throws(() => parseStartup(packet(0x0003_0000, 'user\0u')), layout);
  const nobody = { sqlstate: '28000', message: 'no PostgreSQL user name specified in startup packet' };
  t.throws(() => parseStartup(packet(0x0003_0000, 'database\0d\0\0')), nobody);
  t.throws(() => parseStartup(packet(0x0003_0000, 'user\0\0\0')), nobody);
});

t.test('lengths', async (t) => {
  t.throws(() => checkStartupLength(10_005), { code: 'STARTUP_TOO_LARGE' });
  t.throws(() => checkStartupLength(7), { code: 'PROTOCOL_VIOLATION' });
  t.throws(() => checkStartupLength(-1), { code: 'PROTOCOL_VIOLATION' });
  t.doesNotThrow(() => checkStartupLength(10_004));
  t.throws(() => parseStartup(Buffer.alloc(5)), { message: 'invalid length of startup packet' });
  t.throws(() => parseStartup(packet(80877103, 'behind it')), { code: 'PROTOCOL_VIOLATION' });
  const wrong = encodeSslRequest();
  wrong[3] = 9;
  t.throws(() => parseStartup(wrong), { code: 'PROTOCOL_VIOLATION' });
});

t.test('a startup packet that is cut anywhere is refused', async (t) => {
  const whole = encodeStartup([
    ['user', 'u'],
    ['database', 'd'],
  ]);
  for (let end = 0; end < whole.length; end++) {
    t.throws(() => parseStartup(whole.subarray(0, end)), { name: 'PgfigError' });
    if (end < 8) continue;
    const relabelled = Buffer.from(whole.subarray(0, end));
    relabelled.writeInt32BE(end, 0);
    t.throws(() => parseStartup(relabelled), { name: 'PgfigError' });
  }
});

t.test('options', async (t) => {
  const cases: [string, [string, string][]][] = [
    ['', []],
    ['  ', []],
    ['-c geqo=off', [['geqo', 'off']]],
    [
      '-cgeqo=off  --search-path=a,b',
      [
        ['geqo', 'off'],
        ['search_path', 'a,b'],
      ],
    ],
    ['-c search_path=a\\ b', [['search_path', 'a b']]],
    ['-c a.b=x\\\\y', [['a.b', 'x\\y']]],
    ['--x=', [['x', '']]],
    ['-c x=a=b', [['x', 'a=b']]],
    [
      '-S 64 -e -fs',
      [
        ['work_mem', '64'],
        ['datestyle', 'euro'],
        ['enable_seqscan', 'false'],
      ],
    ],
  ];
  for (const [text, settings] of cases) t.strictSame(parseOptions(text), settings, JSON.stringify(text));
  for (const [text, message] of [
    ['-c geqo', '-c geqo requires a value'],
    ['--geqo', '--geqo requires a value'],
    ['word', 'invalid command-line argument for server process: word'],
    ['-c', 'invalid command-line argument for server process: -c'],
    ['-X', 'invalid command-line argument for server process: -X'],
    ['-- rest', 'invalid command-line argument for server process: rest'],
    ['-f toString', 'invalid command-line argument for server process: -f toString'],
  ] as const) {
    t.throws(() => parseOptions(text), { code: 'INVALID_OPTIONS', sqlstate: '42601', message });
  }
});
