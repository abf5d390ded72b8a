import { randomUUID } from 'node:crypto';
import type { TestKafka } from '../support/kafka.js';

const topicOf = (prefix: string): string => `${prefix}shop`;
const PARTITIONS = 3;
const READ_MS = 60_000;
const END = 'the end';

/** A message of the feed, as a reader of committed transactions gets it. */
export interface Message {
  readonly partition: number;
  readonly key: string;
  readonly value: string | null;
  /** `domain:xid:event`, of a truncation with `:partition` behind it. */
  readonly id: string;
  readonly op: string;
  /** pg_snapshot in which the row was read. */
  readonly position: string;
}

/** Several partitions, so that order within each is all there is. */
export async function makeTopic(kafka: TestKafka, prefix: string): Promise<void> {
  const admin = kafka.client().admin();
  await admin.connect();
  try {
    await admin.createTopics({ topics: [{ topic: topicOf(prefix), numPartitions: PARTITIONS }], waitForLeaders: true });
  } finally {
    await admin.disconnect();
  }
}

/** All messages up to now, each partition's in its order. @throws Error after READ_MS */
export async function readTopic(kafka: TestKafka, prefix: string): Promise<Message[]> {
  const end = randomUUID();
  const topic = topicOf(prefix);
  await mark(kafka, topic, end);
  const consumer = kafka.client().consumer({ groupId: `judge-${end}`, maxWaitTimeInMs: 100 });
  const messages: Message[] = [];
  const ended = new Set<number>();
  let timer: NodeJS.Timeout | undefined;
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const text = (): string => `partitions ${[...ended].join()} of ${PARTITIONS}, ${messages.length} messages`;
      timer = setTimeout(() => reject(new Error(`the topic was not read in ${READ_MS} ms: ${text()}`)), READ_MS);
      consumer
        .run({
          eachMessage: async ({ partition, message: { key, value, headers } }) => {
            if (key?.toString() !== END) {
              const header = (name: string): string => headers?.[name]?.toString() ?? '';
              messages.push({
                ...{ partition, key: key?.toString() ?? '', value: value?.toString() ?? null },
                ...{ id: header('id'), op: header('op'), position: header('position') },
              });
            } else if (value?.toString() === end) ended.add(partition);
            if (ended.size === PARTITIONS) resolve();
          },
        })
        .catch(reject);
    });
    return messages;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
}

/** Offsets do not tell the end, since what ends a transaction has one too. */
async function mark(kafka: TestKafka, topic: string, end: string): Promise<void> {
  const producer = kafka.client().producer();
  await producer.connect();
  try {
    const messages = Array.from({ length: PARTITIONS }, (_, partition) => ({ key: END, value: end, partition }));
    await producer.send({ topic, messages });
  } finally {
    await producer.disconnect();
  }
}
