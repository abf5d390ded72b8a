import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { Publisher } from '../kafka/publisher.js';
import type { Sink } from './sink.js';

/** Lines of the access log as messages of a topic; the service is the key, so that its statements stay in order. */
export class KafkaSink implements Sink {
  readonly name = 'kafka';
  readonly #publisher: Publisher;

  constructor(kafka: Kafka, { topic, queue }: { readonly topic: string; readonly queue: number }, log: Logger) {
    this.#publisher = new Publisher(kafka, { topic, queue, acks: 1, idempotent: false }, log);
  }

  get full(): boolean {
    return this.#publisher.full;
  }

  get waiting(): number {
    return this.#publisher.waiting;
  }

  get written(): number {
    return this.#publisher.sent;
  }

  get dropped(): number {
    return this.#publisher.dropped;
  }

  get failures(): number {
    return this.#publisher.failures;
  }

  offer(line: string, service: string): void {
    this.#publisher.offer({ key: service, value: line });
  }

  close(deadline: number): Promise<void> {
    return this.#publisher.close(deadline);
  }
}
