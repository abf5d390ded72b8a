import { escapeStrings } from './escape-strings.js';
import { unparsable } from './facts.js';
import { fold, LONGEST_KEY } from './fold.js';
import type { Parser } from './grammar.js';
import type { ParsedText } from './statement.js';

/** Longer texts are not read at all: their trees would be larger than the memory that there is for them. */
const LONGEST_READ = 64 * 1024 * 1024;
/** Marks keys that are the exact text: a folded key begins with a letter, a blank or a bracket, never with this. */
export const EXACT = '\u0000';
/** The same with standard_conforming_strings off: 'a\' reads otherwise. */
export const EXACT_ESCAPES = '\u0001';
const BACKSLASH = 0x5c;

/** By what a text is known in the cache. */
export interface TextKey {
  /** null: too long to be kept. */
  readonly key: string | null;
  /** Its literals are taken out. */
  readonly folded: boolean;
  /** Bytes that are to be parsed, in the end. */
  readonly parsedBytes: number;
}

/** The key that stands for exactly this text, with standard_conforming_strings on. */
export const exactKeyOf = (text: string): string => EXACT + Buffer.from(text, 'utf8').toString('latin1');

/** The key of a text in UTF-8 at [start, end) of `buf`. Two texts with the same key have the same statements. */
export function keyOf(buf: Uint8Array, start: number, end: number, standardConformingStrings: boolean): TextKey {
  const length = end - start;
  const folded = fold(buf, start, end, standardConformingStrings);
  if (folded !== null) return { key: folded, folded: true, parsedBytes: folded.length };
  if (length > LONGEST_KEY) return { key: null, folded: false, parsedBytes: length };
  const text = Buffer.from(buf.buffer, buf.byteOffset + start, length).toString('latin1');
  const mark = standardConformingStrings ? EXACT : EXACT_ESCAPES;
  return { key: mark + text, folded: false, parsedBytes: length };
}

/**
 * The statements of the text that has this key. A folded key is SQL of its own and parsed in the text's place: what
 * is known of an entry is known from its key, whichever text came first. Never throws for SQL.
 *
 * With `standard_conforming_strings` off, a text that is not folded is rewritten for the grammar, which has it on.
 */
export function readText(
  parser: Parser,
  known: TextKey,
  buf: Uint8Array,
  start: number,
  end: number,
  standardConformingStrings: boolean,
): ParsedText {
  if (known.folded && known.key !== null) return parser.parse(Buffer.from(known.key, 'latin1').toString('utf8'));
  const bytes = Buffer.from(buf.buffer, buf.byteOffset + start, end - start);
  if (bytes.length > LONGEST_READ) return unread(bytes.length, 'the text is too long to be read');
  if (standardConformingStrings || !bytes.includes(BACKSLASH)) return parser.parse(bytes.toString('utf8'));
  return readEscaped(parser, bytes);
}

function readEscaped(parser: Parser, bytes: Buffer): ParsedText {
  const escaped = escapeStrings(bytes, 0, bytes.length);
  if (escaped === null) return unread(bytes.length, "U&'...' is not allowed with standard_conforming_strings off");
  const parsed = parser.parse(escaped.bytes.toString('utf8'));
  return {
    ...parsed,
    spans: parsed.spans.map(([from, to]) => [escaped.original(from), escaped.original(to)] as const),
  };
}

/** What stands for a text that was not read. */
export function unread(length: number, message: string, transient = false): ParsedText {
  return {
    statements: [unparsable()],
    spans: [[0, length]],
    syntaxError: message,
    ...(transient ? { transient } : {}),
  };
}
