import type { ParsedText } from './statement.js';

/** Heap bytes of a cache entry, roughly: the objects of a Statement and its names, measured on V8 11. */
export function estimateBytes(key: string, parsed: ParsedText): number {
  let bytes = 400 + key.length;
  for (const statement of parsed.statements) {
    const names = statement.reads.length + statement.writes.length + statement.locks.length + statement.changes.length;
    const rest = statement.sequences.length + statement.functions.length + statement.effects.length;
    bytes += 600 + 160 * (names + rest);
  }
  return bytes;
}
