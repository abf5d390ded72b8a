import { randomUUID } from 'node:crypto';
import type { Kafka, KafkaMessage } from 'kafkajs';
import type { Test } from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { freePort } from '../../src/embedded/postgres-server.js';
import { installMirror } from '../../src/mirror/capture/install.js';
import { DEFAULT_MIRROR } from '../../src/mirror/mirror.js';
import type { TestKafka } from '../support/kafka.js';
import { startPgfig, type TestPgfig, writeConfig } from '../support/pgfig.js';
import type { TestPostgres } from '../support/postgres.js';

/** A message as its reader sees it. */
export interface Read {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads topics from their beginning for as long as the test runs. */
export interface Reader {
  readonly messages: readonly Read[];
  until(condition: (messages: readonly Read[]) => boolean | Promise<boolean>, what: string): Promise<void>;
}

/** @param uncommitted whether it also reads what was sent in transactions that did not commit */
export async function readTopics(
  t: Test,
  kafka: Kafka,
  topics: readonly string[],
  uncommitted = false,
): Promise<Reader> {
  const groupId = `test-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, readUncommitted: uncommitted });
  const messages: Read[] = [];
  await consumer.connect();
  t.teardown(() => consumer.disconnect());
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      messages.push(toRead(topic, partition, message));
    },
  });
  return {
    messages,
    until: async (condition, what) => {
      const deadline = Date.now() + 60_000;
      while (!(await condition(messages))) {
        if (Date.now() > deadline) {
          const last = messages.slice(-5).map((one) => JSON.stringify(one));
          throw new Error(`not in 60 s: ${what}; ${messages.length} messages, the last ${last.join('\n')}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

function toRead(topic: string, partition: number, { key, value, headers }: KafkaMessage): Read {
  return {
    topic,
    partition,
    key: key?.toString('utf8') ?? null,
    value: value?.toString('utf8') ?? null,
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)])),
  };
}

/** Makes a topic of a name. */
export async function makeTopic(kafka: TestKafka, topic: string, numPartitions = 1, compact = true): Promise<void> {
  const admin = kafka.client().admin();
  await admin.connect();
  const configEntries = compact ? [{ name: 'cleanup.policy', value: 'compact' }] : [];
  await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true });
  await admin.disconnect();
}

/** What a reader of a compacted topic ends up with: by key, the last value; what was emptied or deleted is gone. */
export function compacted(messages: readonly Read[]): Map<string, string> {
  const view = new Map<string, { value: string; partition: number }>();
  for (const { key, value, partition, headers } of messages) {
    if (headers.op === 'truncate') {
      const table = String(headers.table);
      for (const [known, row] of view) {
        if (row.partition === partition && JSON.parse(known).table === table) view.delete(known);
      }
    } else if (key !== null) {
      if (value === null) view.delete(key);
      else view.set(key, { value, partition });
    }
  }
  return new Map([...view].map(([key, { value }]) => [key, value]));
}

/** Both ends of a mirror, captured, and a proxy whose feeds run. */
export interface World {
  readonly source: TestPostgres;
  readonly from: string;
  readonly prefix: string;
  readonly pgfig: TestPgfig;
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** undefined: no such series, or the control process is being replaced. */
  metric(series: string, of?: TestPgfig): Promise<number | undefined>;
  /** Another instance of the same fleet. */
  another(env?: Readonly<Record<string, string>>): Promise<TestPgfig>;
}

export interface WorldOptions {
  readonly schema: string;
  readonly tables: readonly string[];
  /** More keys of the rule. */
  readonly rule: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly phase?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Topics to make: name without prefix -> partitions. */
  readonly topics?: Readonly<Record<string, number>>;
}

let worlds = 0;

export async function startWorld(
  t: Test,
  kafka: TestKafka,
  source: TestPostgres,
  target: TestPostgres,
  options: WorldOptions,
): Promise<World> {
  worlds += 1;
  const from = `events_${process.pid}_${worlds}`;
  const prefix = `${from}_${randomUUID().slice(0, 8)}.`;
  for (const server of [source, target]) {
    await server.query(`CREATE DATABASE ${from}`);
    await server.query(options.schema, from);
  }
  for (const [topic, partitions] of Object.entries(options.topics ?? {})) {
    await makeTopic(kafka, prefix + topic, partitions);
  }
  const phase = options.phase ?? 'dual-write';
  const databases = { monolith: source.url(from), orders_db: target.url(from) };
  const config = { kafka: { brokers: kafka.brokers, topicPrefix: prefix }, ...options.config };
  if (phase !== 'monolith') {
    const file = await writeConfig({ databases, config }, { listen: await freePort(), admin: await freePort() });
    await installMirror(loadConfig(file), {
      domain: 'orders',
      phase: 'dual-write',
      source: 'monolith',
      target: 'orders_db',
      tables: options.tables,
      rule: DEFAULT_MIRROR,
    });
  }
  const another: World['another'] = async (env = {}) => {
    const started = await startPgfig({
      databases,
      config,
      rules: { orders: { database: 'orders_db', tables: options.tables, phase, ...options.rule } },
      env,
    });
    t.teardown(() => started.kill());
    return started;
  };
  const pgfig = await another(options.env);
  return {
    source,
    from,
    prefix,
    pgfig,
    another,
    sql: async (text, values) => (await source.query(text, from, values)).rows ?? [],
    metric: async (series, of = pgfig) => {
      const answer = await fetch(`http://127.0.0.1:${of.adminPort}/metrics`).catch(() => null);
      const line = ((await answer?.text()) ?? '').split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
  };
}

/** The feed has taken its position: what is written from now on is sent. */
export async function feeding(world: World): Promise<void> {
  await world.pgfig.until(async () => {
    const rows = await world.sql("SELECT FROM pgfig.consumers WHERE consumer = 'kafka'");
    return rows.length === 1;
  }, 'the feed has a position');
}

/** One table with a number by which the states of a row are told apart, in a topic of one partition. */
export const NUMBERED = {
  schema: 'CREATE TABLE orders (id int PRIMARY KEY, n int NOT NULL, pad text)',
  tables: ['public.orders'],
  topics: { orders: 1 },
} as const;

/** What waits for a domain's change feed. */
export const WAITING = 'pgfig_events_waiting{domain="orders",kind="changes"}';

/** The numbers that a row of NUMBERED had, in the order in which they were sent. */
export const nOf = (messages: readonly Read[], id: number): number[] =>
  messages
    .filter(({ key, value }) => key?.includes(`"id":${id}}`) && value !== null)
    .map(({ value }) => (JSON.parse(String(value)) as { n: number }).n);
