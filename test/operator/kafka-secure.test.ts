import path from 'node:path';
import t from 'tap';
import type { KafkaConfig } from '../../src/config/config.js';
import { folderWith } from '../config/folder.js';
import { TestAuthority } from '../support/certificates.js';
import { startKafka } from '../support/kafka.js';
import { publisher } from './publishers.js';
import { until } from './statement-records.js';

const folder = folderWith(t);
const authority = new TestAuthority(folder);
const broker = authority.issue('broker', 'broker');
authority.issue('pgfig', 'pgfig');
const file = (name: string): string => path.join(folder, name);
const login = { username: 'pgfig', password: 'hunter2' };

const { kafka, missing } = await startKafka({
  secure: { ...broker, ca: authority.path('ca.crt'), user: login.username, password: login.password },
});
const needsKafka = { skip: missing ?? false };

t.test('TLS with a client certificate, and every login', needsKafka, async (t) => {
  if (kafka === null) return;
  const ssl = { ca: file('ca.crt'), cert: file('pgfig.crt'), key: file('pgfig.key') };
  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    const topic = await kafka.topic();
    const sasl = { mechanism, ...login };
    const { publisher: made } = publisher(t, { brokers: kafka.secureBrokers, ssl, sasl }, { topic });
    made.offer({ key: 'k', value: mechanism });
    await made.close(10_000);
    t.same(`${(await kafka.read(topic, 1))[0]?.value}`, mechanism);
  }
});

t.test('a wrong password, an unknown authority: told without a secret', needsKafka, async (t) => {
  if (kafka === null) return;
  const ssl = { ca: file('ca.crt'), cert: file('pgfig.crt'), key: file('pgfig.key') };
  const wrong = { mechanism: 'scram-sha-256', username: 'pgfig', password: 'hunter3' } as const;
  const cases: [Partial<KafkaConfig>, RegExp][] = [
    [{ ssl, sasl: wrong }, /credentials|authentication/i],
    [{ ssl: { ca: null, cert: null, key: null }, sasl: { ...wrong, ...login } }, /certificate/i],
  ];
  for (const [config, says] of cases) {
    const { publisher: made, log } = publisher(t, { brokers: kafka.secureBrokers, ...config }, { queue: 2 });
    for (let i = 0; i < 3; i++) made.offer({ key: 'k', value: 'v' });
    await until(() => made.failures >= 2, 'tried again');
    t.same([made.waiting, made.dropped], [2, 1]);
    t.match(log, [{ level: 40, msg: /^Kafka takes no messages/, error: says }]);
    t.equal(log.length, 1, 'once');
    t.notMatch(JSON.stringify(log), /hunter/);
    await made.close(0);
  }
});

t.test('what kafkajs says is for debugging, and holds no secret', needsKafka, async (t) => {
  if (kafka === null) return;
  const ssl = { ca: file('ca.crt'), cert: file('pgfig.crt'), key: file('pgfig.key') };
  const config = { brokers: kafka.secureBrokers, ssl, sasl: { mechanism: 'plain', ...login } } as const;
  const { publisher: made, log: lines } = publisher(t, config, {}, 'debug');
  await kafka.stop();
  made.offer({ key: 'k', value: 'v' });
  await until(() => made.failures >= 2, 'tried again');
  await kafka.restart();
  const told = lines.find(({ msg, broker }) => /^kafka: /.test(`${msg}`) && broker !== undefined);
  t.match(told, { level: 20, part: /./, broker: kafka.secureBrokers[0] });
  t.equal(lines.filter(({ level }) => level !== 20).length, 1);
  t.notMatch(JSON.stringify(lines), /hunter2/);
});

t.test('a certificate that cannot be read', async (t) => {
  const ssl = { ca: '/nonexistent/ca.crt', cert: null, key: null };
  t.throws(() => publisher(t, { brokers: ['a:1'], ssl }), {
    code: 'FILE_UNREADABLE',
    message: /\/nonexistent\/ca\.crt, a file of kafka\.ssl/,
  });
});
