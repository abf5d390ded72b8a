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
const LARGEST_SHARE = 0.05;

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
  /** When the next thorough reading is due, in ms since 1970. */
  #thoroughAt = 0;
  #reading = false;
  #again = false;
  #closed = false;

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

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(wait: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#read(), Math.max(wait, this.#earliest - Date.now()));
  }

  #read(): void {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    const began = Date.now();
    this.#soonSince = null;
    const thorough = began >= this.#thoroughAt;
    if (thorough) this.#thoroughAt = began + THOROUGH_INTERVAL_MS;
    void this.#reader.read(thorough).then((read) => {
      this.#reading = false;
      if (this.#closed) return;
      const now = new Date();
      this.#earliest = now.getTime() + Math.min(INTERVAL_MS, (now.getTime() - began) / LARGEST_SHARE);
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
      this.#schedule(this.#again ? 0 : unread ? RETRY_MS : INTERVAL_MS);
      this.#again = false;
    });
  }
}
