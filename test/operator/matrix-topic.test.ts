import t from 'tap';
import type { Cell, Matrix, Pair } from '../../src/matrix/matrix.js';
import { openKafka } from '../../src/operator/kafka/client.js';
import { MatrixTopic } from '../../src/operator/matrix/matrix-topic.js';
import { startKafka, type TestKafka } from '../support/kafka.js';
import { logLines } from './log-lines.js';
import { until } from './statement-records.js';

const cell: Cell = {
  service: 'order-service',
  table: 'public.orders',
  access: 'write',
  database: 'orders_db',
  statements: 3,
  hidden: 0,
  errors: 1,
  refused: 0,
  rows: 5,
  seconds: 0.25,
  first: 1_000,
  last: 2_000,
  example: 'UPDATE orders SET a = $1',
};

const pair: Pair = {
  service: 'order-service',
  kind: 'transaction',
  a: 'public.order_items',
  b: 'public.orders',
  count: 2,
  refused: 0,
  first: 1_000,
  last: 2_000,
  exampleA: 'INSERT INTO order_items VALUES ($1)',
  exampleB: 'UPDATE orders SET a = $1',
};

const matrix: Matrix = { cells: [cell], pairs: [pair] };

const { kafka, missing } = await startKafka({ own: true });
const needsKafka = { skip: missing ?? false };

function opened({ brokers }: Pick<TestKafka, 'brokers'>, topic: string, queue?: number) {
  const { log, lines } = logLines();
  const client = openKafka({ brokers, topicPrefix: '', clientId: 'pgfig', ssl: null, sasl: null }, log);
  return { matrixTopic: new MatrixTopic(client, topic, log, queue), log: lines };
}

t.test('a message for each cell and each pair', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = await kafka.topic('matrix');
  const { matrixTopic, log } = opened(kafka, topic);
  matrixTopic.publish(matrix);
  await until(() => matrixTopic.sent === 2, 'sent');
  await matrixTopic.close();
  const messages = await kafka.read(topic, 2);
  t.same(
    messages.map(({ key }) => String(key)),
    ['order-service public.orders', 'order-service public.order_items public.orders'],
  );
  t.same(
    messages.map(({ value }) => JSON.parse(String(value))),
    [
      { type: 'cell', ...cell },
      { type: 'pair', ...pair },
    ],
  );
  t.match(matrixTopic.metrics(), [
    { name: 'pgfig_matrix_topic_messages_total', values: [{ value: 2 }] },
    { name: 'pgfig_matrix_topic_dropped_total', values: [{ value: 0 }] },
    { name: 'pgfig_matrix_topic_failures_total', values: [{ value: 0 }] },
    { name: 'pgfig_matrix_topic_waiting', values: [{ value: 0 }] },
  ]);
  t.same(log, []);
});

t.test('a broker that is killed under the writing: every delta is there once', needsKafka, async (t) => {
  if (kafka === null) return;
  const topic = await kafka.topic('matrix');
  const { matrixTopic } = opened(kafka, topic);
  const rounds = 2_000;
  let published = 0;
  const publish = (count: number): void => {
    for (let i = 0; i < count; i++) matrixTopic.publish({ cells: [{ ...cell, statements: published++ }], pairs: [] });
  };
  publish(rounds / 2);
  await until(() => matrixTopic.sent > 0, 'on its way');
  await kafka.kill();
  publish(rounds / 2);
  await kafka.restart();
  await until(() => matrixTopic.sent === rounds, 'all sent');
  await matrixTopic.close();
  const numbers = (await kafka.read(topic, rounds)).map(({ value }) => JSON.parse(String(value)).statements);
  t.same(
    numbers,
    Array.from({ length: rounds }, (_, i) => i),
  );
  await t.rejects(kafka.read(topic, rounds + 1, 1_000), /2000 of 2001/, 'and no more');
  t.equal(matrixTopic.dropped, 0);
});

t.test('bounded and counted while there is no broker', async (t) => {
  const { matrixTopic } = opened({ brokers: ['127.0.0.1:1'] }, 'matrix', 5);
  for (let i = 0; i < 5; i++) matrixTopic.publish(matrix);
  t.same([matrixTopic.waiting, matrixTopic.dropped], [5, 5]);
  await matrixTopic.close();
  t.same([matrixTopic.waiting, matrixTopic.dropped, matrixTopic.sent], [0, 10, 0]);
});
