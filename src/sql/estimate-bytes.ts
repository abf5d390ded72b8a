import type { ParsedText } from './statement.js';

/** The entry, its places in the map and the list, and what the caller keeps on it: a plan with its routes. */
const ENTRY = 1500;
const STATEMENT = 1200;
/** A name or an effect, and what a route tells of it. */
const ITEM = 300;

/**
 * Heap bytes of a cache entry, roughly, measured on V8 11 with one plan on each: between a half and the double of
 * what it really takes.
 */
export function estimateBytes(key: string, parsed: ParsedText): number {
  let bytes = ENTRY + key.length;
  for (const statement of parsed.statements) {
    const names = statement.reads.length + statement.writes.length + statement.locks.length + statement.changes.length;
    const rest = statement.sequences.length + statement.functions.length + statement.effects.length;
    bytes += STATEMENT + ITEM * (names + rest + (statement.fills?.length ?? 0));
  }
  return bytes;
}
