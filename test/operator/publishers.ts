import type { Test } from 'tap';
import type { KafkaConfig } from '../../src/config/config.js';
import { openKafka } from '../../src/operator/kafka/client.js';
import { Publisher, type PublisherOptions } from '../../src/operator/kafka/publisher.js';
import { logLines } from './log-lines.js';

const PLAIN: KafkaConfig = { brokers: [], topicPrefix: '', clientId: 'pgfig', ssl: null, sasl: null };

/** A publisher and what it logs; closed with the test. */
export function publisher(
  t: Test,
  config: Partial<KafkaConfig>,
  options: Partial<PublisherOptions> = {},
  level = 'info',
): { readonly publisher: Publisher; readonly log: Record<string, unknown>[] } {
  const { log, lines } = logLines(level);
  const kafka = openKafka({ ...PLAIN, ...config }, log);
  const made = new Publisher(kafka, { topic: 't', queue: 1_000, acks: 1, idempotent: false, ...options }, log);
  t.teardown(() => made.close(0));
  return { publisher: made, log: lines };
}
