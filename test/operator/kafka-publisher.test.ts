import { createServer } from 'node:net';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { KafkaConfig } from '../../src/config/config.js';
import { openKafka } from '../../src/operator/kafka/client.js';
import { Publisher, type PublisherOptions } from '../../src/operator/kafka/publisher.js';
import { verdictOn } from '../../src/operator/kafka/send-failure.js';
import { folderWith } from '../config/folder.js';
import { TestAuthority } from '../support/certificates.js';
import { startKafka } from '../support/kafka.js';
import { logLines } from './log-lines.js';
import { until } from './statement-records.js';

const PLAIN: KafkaConfig = { brokers: [], topicPrefix: '', clientId: 'pgfig', ssl: null, sasl: null };

function publisher(t: Test, config: Partial<KafkaConfig>, options: Partial<PublisherOptions>) {
  const { log, lines } = logLines();
  const kafka = openKafka({ ...PLAIN, ...config }, log);
  const made = new Publisher(kafka, { topic: 't', queue: 1_000, acks: 1, idempotent: false, ...options }, log);
  t.teardown(() => made.close(0));
  return { publisher: made, log: lines };
}

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

t.test('messages arrive whole, in order, with their keys', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = await kafka.topic();
  const { publisher: made, log } = publisher(t, { brokers: kafka.brokers }, { topic });
  for (let n = 0; n < 1_000; n++) made.offer({ key: `k${n % 3}`, value: `${n}` });
  t.equal(made.waiting, 1_000);
  await made.close(10_000);
  const messages = await kafka.read(topic, 1_000);
  t.same(
    messages.map(({ key, value }) => `${key} ${value}`),
    Array.from({ length: 1_000 }, (_, n) => `k${n % 3} ${n}`),
  );
  t.same([made.sent, made.dropped, made.failures], [1_000, 0, 0]);
  t.same(log, [], 'nothing to say');
});

t.test('what the brokers refuse is dropped, told once, and holds up nothing', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = await kafka.topic();
  const { publisher: made, log } = publisher(t, { brokers: kafka.brokers }, { topic });
  for (let i = 0; i < 2; i++) {
    made.offer({ key: 'k', value: 'x'.repeat(2_000_000) });
    made.offer({ key: 'k', value: `${i}` });
  }
  await made.close(10_000);
  t.same(
    (await kafka.read(topic, 2)).map(({ value }) => `${value}`),
    ['0', '1'],
  );
  t.same([made.sent, made.dropped], [2, 2]);
  t.match(log, [{ level: 40, msg: /^Kafka refuses messages/, topic, error: /larger than the max/ }]);
  t.equal(log.length, 1);
});

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
  const { log, lines } = logLines('debug');
  const ssl = { ca: file('ca.crt'), cert: file('pgfig.crt'), key: file('pgfig.key') };
  const sasl = { mechanism: 'plain', ...login } as const;
  const client = openKafka({ ...PLAIN, brokers: kafka.secureBrokers, ssl, sasl }, log);
  const made = new Publisher(client, { topic: 't', queue: 1, acks: 1, idempotent: false }, log);
  t.teardown(() => made.close(0));
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
  t.throws(() => openKafka({ ...PLAIN, brokers: ['a:1'], ssl }, logLines().log), {
    code: 'FILE_UNREADABLE',
    message: /\/nonexistent\/ca\.crt, a file of kafka\.ssl/,
  });
});

t.test('a broker that takes connections and says nothing holds up neither traffic nor the end', async (t) => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  t.teardown(() => silent.close());
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { publisher: made } = publisher(t, { brokers: [`127.0.0.1:${port}`] }, { queue: 10 });
  for (let i = 0; i < 100; i++) made.offer({ key: 'k', value: 'v' });
  t.same([made.waiting, made.dropped], [10, 90]);
  await until(async () => (await connections(silent)) > 0, 'it is being asked');
  const start = Date.now();
  await made.close(100);
  t.ok(Date.now() - start < 5_000);
  t.same([made.sent, made.dropped], [0, 100]);
});

const connections = (server: ReturnType<typeof createServer>): Promise<number> =>
  new Promise((resolve) => server.getConnections((_, count) => resolve(count)));

t.test('what a failure means for its messages', async (t) => {
  const protocol = (type: string, retriable: boolean) => Object.assign(new Error(type), { type, code: 1, retriable });
  const wrapped = (cause: Error) => Object.assign(new Error(cause.message, { cause }), { retriable: false });
  t.equal(verdictOn(new Error('connect ECONNREFUSED')), 'again');
  t.equal(verdictOn('text'), 'again');
  t.equal(verdictOn(wrapped(new Error('Connection closed'))), 'again');
  t.equal(verdictOn(wrapped(protocol('LEADER_NOT_AVAILABLE', true))), 'again');
  t.equal(verdictOn(wrapped(protocol('TOPIC_AUTHORIZATION_FAILED', false))), 'never');
  t.equal(verdictOn(protocol('MESSAGE_TOO_LARGE', false)), 'never');
  t.equal(verdictOn(wrapped(protocol('OUT_OF_ORDER_SEQUENCE_NUMBER', false))), 'anew');
  t.equal(verdictOn(wrapped(protocol('DUPLICATE_SEQUENCE_NUMBER', false))), 'there');
  t.equal(verdictOn(wrapped(wrapped(protocol('NOT_ENOUGH_REPLICAS', true)))), 'again');
});
