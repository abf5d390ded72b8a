import type { Logger } from 'pino';
import type { AccessLogConfig, Config } from '../../config/config.js';
import type { StatementRecord } from '../../session/statement-record.js';
import { openKafka } from '../kafka/client.js';
import { counter, gauge, type Metric, type Series } from '../metrics/metric-json.js';
import { FileSink } from './file-sink.js';
import { KafkaSink } from './kafka-sink.js';
import { recordLine } from './record-line.js';
import { Sampling } from './sampling.js';
import type { Sink } from './sink.js';

/** Less than a worker may take to end. */
const CLOSE_DEADLINE_MS = 1_000;

/** The access log of one worker: a line for each statement that the sampling wants, in every sink. */
export class AccessLog {
  readonly #worker: number;
  readonly #sampling: Sampling;
  readonly #sinks: readonly Sink[];
  #closing: Promise<void> | null = null;

  constructor(config: Pick<AccessLogConfig, 'sample' | 'services'>, worker: number, sinks: readonly Sink[]) {
    this.#worker = worker;
    this.#sampling = new Sampling(config);
    this.#sinks = sinks;
  }

  /** Whether the next statement of a service is to be written; asked once for each, before anything is gathered. */
  wants(service: string): boolean {
    return this.#sampling.wants(service);
  }

  /** Never waits, never throws: where there is no place the record is dropped and counted. */
  write(record: StatementRecord): void {
    // While no sink takes it, there is no need for its line.
    const line = this.#sinks.every((sink) => sink.full) ? '' : recordLine(record, this.#worker);
    for (const sink of this.#sinks) sink.offer(line, record.service);
  }

  /** Lines that have arrived, in all sinks together. */
  get written(): number {
    return this.#sinks.reduce((sum, sink) => sum + sink.written, 0);
  }

  /** Lines that were dropped, in all sinks together. */
  get dropped(): number {
    return this.#sinks.reduce((sum, sink) => sum + sink.dropped, 0);
  }

  metrics(): Metric[] {
    const bySink = (count: (sink: Sink) => number): Series =>
      this.#sinks.map((sink) => [{ sink: sink.name }, count(sink)]);
    return [
      counter(
        'pgfig_access_log_records_total',
        'Records of the access log that were written, by sink.',
        bySink((sink) => sink.written),
      ),
      counter(
        'pgfig_access_log_dropped_total',
        'Records of the access log that were dropped, since the sink was too slow, away or refused them.',
        bySink((sink) => sink.dropped),
      ),
      counter(
        'pgfig_access_log_failures_total',
        'Tries to write to a sink that have failed; the records are tried again.',
        bySink((sink) => sink.failures),
      ),
      gauge(
        'pgfig_access_log_waiting',
        'Records of the access log that wait to be written.',
        bySink((sink) => sink.waiting),
      ),
    ];
  }

  /** Writes what waits, for a second at most. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#sinks.map((sink) => sink.close(CLOSE_DEADLINE_MS))).then(() => undefined);
    return this.#closing;
  }
}

/**
 * The access log as configured; null where there is none. No file or broker is touched before the first record.
 * @throws PgfigError FILE_UNREADABLE: a file of kafka.ssl
 */
export function openAccessLog(config: Config, worker: number, log: Logger): AccessLog | null {
  const { accessLog } = config;
  if (accessLog === null) return null;
  const { file, kafka, queue } = accessLog;
  const sinks: Sink[] = [];
  if (file !== null) sinks.push(FileSink.open(file, { worker, queue }, log));
  if (kafka !== null && config.kafka !== null) {
    sinks.push(new KafkaSink(openKafka(config.kafka, log), { topic: kafka.topic, queue }, log));
  }
  return new AccessLog(accessLog, worker, sinks);
}
