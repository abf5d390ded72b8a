import pg from 'pg';
import { Journal } from './journal.js';
import { KINDS } from './operations.js';
import { type Persona, settlePrepared, Writer } from './writer.js';

export interface WorkloadOptions {
  readonly seed: number;
  /** The proxy's url, as it is now. */
  readonly proxy: () => string;
  /** The source's own url, for writers that bypass the proxy. */
  readonly source: () => string;
  /** Writers through the proxy (default 4). */
  readonly clients?: number;
  /** Milliseconds between two operations of a writer, at most (default 20). */
  readonly pace?: number;
}

/** Settings under which keys and values print in another way than pgfig's connections print them. */
const ODD_SETTINGS = [
  "SET DateStyle = 'SQL, DMY'",
  "SET IntervalStyle = 'sql_standard'",
  'SET extra_float_digits = -3',
  "SET bytea_output = 'escape'",
  "SET TimeZone = 'Asia/Kathmandu'",
  'SET search_path = public, pg_catalog',
];

const TWO_PHASE = 'two-phase';

/** Writers of every kind at once. */
export class Workload {
  readonly journal = new Journal();
  readonly #options: WorkloadOptions;
  #writers: Writer[] = [];

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  start(): void {
    const { seed, pace = 20 } = this.#options;
    this.#writers = this.#personas().map((persona, at) => new Writer(persona, this.journal, seed * 1000 + at, pace));
  }

  /** @returns when every writer has ended its last operation */
  async stop(): Promise<void> {
    for (const writer of this.#writers) writer.stop();
    await Promise.all(this.#writers.map((writer) => writer.done));
  }

  /** Ends transactions that were left prepared; the source has to be up. */
  async settle(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#options.source() });
    await client.connect();
    try {
      await settlePrepared(client, this.journal, TWO_PHASE);
    } finally {
      await client.end();
    }
  }

  #personas(): Persona[] {
    const { proxy, source, clients = 4 } = this.#options;
    return [
      ...Array.from({ length: clients }, (_, at) => ({ name: `proxy-${at}`, url: proxy })),
      { name: 'bypass', url: source, settings: ODD_SETTINGS },
      { name: 'asynchronous', url: source, settings: ['SET synchronous_commit = off'], durable: false },
      {
        name: 'replica-role',
        url: source,
        settings: ['SET session_replication_role = replica'],
        kinds: KINDS.filter(({ replica }) => replica === true),
      },
      { name: TWO_PHASE, url: source, twoPhase: true, kinds: KINDS.filter(({ prepared }) => prepared === true) },
    ];
  }
}
