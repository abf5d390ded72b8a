import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { errorFields } from '../log/logger.js';
import { TableActivity } from './table-activity.js';

const INTERVAL_MS = 3_600_000;
/** Another instance of the fleet that has looked within this time has done it for all. */
const DONE_LATELY_MS = 3_000_000;
/** Busy connections hand over after 70 s at the latest; a longer transaction keeps the old baseline. */
const PATIENCE_MS = 90_000;
/** What the other instances of a fleet have counted is stored with their second flush from now at the latest. */
const FLUSHES_AWAITED = 2;
const LAG_MS = 2_000;

/** Compares the servers' counters with the matrix at the start and then hourly, in the control process. */
export class ActivityWatch {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #flush: () => Promise<string | null>;
  readonly #activity: TableActivity;
  readonly #end = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** What has been told: databases, and '' for the control database; each again only after it has worked. */
  #failing = new Set<string>();
  #busy = false;

  /** @param flush stores what all workers have counted; gives why it could not, as in the admin API */
  constructor(config: Config, log: Logger, flush: () => Promise<string | null>) {
    this.#config = config;
    this.#log = log;
    this.#flush = flush;
    this.#activity = new TableActivity(config);
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS);
    void this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#end.abort();
  }

  async #look(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const options = {
        flush: () => this.#flushed(),
        patience: PATIENCE_MS,
        lag: LAG_MS + FLUSHES_AWAITED * this.#config.matrix.flushInterval,
        renew: true,
        signal: this.#end.signal,
      };
      const comparison = await this.#activity.compareOnce(options, DONE_LATELY_MS);
      if (comparison !== null) this.#tell(comparison.failures);
    } catch (raised) {
      this.#tell(new Map([['', raised instanceof Error ? raised : new Error(String(raised))]]));
    } finally {
      this.#busy = false;
    }
  }

  async #flushed(): Promise<void> {
    const error = await this.#flush();
    if (error !== null) throw new Error(`the matrix is not stored: ${error}`);
  }

  #tell(failures: ReadonlyMap<string, Error>): void {
    for (const [database, error] of failures) {
      if (this.#failing.has(database) || this.#end.signal.aborted) continue;
      const where = database === '' ? {} : { database };
      this.#log.warn(
        { ...where, ...errorFields(error) },
        'the counters of tables cannot be compared; tried again hourly',
      );
    }
    this.#failing = new Set(failures.keys());
  }
}
