import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { Cell, Matrix, Pair } from '../../matrix/matrix.js';
import { type Outgoing, Publisher } from '../kafka/publisher.js';
import { counter, gauge, type Metric } from '../metrics/metric-json.js';

/** A large shop's matrix has some thousands of cells and pairs; this is several flushes of all of them. */
const QUEUE = 50_000;
const CLOSE_DEADLINE_MS = 1_000;

/**
 * Sends what was counted since the last flush to a Kafka topic: a message for each cell and each pair, so that whoever
 * reads adds them up. While the brokers are away, deltas wait up to a bound; what is dropped then is missing from the
 * sums of the readers, and is counted.
 */
export class MatrixTopic {
  readonly #publisher: Publisher;

  /** @param queue messages that may wait */
  constructor(kafka: Kafka, topic: string, log: Logger, queue = QUEUE) {
    this.#publisher = new Publisher(kafka, { topic, queue, acks: -1, idempotent: true }, log);
  }

  /** Never waits, never throws. */
  publish({ cells, pairs }: Matrix): void {
    for (const cell of cells) this.#publisher.offer(cellMessage(cell));
    for (const pair of pairs) this.#publisher.offer(pairMessage(pair));
  }

  get sent(): number {
    return this.#publisher.sent;
  }

  get dropped(): number {
    return this.#publisher.dropped;
  }

  get waiting(): number {
    return this.#publisher.waiting;
  }

  metrics(): Metric[] {
    return [
      counter('pgfig_matrix_topic_messages_total', 'Cells and pairs of the matrix that Kafka has.', this.sent),
      counter('pgfig_matrix_topic_dropped_total', 'Cells and pairs of the matrix that were dropped.', this.dropped),
      counter(
        'pgfig_matrix_topic_failures_total',
        'Tries to send to the topic of the matrix that have failed; the messages are tried again.',
        this.#publisher.failures,
      ),
      gauge('pgfig_matrix_topic_waiting', 'Cells and pairs of the matrix that wait to be sent.', this.waiting),
    ];
  }

  /** Sends what waits, for a second at most. */
  close(): Promise<void> {
    return this.#publisher.close(CLOSE_DEADLINE_MS);
  }
}

/** The same service and table come in the same partition, and so in order. */
function cellMessage(cell: Cell): Outgoing {
  return { key: `${cell.service} ${cell.table}`, value: JSON.stringify({ type: 'cell', ...cell }) };
}

function pairMessage(pair: Pair): Outgoing {
  return { key: `${pair.service} ${pair.a} ${pair.b}`, value: JSON.stringify({ type: 'pair', ...pair }) };
}
