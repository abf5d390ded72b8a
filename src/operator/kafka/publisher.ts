import { type Kafka, Partitioners, type Producer } from 'kafkajs';
import type { Logger } from 'pino';
import { BatchQueue, type Outcome } from '../batch-queue.js';
import { errorFields } from '../log/logger.js';
import { OnceAMinute } from '../log/once-a-minute.js';
import { atMost } from '../waiting.js';
import { verdictOn } from './send-failure.js';

export interface PublisherOptions {
  readonly topic: string;
  /** Messages that may wait or be on their way; more are dropped. */
  readonly queue: number;
  /** 1: the leader has it; -1: all replicas in sync have it. */
  readonly acks: 1 | -1;
  /** A batch that is sent again is written once. Needs acks -1. */
  readonly idempotent: boolean;
}

export interface Outgoing {
  readonly key: string;
  readonly value: string;
}

const LINGER_MS = 50;
const MOST_PER_BATCH = 100;
/** Brokers take 1 MB unless told otherwise. */
const MOST_BYTES_PER_BATCH = 512 * 1024;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** Of kafkajs itself, within one of our tries: for what a new leader or a closed connection mends at once. */
const RETRY = { retries: 2, initialRetryTime: 100 };
/** Whatever the broker does. */
const DISCONNECT_DEADLINE_MS = 500;

/**
 * Sends messages to one topic without ever making anybody wait. It connects when there is something to send, and again
 * as often as needed; while the brokers are away messages wait, up to a bound.
 */
export class Publisher {
  readonly #kafka: Kafka;
  readonly #options: PublisherOptions;
  readonly #log: Logger;
  readonly #limiter = new OnceAMinute();
  readonly #queue: BatchQueue<Outgoing>;
  #producer: Producer | null = null;
  #troubled = false;
  /** Whether the log has told of the trouble, and so is to tell of its end. */
  #said = false;
  /** Times that a batch could not be sent. */
  failures = 0;

  constructor(kafka: Kafka, options: PublisherOptions, log: Logger) {
    this.#kafka = kafka;
    this.#options = options;
    this.#log = log;
    this.#queue = new BatchQueue({
      most: options.queue,
      mostPerBatch: MOST_PER_BATCH,
      mostBytes: MOST_BYTES_PER_BATCH,
      linger: LINGER_MS,
      firstPause: FIRST_PAUSE_MS,
      longestPause: LONGEST_PAUSE_MS,
      bytesOf: ({ key, value }) => Buffer.byteLength(key) + Buffer.byteLength(value),
      attempt: (batch) => this.#send(batch),
    });
  }

  /** Messages that wait or are on their way. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  get full(): boolean {
    return this.#queue.full;
  }

  /** Messages that the brokers have. */
  get sent(): number {
    return this.#queue.done;
  }

  /** Messages that found no place, or that the brokers have refused. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /** Never waits, never throws. */
  offer(message: Outgoing): void {
    this.#queue.offer(message);
  }

  /** Sends what waits, for `deadline` ms at most; what is left then is dropped. */
  async close(deadline: number): Promise<void> {
    await this.#queue.close(deadline);
    await this.#disconnect();
  }

  async #send(batch: readonly Outgoing[]): Promise<Outcome> {
    const { topic, acks } = this.#options;
    try {
      const producer = await this.#connected();
      await producer.send({ topic, acks, messages: [...batch] });
    } catch (error) {
      return this.#failed(error);
    }
    if (this.#said)
      this.#log.info({ topic, waiting: this.waiting, dropped: this.dropped }, 'Kafka takes messages again');
    this.#troubled = false;
    this.#said = false;
    return 'done';
  }

  async #failed(error: unknown): Promise<Outcome> {
    this.failures++;
    const verdict = verdictOn(error);
    if (verdict === 'there') return 'done';
    // Without the stack: it is kafkajs's, and no bug of pgfig.
    const { stack: _, ...what } = errorFields(error);
    const fields = { topic: this.#options.topic, ...what, waiting: this.waiting, dropped: this.dropped };
    if (verdict === 'never') {
      if (this.#limiter.admit('refused')) this.#log.warn(fields, 'Kafka refuses messages; they are dropped');
      return 'refused';
    }
    this.#troubled = true;
    if (this.#limiter.admit('failed')) {
      this.#said = true;
      this.#log.warn(fields, 'Kafka takes no messages; they wait as far as they may');
    }
    if (verdict === 'anew') await this.#disconnect();
    return 'again';
  }

  async #connected(): Promise<Producer> {
    if (this.#producer !== null && !this.#troubled) return this.#producer;
    const { idempotent } = this.#options;
    this.#producer ??= this.#kafka.producer({
      idempotent,
      retry: RETRY,
      createPartitioner: Partitioners.DefaultPartitioner,
      // Else a batch could overtake one that is sent again.
      maxInFlightRequests: 1,
    });
    await this.#producer.connect();
    return this.#producer;
  }

  async #disconnect(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    if (producer === null) return;
    const disconnected = producer.disconnect().catch(() => undefined);
    await atMost(disconnected, DISCONNECT_DEADLINE_MS);
  }
}
