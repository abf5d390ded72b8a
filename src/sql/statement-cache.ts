import { LRUCache } from 'lru-cache';
import { unparsable } from './facts.js';
import { fold } from './fold.js';
import type { Parser } from './parser.js';
import type { ParsedText } from './statement.js';

export interface CachedStatement<Extra> {
  readonly parsed: ParsedText;
  /** The caller's own: the router keeps the route here. Lost when the entry is evicted. */
  extra: Extra | null;
  /** Shared by every text that differs only in its literals. */
  readonly folded: boolean;
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
  evictions: number;
}

/** Longer texts (bulk INSERTs, dumps) come once; their keys alone would push out what comes again. */
const LONGEST_CACHED = 64 * 1024;
/** Marks keys that are the exact text: a folded key begins with a letter, a blank or a bracket, never with this. */
const EXACT = '\u0000';
/** The same with standard_conforming_strings off: 'a\' reads otherwise. */
const EXACT_ESCAPES = '\u0001';

/**
 * Parsed statements by their text with the literals taken out. A hit is a fold and a map look-up.
 */
export class StatementCache<Extra> {
  readonly stats: StatementCacheStats = { hits: 0, misses: 0, uncached: 0, unparsable: 0, evictions: 0 };
  readonly #parser: Parser;
  readonly #entries: LRUCache<string, CachedStatement<Extra>>;

  constructor(parser: Parser, limits: StatementCacheLimits) {
    this.#parser = parser;
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
   * The statements of a text in UTF-8 at [start, end) of `buf`, without its closing NUL. Never throws for SQL.
   * The buffer is not kept.
   */
  get(buf: Uint8Array, start: number, end: number, standardConformingStrings: boolean): CachedStatement<Extra> {
    if (end - start > LONGEST_CACHED) return this.#parse(buf, start, end, standardConformingStrings, null, false);
    const folded = fold(buf, start, end, standardConformingStrings);
    const key = folded ?? exactKey(buf, start, end, standardConformingStrings);
    const found = this.#entries.get(key);
    if (found !== undefined) {
      this.stats.hits += 1;
      return found;
    }
    return this.#parse(buf, start, end, standardConformingStrings, key, folded !== null);
  }

  /** What the caller has kept on the entries does not hold any more. */
  forgetExtras(): void {
    for (const entry of this.#entries.values()) entry.extra = null;
  }

  #parse(
    buf: Uint8Array,
    start: number,
    end: number,
    standardConformingStrings: boolean,
    key: string | null,
    folded: boolean,
  ): CachedStatement<Extra> {
    this.stats.misses += 1;
    const bytes = Buffer.from(buf.buffer, buf.byteOffset + start, end - start);
    const legible = standardConformingStrings || !bytes.includes(0x5c);
    const parsed = legible ? this.#parser.parse(bytes.toString('utf8')) : escapesUnread(bytes.length);
    if (parsed.syntaxError !== null) this.stats.unparsable += 1;
    const entry: CachedStatement<Extra> = { parsed, extra: null, folded };
    if (key === null || parsed.transient === true) this.stats.uncached += 1;
    else this.#entries.set(key, entry);
    return entry;
  }
}

function exactKey(buf: Uint8Array, start: number, end: number, standardConformingStrings: boolean): string {
  const text = Buffer.from(buf.buffer, buf.byteOffset + start, end - start).toString('latin1');
  return (standardConformingStrings ? EXACT : EXACT_ESCAPES) + text;
}

/** The grammar at hand reads backslashes in '' as plain: a text that means them otherwise is not understood. */
function escapesUnread(length: number): ParsedText {
  return {
    statements: [unparsable()],
    spans: [[0, length]],
    syntaxError: 'standard_conforming_strings is off and the text holds a backslash',
  };
}

/** Heap bytes of an entry, roughly: the objects of a Statement and its names, measured on V8 11. */
function estimateBytes(key: string, parsed: ParsedText): number {
  let bytes = 400 + key.length;
  for (const statement of parsed.statements) {
    const names = statement.reads.length + statement.writes.length + statement.locks.length;
    const rest = statement.sequences.length + statement.functions.length + statement.effects.length;
    bytes += 600 + 160 * (names + rest);
  }
  return bytes;
}
