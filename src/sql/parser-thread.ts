import { Worker } from 'node:worker_threads';
import type { TextKey } from './read-text.js';
import { unread } from './read-text.js';
import type { ParsedText } from './statement.js';

export interface ThreadAnswer {
  readonly known: TextKey;
  readonly parsed: ParsedText;
}

/** What is sent to the thread, its bytes transferred. */
export interface ThreadRequest {
  readonly text: Uint8Array;
  readonly standardConformingStrings: boolean;
}

export interface ThreadJob {
  /** Never rejects: where the thread is lost over it, the text is unparsable for now. */
  readonly answer: Promise<ThreadAnswer>;
  /** Nobody waits for it any more: a text whose turn has not come is not read then, and `answer` stays open. */
  abandon(): void;
}

export interface ThreadedParser {
  /** @param text in UTF-8, a copy that is given away */
  read(text: Uint8Array, standardConformingStrings: boolean): ThreadJob;
}

export interface ParserThreadOptions {
  /** Milliseconds without work after which the thread ends, and gives back the memory that long texts took. */
  readonly idle?: number;
  /** Milliseconds after which a text is given up, and the thread with it. */
  readonly longest?: number;
  /** The thread's program. */
  readonly program?: URL;
}

interface Job {
  readonly request: ThreadRequest;
  readonly length: number;
  readonly resolve: (answer: ThreadAnswer) => void;
}

const IDLE = 60_000;
const LONGEST = 60_000;
const PROGRAM = new URL('./parser-thread-program.js', import.meta.url);
/** A text that is given up is read to its end if it is shorter. */
const WORTH_A_THREAD = 256 * 1024;
/** A tree of 64 MB of SQL may need so much; beyond, the thread ends, and nothing else. */
const HEAP_MEGABYTES = 2048;

/**
 * A thread of this process that parses what would block the event loop, one text after the other, with a parser of
 * its own. It is started when it is first needed and again when it has died, and never keeps the process alive.
 */
export class ParserThread implements ThreadedParser {
  readonly #options: Required<ParserThreadOptions>;
  readonly #waiting: Job[] = [];
  #worker: Worker | null = null;
  #current: Job | null = null;
  /** Of the text being read, or of the thread that has nothing to read. */
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ParserThreadOptions = {}) {
    this.#options = { idle: IDLE, longest: LONGEST, program: PROGRAM, ...options };
  }

  /** Whether the thread runs now. */
  get running(): boolean {
    return this.#worker !== null;
  }

  read(text: Uint8Array, standardConformingStrings: boolean): ThreadJob {
    const { promise, resolve } = withResolver<ThreadAnswer>();
    const job: Job = { request: { text, standardConformingStrings }, length: text.length, resolve };
    this.#waiting.push(job);
    this.#next();
    return { answer: promise, abandon: () => this.#abandon(job) };
  }

  /** Ends the thread; what is being read, or waits, is answered as unparsable for now. */
  close(): void {
    for (const job of this.#waiting.splice(0)) job.resolve(lost(job));
    this.#end();
  }

  #abandon(job: Job): void {
    const at = this.#waiting.indexOf(job);
    if (at >= 0) this.#waiting.splice(at, 1);
    // Others would wait for seconds; a new thread takes a tenth of one.
    else if (job === this.#current && job.length > WORTH_A_THREAD) this.#end();
  }

  #next(): void {
    if (this.#current !== null) return;
    const job = this.#waiting.shift();
    if (job === undefined) return this.#after(this.#options.idle);
    const worker = this.#worker ?? this.#start();
    this.#current = job;
    this.#after(this.#options.longest);
    worker.postMessage(job.request, [job.request.text.buffer as ArrayBuffer]);
  }

  #start(): Worker {
    const worker = new Worker(this.#options.program, {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
      name: 'pgfig-parser',
    });
    worker.unref();
    worker.on('message', (answer: ThreadAnswer) => this.#answered(worker, answer));
    // Before 'exit'; without a listener it would be thrown.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#lost();
    });
    this.#worker = worker;
    return worker;
  }

  #answered(worker: Worker, answer: ThreadAnswer): void {
    const job = this.#current;
    if (this.#worker !== worker || job === null) return;
    this.#current = null;
    job.resolve(answer);
    this.#next();
  }

  /** The thread is gone, and with it the text that it read. The others get a new one. */
  #lost(): void {
    const job = this.#current;
    this.#current = null;
    job?.resolve(lost(job));
    this.#next();
  }

  /** The thread is ended when this time has passed and nothing has changed. */
  #after(milliseconds: number): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = this.#worker === null && this.#current === null ? null : setTimeout(() => this.#end(), milliseconds);
    this.#timer?.unref();
  }

  #end(): void {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    void worker.terminate();
    this.#lost();
  }
}

const lost = (job: Job): ThreadAnswer => ({
  known: { key: null, folded: false, parsedBytes: job.length },
  parsed: unread(job.length, 'the text could not be read', true),
});

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: ((value: T) => void) | null = null;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve: (value) => resolve?.(value) };
}
