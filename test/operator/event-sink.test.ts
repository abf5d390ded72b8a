import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { EventMessage } from '../../src/events/event.js';
import { openKafka } from '../../src/operator/kafka/client.js';
import { kafkaSinks } from '../../src/operator/kafka/event-sink.js';
import { failureOf } from '../../src/operator/kafka/send-failure.js';
import { readTopics } from '../events/events-support.js';
import { startKafka } from '../support/kafka.js';
import { logLines } from './log-lines.js';

const { kafka, missing } = await startKafka();
const needsKafka = { skip: missing ?? false };

const message = (topic: string, key: string, value: string, table = 'public.t'): EventMessage => ({
  ...{ table, topic, key, value },
  headers: { id: `${key} ${value.length}` },
});

const sinks = (brokers: readonly string[]) =>
  kafkaSinks(
    openKafka({ brokers, topicPrefix: '', clientId: 'pgfig', ssl: null, sasl: null }, logLines().log),
    `test.${randomUUID()}.`,
  );

t.test('a sink is fenced by the next one of its owner, and by no other', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = await kafka.topic();
  const open = sinks(kafka.brokers);
  const [old, stranger] = [await open('a'), await open('b')];
  await old.send([message(topic, 'k', 'one')]);
  const next = await open('a');
  const late = await old.send([message(topic, 'k', 'late')]).catch((error: unknown) => error);
  t.match(late, { kind: 'fenced' });
  await next.send([message(topic, 'k', 'two')]);
  await stranger.send([message(topic, 'k', 'three')]);
  const reader = await readTopics(t, kafka.client(), [topic], true);
  await reader.until((all) => all.length >= 3, 'the three');
  t.strictSame(
    reader.messages.map(({ value }) => value),
    ['one', 'two', 'three'],
  );
  for (const sink of [old, stranger, next]) await sink.close();
});

t.test('requests become as small as the broker wants them; what is refused is named', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = `small-${randomUUID()}`;
  const admin = kafka.client().admin();
  await admin.connect();
  const configEntries = [{ name: 'max.message.bytes', value: '20000' }];
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: true });
  await admin.disconnect();
  const open = sinks(kafka.brokers);
  const batch = Array.from({ length: 200 }, (_, at) => message(topic, `${at}`, 'x'.repeat(1_000)));
  let tries = 0;
  for (;;) {
    const sink = await open('a');
    const failure = await sink.send(batch).then(
      () => null,
      (error: unknown) => error,
    );
    await sink.close();
    if (failure === null) break;
    t.match(failure, { kind: 'at-once' });
    if (tries++ > 10) throw failure;
  }
  t.ok(tries > 0 && tries < 8, `${tries} tries`);
  const reader = await readTopics(t, kafka.client(), [topic]);
  await reader.until((all) => all.length >= 200, 'all');
  t.strictSame(
    reader.messages.map(({ key }) => Number(key)),
    Array.from({ length: 200 }, (_, at) => at),
    'once for who reads what was committed, in order',
  );
  const sink = await open('a');
  const large = [message(topic, 'fits', 'x'), message(topic, 'large', 'x'.repeat(30_000), 'public.large')];
  await t.rejects(sink.send(large), { kind: 'refused', tables: ['public.large'], message: /key large, 30005 bytes/ });
  await sink.close();
});

t.test('what a failure means', async (t) => {
  const protocol = (type: string, code = 1) => Object.assign(new Error(type), { type, code, retriable: false });
  const kinds = [
    new Error('connect ECONNREFUSED'),
    'text',
    new Error('retries', { cause: protocol('UNKNOWN_TOPIC_OR_PARTITION') }),
    protocol('TOPIC_AUTHORIZATION_FAILED'),
    protocol('KAFKAJS_UNKNOWN_ERROR_CODE', 87),
    protocol('INVALID_PRODUCER_EPOCH'),
    protocol('NOT_ENOUGH_REPLICAS'),
    protocol('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'),
  ].map((error) => failureOf(error).kind);
  t.strictSame(kinds, ['again', 'again', 'refused', 'refused', 'refused', 'fenced', 'again', 'again']);
});
