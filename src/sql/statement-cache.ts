import { LRUCache } from 'lru-cache';
import { estimateBytes } from './estimate-bytes.js';
import { withPins } from './extract-pins.js';
import type { Parser } from './grammar.js';
import type { ThreadAnswer, ThreadedParser } from './parser-thread.js';
import { keyOf, readText, type TextKey } from './read-text.js';
import type { ParsedText } from './statement.js';

export interface CachedStatement<Extra> {
  readonly parsed: ParsedText;
  /** The caller's own: the router keeps the route here. Lost when the entry is evicted. */
  extra: Extra | null;
  /** By what it is known in the cache; null: too long to be kept. */
  readonly key: string | null;
  /** Shared by every text that differs only in its literals, and in how many rows of a kind it lists. */
  readonly folded: boolean;
}

/** A text that is being read in the parser's thread. */
export class Reading<Extra> {
  /** Never rejects. Never resolves once it was abandoned before its turn came. */
  readonly done: Promise<CachedStatement<Extra>>;
  readonly #abandon: () => void;

  constructor(done: Promise<CachedStatement<Extra>>, abandon: () => void) {
    this.done = done;
    this.#abandon = abandon;
  }

  /** Nobody waits for it any more. */
  abandon(): void {
    this.#abandon();
  }
}

export interface StatementCacheLimits {
  /** Most entries kept. */
  readonly entries: number;
  /** Most bytes that keys and parsed statements may take, by estimate. */
  readonly bytes: number;
}

/** Counters since the start. */
export interface StatementCacheStats {
  hits: number;
  misses: number;
  /** Parsed and not kept: too long, or the parser was being replaced. Counted as misses too. */
  uncached: number;
  /** Of the misses, those that did not parse. */
  unparsable: number;
  /** Of the misses, those that were read in the parser's thread. */
  threaded: number;
  evictions: number;
}

/**
 * More is not parsed on the event loop: the worst texts (a term every two bytes) take a microsecond a byte, and one
 * client's statement must not hold up those of all others for longer than a few milliseconds.
 */
const PARSED_HERE = 8 * 1024;
/** The key of a longer text is not even looked for here: it takes about 5 nanoseconds a byte. */
const FOLDED_HERE = 256 * 1024;

/**
 * Parsed statements by their text with the literals taken out. A hit is a fold and a map look-up; keys are whole
 * texts, compared by the map byte by byte, so that no hash decides.
 */
export class StatementCache<Extra> {
  readonly stats: StatementCacheStats = {
    hits: 0,
    misses: 0,
    uncached: 0,
    unparsable: 0,
    threaded: 0,
    evictions: 0,
  };
  readonly #parser: Parser;
  readonly #thread: ThreadedParser | null;
  readonly #entries: LRUCache<string, CachedStatement<Extra>>;

  /** @param thread reads what is too long for the event loop; null: everything is parsed here, however long it takes */
  constructor(parser: Parser, limits: StatementCacheLimits, thread: ThreadedParser | null = null) {
    this.#parser = parser;
    this.#thread = thread;
    this.#entries = new LRUCache({
      max: limits.entries,
      maxSize: limits.bytes,
      sizeCalculation: (entry, key) => estimateBytes(key, entry.parsed),
      dispose: (_entry, _key, reason) => {
        if (reason === 'evict') this.stats.evictions += 1;
      },
    });
  }

  /** Entries held now. */
  get size(): number {
    return this.#entries.size;
  }

  /** Bytes held now, by the same estimate that the limit is held against. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /**
   * The statements of a text in UTF-8 at [start, end) of `buf`, without its closing NUL; a Reading where they are not
   * known and the text is too long to be parsed here (only with a thread). Never throws for SQL. The buffer is not kept.
   */
  get(
    buf: Uint8Array,
    start: number,
    end: number,
    standardConformingStrings: boolean,
  ): CachedStatement<Extra> | Reading<Extra> {
    if (end - start > FOLDED_HERE && this.#thread !== null) {
      return this.#readThere(this.#thread, buf, start, end, standardConformingStrings);
    }
    const known = keyOf(buf, start, end, standardConformingStrings);
    const found = known.key === null ? undefined : this.#entries.get(known.key);
    if (found !== undefined) {
      this.stats.hits += 1;
      return found;
    }
    if (this.#thread !== null && known.parsedBytes > PARSED_HERE) {
      return this.#readThere(this.#thread, buf, start, end, standardConformingStrings);
    }
    const parsed = readText(this.#parser, known, buf, start, end, standardConformingStrings);
    if (this.#thread !== null && parsed.transient === true) {
      return this.#readThere(this.#thread, buf, start, end, standardConformingStrings);
    }
    this.stats.misses += 1;
    return this.#keep(known, parsed);
  }

  /** The statements of a text with its literals, and the rows that these name; past the cache. Never throws for SQL. */
  parseAnew(text: string): ParsedText {
    return withPins(() => this.#parser.parse(text));
  }

  /** What the caller has kept on the entries does not hold any more. */
  forgetExtras(): void {
    for (const entry of this.#entries.values()) entry.extra = null;
  }

  #readThere(
    thread: ThreadedParser,
    buf: Uint8Array,
    start: number,
    end: number,
    standardConformingStrings: boolean,
  ): Reading<Extra> {
    this.stats.misses += 1;
    this.stats.threaded += 1;
    const job = thread.read(new Uint8Array(buf.subarray(start, end)), standardConformingStrings);
    return new Reading(
      job.answer.then(({ known, parsed }: ThreadAnswer) => this.#keep(known, parsed)),
      () => job.abandon(),
    );
  }

  #keep(known: TextKey, parsed: ParsedText): CachedStatement<Extra> {
    if (parsed.syntaxError !== null) this.stats.unparsable += 1;
    const entry: CachedStatement<Extra> = { parsed, extra: null, key: known.key, folded: known.folded };
    if (known.key === null || parsed.transient === true) this.stats.uncached += 1;
    else this.#entries.set(known.key, entry);
    return entry;
  }
}
