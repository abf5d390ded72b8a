import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { certificateWarnings } from '../../src/config/tls-files.js';
import { configRows } from '../../src/operator/console/show-config.js';
import { configFromWire, configToWire } from '../../src/operator/processes/wire-forms.js';
import { TestAuthority } from '../support/certificates.js';
import { faults, folderWith } from './folder.js';

const ONE = 'databases:\n  monolith: { url: "postgres://127.0.0.1:5432/shop" }\n';
const KAFKA = 'kafka: { brokers: ["127.0.0.1:9092"], topicPrefix: shop. }\n';

const load = (t: Test, yaml: string) => loadConfig(join(folderWith(t, { 'p.yaml': ONE + yaml }), 'p.yaml'), {});

t.test('the access log: defaults, the path beside the file, the prefix before the topic', async (t) => {
  const config = load(t, `accessLog: { file: { path: logs/access.jsonl }, kafka: { topic: access-log } }\n${KAFKA}`);
  t.same(config.accessLog, {
    file: { path: join(config.file, '../logs/access.jsonl'), maxSize: 100 * 1024 ** 2, maxFiles: 10, compress: true },
    kafka: { topic: 'shop.access-log' },
    sample: 100,
    services: {},
    queue: 10_000,
  });
});

t.test('the access log: every key', async (t) => {
  const config = load(
    t,
    `accessLog:
  file: { path: /var/log/a.jsonl, maxSize: 1MB, maxFiles: 3, compress: false }
  sample: 50%
  services: { order-service: 100%, "reporting": 2.5%, "healthcheck": 0% }
  queue: 5
`,
  );
  t.same(config.accessLog, {
    file: { path: '/var/log/a.jsonl', maxSize: 1024 ** 2, maxFiles: 3, compress: false },
    kafka: null,
    sample: 50,
    services: { 'order-service': 100, reporting: 2.5, healthcheck: 0 },
    queue: 5,
  });
});

t.test('the matrix, with and without a topic', async (t) => {
  t.same(load(t, '').matrix, { enabled: true, flushInterval: 10_000, topic: null });
  t.same(load(t, `matrix: { enabled: false, flushInterval: 1m, topic: matrix }\n${KAFKA}`).matrix, {
    enabled: false,
    flushInterval: 60_000,
    topic: 'shop.matrix',
  });
});

t.test('Kafka: TLS and login', async (t) => {
  const folder = folderWith(t);
  const authority = new TestAuthority(folder);
  authority.issue('client', 'pgfig');
  const of = (yaml: string) => {
    const file = join(folderWith(t, { 'p.yaml': `${ONE}kafka: { brokers: ["a:1"], ${yaml} }\n` }), 'p.yaml');
    return loadConfig(file, { SECRET: 'hunter2' });
  };
  t.same(of('ssl: false').kafka, { brokers: ['a:1'], topicPrefix: '', clientId: 'pgfig', ssl: null, sasl: null });
  t.match(of('ssl: true, clientId: me').kafka, { clientId: 'me', ssl: { ca: null, cert: null, key: null } });
  const whole = of(
    `ssl: { ca: ${folder}/ca.crt, cert: ${folder}/client.crt, key: ${folder}/client.key }, sasl: { mechanism: scram-sha-512, username: u, password: "\${SECRET}" }`,
  );
  t.same(whole.kafka?.ssl, { ca: `${folder}/ca.crt`, cert: `${folder}/client.crt`, key: `${folder}/client.key` });
  t.same(whole.kafka?.sasl, { mechanism: 'scram-sha-512', username: 'u', password: 'hunter2' });
  t.notMatch(JSON.stringify(configRows(whole)), /hunter2/, 'the console does not show it');
  t.equal(
    certificateWarnings(whole, new Date(Date.now() + 29 * 86_400_000)).length,
    2,
    'ends of certificates are told',
  );
});

t.test('all of it crosses a pipe, and the console shows it', async (t) => {
  const config = load(
    t,
    `${KAFKA}matrix: { topic: m }\naccessLog: { kafka: { topic: a }, services: { b: 1% } }\nservices: [{ name: s, user: "^a", address: ["::1", 10.0.0.0/8] }]\n`,
  );
  t.same(configFromWire(JSON.parse(JSON.stringify(configToWire(config)))), config);
  const rows = Object.fromEntries(configRows(config).map(({ key, value }) => [key, value]));
  t.match(rows, {
    'services.0.name': 's',
    'services.0.address': '::1, 10.0.0.0/8',
    'matrix.flushInterval': '10000ms',
    'accessLog.services.b': '1',
    'accessLog.kafka.topic': 'shop.a',
    'kafka.ssl': null,
  });
});

const REFUSED: readonly (readonly [yaml: string, ...says: string[]])[] = [
  ['accessLog: {}', '3:12: accessLog does not say where to. Add accessLog.file, accessLog.kafka or both.'],
  ['accessLog: { sample: 5% }', '3:12: accessLog does not say where to. Add accessLog.file, accessLog.kafka or both.'],
  ['accessLog: { file: {} }', '3:14: accessLog.file.path is missing. Add it below accessLog.file.'],
  [
    'accessLog: { file: a.jsonl }',
    '3:20: accessLog.file must be a mapping of keys to values. Valid keys: path, maxSize, maxFiles, compress.',
  ],
  [
    'accessLog: { file: { path: a, maxSize: 5, maxFiles: 0, compress: gzip, mode: x } }',
    '3:40: accessLog.file.maxSize must be a size with its unit, such as 512kB or 64MB. Correct the value.',
    '3:53: accessLog.file.maxFiles must be a whole number from 1 to 10000. Correct the value.',
    '3:66: accessLog.file.compress must be true or false. Correct the value.',
    '3:72: unknown key "mode" in accessLog.file. Valid keys: path, maxSize, maxFiles, compress.',
  ],
  [
    'accessLog: { file: { path: a, maxSize: 5B } }',
    '3:40: accessLog.file.maxSize must be at least 1kB. Correct the value.',
  ],
  [
    'accessLog: { file: { path: a }, sample: 200%, services: { b: 5 }, queue: 0 }',
    '3:41: accessLog.sample must be at most 100%. Correct the value.',
    '3:62: accessLog.services.b must be a percentage such as 10%. Correct the value.',
    '3:74: accessLog.queue must be a whole number from 1 to 1000000. Correct the value.',
  ],
  [
    'accessLog: { file: { path: a }, services: [b] }',
    '3:43: accessLog.services must be a mapping of services to percentages. Correct the value.',
  ],
  [
    'accessLog: { kafka: { topic: a } }',
    '3:30: accessLog.kafka.topic needs a Kafka cluster. Add kafka.brokers, or remove it.',
  ],
  ['matrix: { topic: a }', '3:18: matrix.topic needs a Kafka cluster. Add kafka.brokers, or remove it.'],
  ['matrix: { flushInterval: 999ms }', '3:26: matrix.flushInterval must be from 1s to 10m. Correct the value.'],
  [
    'matrix: { enabled: 1, flushInterval: 11m, every: 1s }',
    '3:20: matrix.enabled must be true or false. Correct the value.',
    '3:38: matrix.flushInterval must be from 1s to 10m. Correct the value.',
    '3:43: unknown key "every" in matrix. Valid keys: enabled, flushInterval, topic.',
  ],
  [
    `${KAFKA}matrix: { topic: a }\naccessLog: { kafka: { topic: a } }`,
    '5:30: accessLog.kafka.topic and matrix.topic are the same. Choose two topics.',
  ],
  [
    `${KAFKA}matrix: { topic: "a b" }`,
    "4:18: matrix.topic with kafka.topicPrefix before it is not a name for a topic. Use at most 249 letters, digits, '.', '_' and '-'.",
  ],
  // Of a section with a fault only that is told.
  ['kafka: {}\nmatrix: { topic: a }', '3:1: kafka.brokers is missing. Add it below kafka.'],
  ['kafka: { brokers: [a] }', '3:20: kafka.brokers.0 must be written as host:port. Correct the value.'],
  [
    'kafka: { brokers: ["a:1"], ssl: 5, sasl: { mechanism: gssapi, user: a } }',
    '3:33: kafka.ssl must be true, false, or a mapping with ca, cert, key. Correct the value.',
    '3:36: kafka.sasl.username is missing. Add it below kafka.sasl.',
    '3:36: kafka.sasl.password is missing. Add it below kafka.sasl.',
    '3:55: kafka.sasl.mechanism is not one of the known values. Use one of plain, scram-sha-256, scram-sha-512.',
    '3:63: unknown key "user" in kafka.sasl. Valid keys: mechanism, username, password.',
  ],
  [
    'kafka: { brokers: ["a:1"], ssl: { cart: a.crt } }',
    '3:35: unknown key "cart" in kafka.ssl. Valid keys: ca, cert, key.',
  ],
  [
    'kafka: { brokers: ["a:1"], ssl: { cert: a.crt } }',
    '3:33: kafka.ssl has only one of cert and key. A client certificate needs both.',
    '3:41: the file a.crt cannot be read (ENOENT). Correct the path or the permissions.',
  ],
];

for (const [yaml, ...says] of REFUSED) {
  t.test(`refused: ${yaml.split('\n').at(-1)}`, async (t) => {
    const folder = folderWith(t, { 'p.yaml': `${ONE}${yaml}\n` });
    const shown = faults(folder, () => loadConfig(join(folder, 'p.yaml'), {}));
    t.same(
      shown,
      says.map((line) => `p.yaml:${line}`),
    );
  });
}
