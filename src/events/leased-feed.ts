import type pg from 'pg';
import type { EventSink, FeedListener, FeedStatus, OpenSink } from './event.js';
import { LeasedLoop, type LeasedWork, type LoopPauses } from './leased-loop.js';
import { Stalls } from './stalls.js';

/** What every feed is given. */
export interface FeedOptions {
  /** A connection to the authoritative database, with settings pinned. */
  connect(): Promise<pg.Client>;
  readonly openSink: OpenSink;
  readonly listener: FeedListener;
  readonly pauses?: LoopPauses;
}

/** What change feeds and outbox relays have in common: the loop, what is stalled, and what they tell of themselves. */
export abstract class LeasedFeed<Options extends FeedOptions> implements LeasedWork {
  protected readonly options: Options;
  protected readonly stalls: Stalls;
  /** Begins a little later, when the whole feed has been constructed. */
  protected readonly loop: LeasedLoop;
  /** Messages that all in-sync replicas have. */
  protected sent = 0;
  /** null: not counted yet. */
  protected waiting: number | null = null;
  #error: string | null = null;

  constructor(options: Options) {
    this.options = options;
    this.stalls = new Stalls(options.listener);
    this.loop = new LeasedLoop(this, options.openSink, options.pauses);
  }

  abstract get status(): FeedStatus;
  abstract elect(client: pg.Client): Promise<string | null>;
  abstract begin(client: pg.Client): Promise<void>;
  abstract turn(client: pg.Client, sink: EventSink): Promise<boolean>;
  abstract measure(client: pg.Client): Promise<void>;

  /** Something that the feed sends was written. */
  poke(): void {
    this.loop.poke();
  }

  /** What is stalled is tried again now. */
  retry(): void {
    this.stalls.retry();
    this.loop.poke();
  }

  close(): Promise<void> {
    return this.loop.close();
  }

  connect(): Promise<pg.Client> {
    return this.options.connect();
  }

  told(error: unknown): void {
    this.#error = error === null ? null : error instanceof Error ? error.message : String(error);
    this.options.listener.onTrouble(error);
  }

  /** The part of the status that is the same for all. */
  protected get common(): Pick<FeedStatus, 'state' | 'sent' | 'failures' | 'stalled' | 'error'> {
    const { loop, sent, stalls } = this;
    return { state: loop.state, sent, failures: loop.failures, stalled: stalls.list(), error: this.#error };
  }
}
