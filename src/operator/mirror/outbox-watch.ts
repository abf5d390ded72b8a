import type { Logger } from 'pino';
import { hasOwnTable } from '../../backend/schema-steps.js';
import type { Config } from '../../config/config.js';
import { openMirrorClient } from '../../mirror/connection.js';
import { OnceAMinute } from '../log/once-a-minute.js';

const LOOK_MS = 15_000;
const STATEMENT_TIMEOUT_MS = 5_000;
/** Bytes. The monolith's disk is what an outbox that nobody empties fills in the end. */
export const OUTBOX_LIMIT = 10 * 1024 ** 3;

/** What is known of an outbox, whoever empties it. */
export interface OutboxSight {
  readonly database: string;
  /** On the disk, with its index. */
  readonly bytes: number;
  /** Domains whose changes are recorded, though by the rules nothing mirrors them: nobody reads them. */
  readonly abandoned: readonly string[];
}

export interface OutboxWatchOptions {
  /** The domains that are mirrored by the rules of this instance. */
  readonly mirrored: () => Iterable<string>;
  /** Bytes from which on the log warns. */
  readonly limit?: number;
}

/**
 * Looks at the outbox of the default database in every instance, also while no relay runs: the target is down, or a
 * domain has left the phases in which it is mirrored and its capture stayed. Then the outbox only grows, and nothing
 * else would tell.
 */
export class OutboxWatch {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #options: OutboxWatchOptions;
  readonly #limiter = new OnceAMinute();
  readonly #timer: NodeJS.Timeout;
  #sight: OutboxSight | null = null;
  #told: ReadonlySet<string> = new Set();
  #looking: Promise<void> | null = null;
  #closed = false;

  constructor(config: Config, log: Logger, options: OutboxWatchOptions) {
    this.#config = config;
    this.#log = log;
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
    void this.look();
  }

  /** Null: there is no outbox, or it could not be looked at. */
  get sight(): OutboxSight | null {
    return this.#sight;
  }

  /** Looks now. Never rejects: a database that cannot be reached is told of by others. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    await this.#looking;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      this.#sight = await this.#read();
    } catch {
      this.#sight = null;
    }
    if (this.#sight !== null && !this.#closed) this.#tell(this.#sight);
  }

  async #read(): Promise<OutboxSight | null> {
    const database = this.#config.default;
    const client = await openMirrorClient(this.#config, database, 'pgfig outbox watch', {
      statement: STATEMENT_TIMEOUT_MS,
    });
    try {
      if (!(await hasOwnTable(client, 'mirrors'))) return null;
      const { rows } = await client.query<{ bytes: number; domains: string[] }>(
        `SELECT pg_total_relation_size('pgfig.outbox')::float8 AS bytes,
                ARRAY(SELECT domain FROM pgfig.mirrors ORDER BY domain) AS domains`,
      );
      const { bytes = 0, domains = [] } = rows[0] ?? {};
      const mirrored = new Set(this.#options.mirrored());
      return { database, bytes, abandoned: domains.filter((domain) => !mirrored.has(domain)) };
    } finally {
      client.end().catch(() => {});
    }
  }

  #tell({ database, bytes, abandoned }: OutboxSight): void {
    for (const domain of abandoned.filter((name) => !this.#told.has(name)))
      this.#log.warn(
        { domain, database },
        `changes of a domain are recorded and nobody reads them, so the outbox grows: pgfig mirror remove ${domain}, or ` +
          'back to a phase in which it is mirrored',
      );
    this.#told = new Set(abandoned);
    if (bytes > (this.#options.limit ?? OUTBOX_LIMIT) && this.#limiter.admit(database))
      this.#log.warn({ database, bytes }, 'the outbox is big: see what waits (pgfig relay status DOMAIN)');
  }
}
