import { randomUUID } from 'node:crypto';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { startContainer } from './kafka-container.js';
import { kafkaLibraries } from './kafka-libraries.js';
import { JavaBroker, type SecureListener } from './kafka-server.js';
import { onTeardown } from './teardown.js';

export const KAFKA_VERSION = '3.9.1';

export interface KafkaOptions {
  /** A broker of the test's own, to be stopped and killed: KAFKA_BROKERS is passed over. */
  readonly own?: boolean;
  /** Also listens with TLS and SASL (`TestKafka.secureBrokers`); only as a Java process, of the test's own. */
  readonly secure?: SecureListener;
}

export interface TestKafka {
  /** Where it comes from: 'KAFKA_BROKERS', 'container' or 'java'. */
  readonly from: string;
  readonly brokers: readonly string[];
  /** With `secure`: the listener with TLS and SASL. */
  readonly secureBrokers: readonly string[];
  /** A silent client. */
  client(): Kafka;
  /** Makes a topic of one partition with a name that no other test has. */
  topic(name?: string): Promise<string>;
  /** The first `count` messages of a topic; waits for them. @throws Error after `deadline` ms, with how many there were */
  read(topic: string, count: number, deadline?: number): Promise<KafkaMessage[]>;
  /** Shuts down in good order; what was written stays. @throws Error where the broker is not the test's own */
  stop(): Promise<void>;
  /** SIGKILL; what was written stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port, and waits until it answers. */
  restart(): Promise<void>;
}

/** Starts and ends a broker. */
export interface BrokerControl {
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** A broker, or in `missing` why there can be none: give it to tap as the reason to skip. */
export type MaybeKafka =
  | { readonly kafka: TestKafka; readonly missing: null }
  | { readonly kafka: null; readonly missing: string };

/**
 * A real Kafka broker: that of KAFKA_BROKERS (host:port, comma-separated); else a container; else Apache Kafka (KRaft)
 * from Maven Central as a Java process. What is started is ended by the test file's teardown, and when the test is
 * killed.
 * @throws Error in CI where none of them can be had: nothing is skipped there
 */
export async function startKafka(options: KafkaOptions = {}): Promise<MaybeKafka> {
  const external = (process.env.KAFKA_BROKERS ?? '').split(',').filter((broker) => broker !== '');
  const why: string[] = [];
  if (external.length === 0) why.push('KAFKA_BROKERS is not set');
  else if (options.own !== true && options.secure === undefined) {
    return { kafka: await ready(new Broker('KAFKA_BROKERS', external, [], null)), missing: null };
  }
  if (options.secure === undefined) {
    const container = await startContainer(KAFKA_VERSION);
    if (typeof container !== 'string') {
      return { kafka: await ready(new Broker('container', container.brokers, [], container)), missing: null };
    }
    why.push(container);
  }
  const libraries = await kafkaLibraries(KAFKA_VERSION);
  if ('folder' in libraries) {
    const server = await JavaBroker.start(libraries.folder, options.secure ?? null, answers);
    await onTeardown(() => server.remove());
    return { kafka: new Broker('java', server.brokers, server.secureBrokers, server), missing: null };
  }
  why.push(libraries.missing);
  const missing = `no Kafka: ${why.join('; ')}`;
  if (process.env.CI === 'true') throw new Error(missing);
  return { kafka: null, missing };
}

async function ready(broker: Broker): Promise<TestKafka> {
  const deadline = Date.now() + 60_000;
  while (!(await answers(broker.brokers))) {
    if (Date.now() > deadline) throw new Error(`Kafka at ${broker.brokers.join()} does not answer`);
  }
  return broker;
}

const quiet = (brokers: readonly string[], retries: number): Kafka =>
  new Kafka({
    brokers: [...brokers],
    clientId: 'pgfig-test',
    logLevel: logLevel.NOTHING,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 500 },
  });

/** Whether it lists its topics now. */
async function answers(brokers: readonly string[]): Promise<boolean> {
  const admin = quiet(brokers, 0).admin();
  try {
    await admin.connect();
    await admin.listTopics();
    return true;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

class Broker implements TestKafka {
  readonly from: string;
  readonly brokers: readonly string[];
  readonly secureBrokers: readonly string[];
  readonly #control: BrokerControl | null;

  constructor(from: string, brokers: readonly string[], secure: readonly string[], control: BrokerControl | null) {
    this.from = from;
    this.brokers = brokers;
    this.secureBrokers = secure;
    this.#control = control;
  }

  client(): Kafka {
    return quiet(this.brokers, 20);
  }

  async topic(name = 'test'): Promise<string> {
    const topic = `${name}-${randomUUID()}`;
    const admin = this.client().admin();
    await admin.connect();
    try {
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    } finally {
      await admin.disconnect();
    }
    return topic;
  }

  async read(topic: string, count: number, deadline = 30_000): Promise<KafkaMessage[]> {
    const consumer = this.client().consumer({ groupId: `test-${randomUUID()}`, maxWaitTimeInMs: 200 });
    const messages: KafkaMessage[] = [];
    let timer: NodeJS.Timeout | undefined;
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(
          () => reject(new Error(`${messages.length} of ${count} messages in ${deadline} ms`)),
          deadline,
        );
        consumer
          .run({
            eachMessage: async ({ message }) => {
              messages.push(message);
              if (messages.length >= count) resolve();
            },
          })
          .catch(reject);
      });
      return messages.slice(0, count);
    } finally {
      clearTimeout(timer);
      await consumer.disconnect();
    }
  }

  stop(): Promise<void> {
    return this.#own().stop();
  }

  kill(): Promise<void> {
    return this.#own().kill();
  }

  async restart(): Promise<void> {
    await this.#own().restart();
    await ready(this);
  }

  #own(): BrokerControl {
    if (this.#control === null) throw new Error('KAFKA_BROKERS is not the test’s own: start one with { own: true }');
    return this.#control;
  }
}
