import { type Kafka, type Message, Partitioners, type Producer, type Transaction } from 'kafkajs';
import { type EventMessage, type EventSink, type OpenSink, SendFailure } from '../../events/event.js';
import { atMost } from '../waiting.js';
import { failureOf, isTooLarge } from './send-failure.js';

/** Of one request; a single message may be larger. Brokers take 1 MB unless told otherwise. */
const MOST_BYTES = 512 * 1024;
const LEAST_BYTES = 16 * 1024;
const TRANSACTION_TIMEOUT_MS = 60_000;
const DISCONNECT_DEADLINE_MS = 500;
/** Of kafkajs itself: the first request after a transaction often comes before the broker has ended it. */
const RETRY = { retries: 5, initialRetryTime: 20, maxRetryTime: 1_000 };

/**
 * Sinks that are transactional producers: idempotent, acks of all in-sync replicas, one request on its way. Each batch
 * is one transaction. The owner is the transactional id, so that the broker refuses whatever an earlier producer of
 * that id still sends: a process that was away and wakes up late can put no old state after a new one.
 * @param prefix of transactional ids
 */
export function kafkaSinks(kafka: Kafka, prefix: string): OpenSink {
  /** Bytes of one request, which a broker with smaller limits has made smaller: by owner. */
  const limits = new Map<string, number>();
  return async (owner) => {
    const producer = kafka.producer({
      transactionalId: `${prefix}${owner}`,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      idempotent: true,
      maxInFlightRequests: 1,
      retry: RETRY,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    try {
      await producer.connect();
      // The first transaction asks for the producer's epoch, which fences those before.
      const first = await producer.transaction();
      return new KafkaSink(kafka, producer, first, { owner, limits });
    } catch (error) {
      await disconnect(producer);
      throw failure(error);
    }
  };
}

interface Limits {
  readonly owner: string;
  readonly limits: Map<string, number>;
}

class KafkaSink implements EventSink {
  readonly #kafka: Kafka;
  readonly #producer: Producer;
  readonly #limits: Limits;
  #next: Transaction | null;

  constructor(kafka: Kafka, producer: Producer, first: Transaction, limits: Limits) {
    this.#kafka = kafka;
    this.#producer = producer;
    this.#next = first;
    this.#limits = limits;
  }

  async send(batch: readonly EventMessage[]): Promise<void> {
    try {
      const transaction = this.#next ?? (await this.#producer.transaction());
      this.#next = null;
      for (const [topic, messages] of byTopic(batch)) await this.#sendTopic(transaction, topic, messages);
      await transaction.commit();
    } catch (error) {
      throw failure(error);
    }
  }

  async close(): Promise<void> {
    await disconnect(this.#producer);
  }

  async #sendTopic(transaction: Transaction, topic: string, messages: readonly EventMessage[]): Promise<void> {
    const whole: EventMessage[] = [];
    for (const message of messages) {
      if (message.everywhere !== true) {
        whole.push(message);
        continue;
      }
      await this.#sendSome(transaction, topic, whole.splice(0));
      const partitions = await this.#partitionsOf(topic);
      const copies = partitions.map((partition) => ({
        ...kafkaMessage(message),
        partition,
        headers: { ...message.headers, id: `${message.headers.id}:${partition}` },
      }));
      await this.#request(transaction, topic, [message], copies);
    }
    await this.#sendSome(transaction, topic, whole);
  }

  async #sendSome(transaction: Transaction, topic: string, messages: readonly EventMessage[]): Promise<void> {
    const { owner, limits } = this.#limits;
    for (const chunk of chunks(messages, limits.get(owner) ?? MOST_BYTES)) {
      await this.#request(transaction, topic, chunk, chunk.map(kafkaMessage));
    }
  }

  async #request(
    transaction: Transaction,
    topic: string,
    from: readonly EventMessage[],
    messages: Message[],
  ): Promise<void> {
    try {
      await transaction.send({ topic, messages, acks: -1 });
    } catch (error) {
      throw isTooLarge(error) && from.length > 1 ? this.#smaller(error, from) : refusal(error, topic, from);
    }
  }

  /** The batch is sent again in smaller requests, until it goes or a single message is known to be too large. */
  #smaller(cause: unknown, from: readonly EventMessage[]): SendFailure {
    const { owner, limits } = this.#limits;
    const half = Math.floor(bytesOf(from) / 2);
    limits.set(owner, half < LEAST_BYTES ? 1 : half);
    return new SendFailure('at-once', 'the broker takes smaller requests only', { cause });
  }

  /** Asked each time: a topic may have been given more. */
  async #partitionsOf(topic: string): Promise<readonly number[]> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return (topics[0]?.partitions ?? []).map(({ partitionId }) => partitionId);
    } finally {
      await admin.disconnect();
    }
  }
}

const kafkaMessage = ({ key, value, headers }: EventMessage): Message => ({ key, value, headers: { ...headers } });

function byTopic(batch: readonly EventMessage[]): ReadonlyMap<string, readonly EventMessage[]> {
  const topics = new Map<string, EventMessage[]>();
  for (const message of batch) {
    const known = topics.get(message.topic);
    if (known === undefined) topics.set(message.topic, [message]);
    else known.push(message);
  }
  return topics;
}

/** Order stays. */
function* chunks(messages: readonly EventMessage[], most: number): Iterable<readonly EventMessage[]> {
  let chunk: EventMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = bytesOf([message]);
    if (chunk.length > 0 && bytes + size > most) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(message);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** Without headers and framing, which are some hundred bytes. */
const bytesOf = (messages: readonly EventMessage[]): number =>
  messages.reduce((sum, { key, value }) => sum + Buffer.byteLength(key ?? '') + Buffer.byteLength(value ?? ''), 0);

/** Names whose messages are refused, and the largest of them. */
function refusal(error: unknown, topic: string, from: readonly EventMessage[]): SendFailure {
  const { kind, message } = failureOf(error);
  if (kind !== 'refused') return new SendFailure(kind, message, { cause: error });
  const largest = from.reduce<EventMessage | null>(
    (best, one) => (best === null || bytesOf([one]) > bytesOf([best]) ? one : best),
    null,
  );
  const which = isTooLarge(error) && largest !== null ? `, key ${largest.key}, ${bytesOf([largest])} bytes` : '';
  const tables = [...new Set(from.map(({ table }) => table))];
  return new SendFailure('refused', `${message} (topic ${topic}${which})`, { tables, cause: error });
}

function failure(error: unknown): SendFailure {
  if (error instanceof SendFailure) return error;
  const { kind, message } = failureOf(error);
  // Not of any table: whatever it is, it holds up all of them until it is mended.
  return new SendFailure(kind === 'refused' ? 'again' : kind, message, { cause: error });
}

async function disconnect(producer: Producer): Promise<void> {
  await atMost(
    producer.disconnect().catch(() => undefined),
    DISCONNECT_DEADLINE_MS,
  );
}
