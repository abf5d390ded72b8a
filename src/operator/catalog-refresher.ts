import { type Catalog, CatalogReader, mergeCatalog } from '../backend/catalog.js';
import type { Config } from '../config/config.js';

const INTERVAL_MS = 30_000;
/** Where a database could not be read: names that it alone knows are not seen until it is. */
const RETRY_MS = 1_000;
/** Readings in between believe the server's counts of changes. */
const THOROUGH_INTERVAL_MS = 300_000;
/** DDL often comes in bursts (a migration); the last of them counts. */
const AFTER_DDL_MS = 100;
/** ... but a long migration must not keep the catalog old. */
const AFTER_DDL_LONGEST_MS = 1_000;
/** Readings may take this share of the time at most: with endless DDL the databases have other work to do. */
const LARGEST_SHARE = 0.2;
/** ... and this, where sessions wait for them. */
const LARGEST_SHARE_AWAITED = 0.5;

export interface CatalogSight {
  readonly at: Date;
  /** null: the last reading worked. */
  readonly error: string | null;
  readonly relations: number;
}

/** Reads the catalogs of all databases every 30 s and soon after DDL, one reading at a time. */
export class CatalogRefresher {
  readonly #reader: CatalogReader;
  readonly #onChange: (catalog: Catalog, before: Catalog | null) => void;
  readonly #onError: (database: string, error: Error) => void;
  readonly #sights = new Map<string, CatalogSight>();
  #catalog: Catalog | null = null;
  #timer: NodeJS.Timeout | null = null;
  #soonSince: number | null = null;
  /** Not before this moment, in ms since 1970. */
  #earliest = 0;
  /** The same where somebody waits. */
  #earliestAwaited = 0;
  /** When the next thorough reading is due, in ms since 1970. */
  #thoroughAt = 0;
  #reading = false;
  #again = false;
  #closed = false;
  /** They wait for a reading that has not begun. */
  #waiting: ((whole: boolean) => void)[] = [];

  constructor(
    config: Config,
    onChange: (catalog: Catalog, before: Catalog | null) => void,
    onError: (database: string, error: Error) => void,
  ) {
    this.#reader = new CatalogReader(config);
    this.#onChange = onChange;
    this.#onError = onError;
    this.#read();
  }

  /** By database: when it was last read and what came of it; a database not yet read is missing. */
  get sights(): ReadonlyMap<string, CatalogSight> {
    return this.#sights;
  }

  get catalog(): Catalog | null {
    return this.#catalog;
  }

  /** DDL passed. The statement may not be committed yet; the timer's reading covers what this one misses. */
  ddlSeen(): void {
    const now = Date.now();
    this.#soonSince ??= now;
    this.#thoroughAt = 0;
    this.#schedule(Math.max(0, Math.min(AFTER_DDL_MS, this.#soonSince + AFTER_DDL_LONGEST_MS - now)));
  }

  /**
   * Resolves when a reading that begins from now on has been handed on: what is committed now is in it. Never throws.
   * @returns whether it has read every database
   */
  readAnew(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#reading) this.#schedule(0);
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const resolve of this.#waiting.splice(0)) resolve(false);
  }

  #schedule(wait: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#closed) return;
    const awaited = this.#waiting.length > 0;
    const earliest = awaited ? this.#earliestAwaited : this.#earliest;
    this.#timer = setTimeout(() => this.#read(), Math.max(awaited ? 0 : wait, earliest - Date.now()));
  }

  #read(): void {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    const began = Date.now();
    this.#soonSince = null;
    const waiting = this.#waiting.splice(0);
    const thorough = waiting.length > 0 || began >= this.#thoroughAt;
    if (thorough) this.#thoroughAt = began + THOROUGH_INTERVAL_MS;
    void this.#reader.read(thorough).then((read) => {
      this.#reading = false;
      if (this.#closed) {
        for (const resolve of waiting) resolve(false);
        return;
      }
      const now = new Date();
      const after = (share: number): number =>
        now.getTime() + Math.min(INTERVAL_MS, (now.getTime() - began) * (1 / share - 1));
      this.#earliest = after(LARGEST_SHARE);
      this.#earliestAwaited = after(LARGEST_SHARE_AWAITED);
      for (const [database, part] of read) {
        const error = part instanceof Error ? part.message : null;
        if (part instanceof Error && this.#sights.get(database)?.error !== error) this.#onError(database, part);
        const relations = part instanceof Error ? (this.#sights.get(database)?.relations ?? 0) : part.relationCount;
        this.#sights.set(database, { at: now, error, relations });
      }
      const merged = mergeCatalog(this.#catalog, read);
      if (merged !== this.#catalog) {
        const before = this.#catalog;
        this.#catalog = merged;
        this.#onChange(merged, before);
      }
      const unread = [...read.values()].some((part) => part instanceof Error);
      for (const resolve of waiting) resolve(!unread);
      this.#schedule(this.#again ? 0 : unread ? RETRY_MS : INTERVAL_MS);
      this.#again = false;
    });
  }
}
