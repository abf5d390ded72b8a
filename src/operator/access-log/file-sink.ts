import type { Writable } from 'node:stream';
import type { Logger } from 'pino';
import type { AccessLogFile } from '../../config/config.js';
import { BatchQueue, type Outcome } from '../batch-queue.js';
import { errorFields } from '../log/logger.js';
import { OnceAMinute } from '../log/once-a-minute.js';
import { atMost } from '../waiting.js';
import { pathOfWorker, RotatedFiles } from './rotated-files.js';
import { openRotating } from './rotating-stream.js';
import type { Sink } from './sink.js';

export interface FileSinkOptions {
  /** Where it writes, for messages. */
  readonly path: string;
  /** Lines that may wait or be on their way. */
  readonly queue: number;
  /** Bytes of one write; a file may be larger than its maxSize by as much. */
  readonly mostBytes: number;
  /** A stream to the file's end; an error breaks it for good, and another one is asked for. */
  open(): Promise<Writable>;
}

const LINGER_MS = 20;
/** Neither many small writes nor one that the event loop notices. */
const MOST_PER_WRITE = 250;
const MOST_BYTES_PER_WRITE = 128 * 1024;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Lines of the access log in a file. After an error (the disk is full, the folder is gone) the same lines are tried
 * again, so that one that was written in part may be there twice.
 */
export class FileSink implements Sink {
  readonly name = 'file';
  readonly #options: FileSinkOptions;
  readonly #log: Logger;
  readonly #limiter = new OnceAMinute();
  readonly #queue: BatchQueue<string>;
  #stream: Writable | null = null;
  failures = 0;

  constructor(options: FileSinkOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    this.#queue = new BatchQueue({
      most: options.queue,
      mostPerBatch: MOST_PER_WRITE,
      mostBytes: options.mostBytes,
      linger: LINGER_MS,
      firstPause: PAUSE_MS,
      longestPause: LONGEST_PAUSE_MS,
      bytesOf: (line) => Buffer.byteLength(line) + 1,
      attempt: (lines) => this.#write(lines),
    });
  }

  /** The file of one worker; it is opened with the first line. */
  static open(file: AccessLogFile, own: { readonly worker: number; readonly queue: number }, log: Logger): FileSink {
    const path = pathOfWorker(file.path, own.worker);
    const limiter = new OnceAMinute();
    const rotated = new RotatedFiles({ ...file, path }, (error) => {
      if (limiter.admit('tidy')) log.warn({ file: path, ...errorFields(error) }, 'old access logs cannot be tidied up');
    });
    const mostBytes = Math.min(MOST_BYTES_PER_WRITE, file.maxSize / 8);
    return new FileSink(
      { path, queue: own.queue, mostBytes, open: () => openRotating(path, file.maxSize, rotated) },
      log,
    );
  }

  get full(): boolean {
    return this.#queue.full;
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  get written(): number {
    return this.#queue.done;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  offer(line: string): void {
    this.#queue.offer(line);
  }

  async close(deadline: number): Promise<void> {
    const end = Date.now() + deadline;
    await this.#queue.close(deadline);
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) return;
    const ended = new Promise<void>((resolve) => stream.end(() => resolve()));
    await atMost(ended, Math.max(0, end - Date.now()));
  }

  async #write(lines: readonly string[]): Promise<Outcome> {
    try {
      this.#stream ??= await this.#opened();
      await written(this.#stream, `${lines.join('\n')}\n`);
    } catch (error) {
      this.#failed(error);
      return 'again';
    }
    return 'done';
  }

  async #opened(): Promise<Writable> {
    const stream = await this.#options.open();
    stream.on('error', (error) => {
      if (this.#stream === stream) this.#failed(error);
    });
    return stream;
  }

  #failed(error: unknown): void {
    this.#stream?.destroy();
    this.#stream = null;
    this.failures++;
    if (!this.#limiter.admit('failed')) return;
    const { stack: _, ...what } = errorFields(error);
    this.#log.warn(
      { file: this.#options.path, ...what, waiting: this.waiting, dropped: this.dropped },
      'the access log cannot be written; records wait as far as they may',
    );
  }
}

function written(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
