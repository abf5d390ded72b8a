import { createServer } from 'node:net';
import t from 'tap';
import { verdictOn } from '../../src/operator/kafka/send-failure.js';
import { startKafka } from '../support/kafka.js';
import { publisher } from './publishers.js';
import { until } from './statement-records.js';

const { kafka, missing } = await startKafka();
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
