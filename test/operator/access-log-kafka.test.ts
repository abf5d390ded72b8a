import t from 'tap';
import { AccessLog } from '../../src/operator/access-log/access-log.js';
import { KafkaSink } from '../../src/operator/access-log/kafka-sink.js';
import { openKafka } from '../../src/operator/kafka/client.js';
import { startKafka, type TestKafka } from '../support/kafka.js';
import { logLines } from './log-lines.js';
import { recordOf, until } from './statement-records.js';

const { kafka, missing } = await startKafka({ own: true });
const needsKafka = { skip: missing ?? false };

function opened(kafka: TestKafka, topic: string, queue: number) {
  const { log, lines } = logLines();
  const client = openKafka({ brokers: kafka.brokers, topicPrefix: '', clientId: 'pgfig', ssl: null, sasl: null }, log);
  const sink = new KafkaSink(client, { topic, queue }, log);
  return { sink, accessLog: new AccessLog({ sample: 100, services: {} }, 1, [sink]), log: lines };
}

const sessions = async (kafka: TestKafka, topic: string, count: number): Promise<number[]> =>
  (await kafka.read(topic, count)).map(({ value }) => JSON.parse(String(value)).session);

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

t.test('records are messages, by the service', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = await kafka.topic('access-log');
  const { accessLog, log } = opened(kafka, topic, 10_000);
  for (const session of upTo(5_000)) accessLog.write(recordOf({ session, service: `service-${session % 2}` }));
  await until(() => accessLog.written === 5_000, 'written');
  await accessLog.close();
  t.same(await sessions(kafka, topic, 5_000), upTo(5_000));
  const [first] = await kafka.read(topic, 1);
  t.equal(String(first?.key), 'service-0');
  t.match(JSON.parse(String(first?.value)), { time: '2026-01-05T09:00:00.123Z', worker: 1, session: 0 });
  t.equal(accessLog.dropped, 0);
  t.same(log, []);
});

t.test('while the broker is down records wait up to the bound, and go when it is back', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = await kafka.topic('access-log');
  const { sink, accessLog, log } = opened(kafka, topic, 500);
  t.teardown(() => accessLog.close());
  accessLog.write(recordOf({ session: 0 }));
  await until(() => accessLog.written === 1, 'written');

  await kafka.kill();
  for (let session = 1; session < 2_000; session++) accessLog.write(recordOf({ session }));
  t.same([sink.waiting, sink.dropped], [500, 1_499], 'the newest are dropped');
  await until(() => sink.failures >= 3, 'tried again');
  t.match(log, [{ level: 40, msg: /^Kafka takes no messages/, topic, error: /./ }]);
  t.equal(log.length, 1, 'once');

  await kafka.restart();
  await until(() => accessLog.written === 501, 'what waited has gone');
  t.match(log.at(-1), { level: 30, msg: 'Kafka takes messages again', dropped: 1_499 });
  accessLog.write(recordOf({ session: 2_000 }));
  await until(() => accessLog.written === 502, 'and so do new ones');
  t.same(await sessions(kafka, topic, 502), [...upTo(501), 2_000]);
});

t.test('a broker that is down from the beginning, and to the end', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = await kafka.topic('access-log');
  await kafka.stop();
  const early = opened(kafka, topic, 100);
  const late = opened(kafka, topic, 100);
  for (const session of upTo(10)) early.accessLog.write(recordOf({ session }));
  for (const session of upTo(10)) late.accessLog.write(recordOf({ session }));
  await until(() => early.sink.failures > 0, 'tried');
  const start = Date.now();
  await early.accessLog.close();
  t.ok(Date.now() - start < 3_000, 'the end does not wait for it');
  t.same([early.accessLog.written, early.accessLog.dropped], [0, 10]);
  await kafka.restart();
  await until(() => late.accessLog.written === 10, 'written');
  await late.accessLog.close();
  t.same(await sessions(kafka, topic, 10), upTo(10));
});

t.test('an outage costs no more memory than the queue', needsKafka, async (t) => {
  if (kafka === null) return;
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  const { sink, accessLog } = opened(kafka, await kafka.topic('access-log'), 2_000);
  const heap = (): number => {
    gc();
    gc();
    return process.memoryUsage().heapUsed;
  };
  await kafka.kill();
  for (const session of upTo(2_000)) accessLog.write(recordOf({ session }));
  await until(() => sink.failures >= 2, 'the broker is missed');
  const before = heap();
  for (const session of upTo(500_000)) accessLog.write(recordOf({ session }));
  await until(() => sink.failures >= 4, 'tried again');
  const grown = heap() - before;
  t.same([sink.waiting, sink.dropped], [2_000, 500_000]);
  t.ok(grown < 2_000_000, `${grown} bytes more after half a million records`);
  await accessLog.close();
  t.equal(accessLog.dropped, 502_000);
  await kafka.restart();
});
