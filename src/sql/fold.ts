import {
  endOfBitString,
  endOfBlockComment,
  endOfDollarString,
  endOfEscapeString,
  endOfLineComment,
  endOfNumber,
  endOfString,
  isBlank,
  NAME_BYTE,
  UNFOLDABLE,
} from './lexical.js';
import { isFoldableVerb, isTellingName } from './telling-names.js';
import { isFloatWithPrecision, meansLength } from './type-lengths.js';
import { endTuple, isMerge, isValues, mayStartList, NO_LIST, startList, startsTuple } from './values-lists.js';

/** What the next byte begins. 0 is copied as it is: blanks, brackets, commas, operators. */
const NAME = 1;
const DIGIT = 2;
const QUOTE = 3;
const DOUBLE_QUOTE = 4;
const DOLLAR = 5;
const DASH = 6;
const SLASH = 7;
const DOT = 8;
const SEMICOLON = 9;
const OPEN = 10;
const CLOSE = 11;

const CLASS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  if (NAME_BYTE[byte] === 1) CLASS[byte] = NAME;
  else if (byte >= 0x30 && byte <= 0x39) CLASS[byte] = DIGIT;
}
CLASS[0x27] = QUOTE;
CLASS[0x22] = DOUBLE_QUOTE;
CLASS[0x24] = DOLLAR;
CLASS[0x2d] = DASH;
CLASS[0x2f] = SLASH;
CLASS[0x2e] = DOT;
CLASS[0x3b] = SEMICOLON;
CLASS[0x28] = OPEN;
CLASS[0x29] = CLOSE;

/** latin1Slice is what Buffer.toString('latin1') calls; at these lengths the detour costs as much as the copy. */
interface Latin1Buffer extends Buffer {
  latin1Slice(start: number, end: number): string;
}

/** Longer keys are none: a few of them alone would push out of the cache what comes again. */
export const LONGEST_KEY = 64 * 1024;

/**
 * Where keys are written, for one call each. What is written beyond its end is dropped by the language itself, and
 * such a key is too long anyway: tokens are copied without asking at each byte whether there is room.
 */
const out = Buffer.allocUnsafeSlow(LONGEST_KEY + 16) as Latin1Buffer;

/**
 * The cache key of a statement: its text (latin1 of the bytes) with the plain literals taken out, itself SQL of
 * the same shape. Integers become 1, other numbers 1.1 (.5: .1), strings '' with their prefix kept (E'', B''),
 * dollar-quoted ones $$$$; comments are emptied, of the tuples in a VALUES list those are left out that are alike
 * to one before (see values-lists), and everything else stays byte by byte. So two texts share a key only where they
 * differ in literals, in comments or in how many rows of a kind they list. A text is at most one statement then.
 *
 * null where the text must not be folded: literals carry meaning (see telling-names), it is no query or DML,
 * there is more than one statement, or it is not lexically plain (U&'', continued strings, `1..2`, an unclosed
 * quote). With `standardConformingStrings` off, backslashes in '' are escapes: then a text that has one is null.
 * null, too, where the key would be longer than LONGEST_KEY.
 *
 * @param buf UTF-8 text at [start, end), without the closing NUL
 */
export function fold(buf: Uint8Array, start: number, end: number, standardConformingStrings = true): string | null {
  const key = out;
  let at = start;
  let n = 0;
  let verbSeen = false;
  let depth = 0;
  /** Depth at which the tuples of the VALUES list stand that is being read. */
  let list = NO_LIST;
  let merges = false;
  while (at < end) {
    if (n > LONGEST_KEY) return null;
    const byte = buf[at] as number;
    switch (CLASS[byte]) {
      case NAME: {
        const from = at;
        let next = byte;
        do {
          key[n++] = next;
          at += 1;
          next = at < end ? (buf[at] as number) : 0;
        } while (NAME_BYTE[next] !== 0);
        if (!verbSeen) {
          if (!isFoldableVerb(buf, from, at)) return null;
          verbSeen = true;
          if (isMerge(buf, from, at)) merges = true;
          else if (isValues(buf, from, at) && mayStartList(key, n - 6)) {
            list = depth;
            startList(n);
          }
        } else if (next === 0x27 && at - from === 1) {
          // E'', B'', X'', N'' are one token with their prefix. Any other letter is a name before a string.
          at = endOfPrefixed(byte | 0x20, buf, at, end, standardConformingStrings);
          if (at === UNFOLDABLE) return null;
          key[n++] = 0x27;
          key[n++] = 0x27;
        } else if (next === 0x26 && (byte | 0x20) === 0x75 && at - from === 1) {
          return null;
        } else if (isTellingName(buf, from, at)) {
          return null;
        } else if (at - from === 6) {
          // A list within a tuple of another stays as it is.
          if (!merges && depth <= list && isValues(buf, from, at) && mayStartList(key, n - 6)) {
            list = depth;
            startList(n);
          }
        } else if (at - from === 5) {
          if (isMerge(buf, from, at)) merges = true;
          else if (isFloatWithPrecision(buf, from, at, end)) return null;
        }
        break;
      }
      case DIGIT: {
        const behind = endOfNumber(buf, at, end);
        if (behind === UNFOLDABLE || (behind - at > 9 && meansLength(key, n))) return null;
        key[n++] = 0x31;
        if (behind - at > 1 && isReal(buf, at, behind)) {
          key[n++] = 0x2e;
          key[n++] = 0x31;
        }
        at = behind;
        break;
      }
      case QUOTE:
        if (continuesString(key, n)) return null;
        at = endOfString(buf, at, end, standardConformingStrings);
        if (at === UNFOLDABLE) return null;
        key[n++] = 0x27;
        key[n++] = 0x27;
        break;
      case DASH:
      case SLASH: {
        const behind = endOfComment(buf, at, end);
        if (behind === UNFOLDABLE) return null;
        if (behind === at) {
          key[n++] = byte;
          at += 1;
          break;
        }
        key[n++] = byte;
        key[n++] = byte === 0x2d ? 0x2d : 0x2a;
        if (byte === 0x2f) {
          key[n++] = 0x2a;
          key[n++] = 0x2f;
        }
        at = behind;
        break;
      }
      case DOUBLE_QUOTE: {
        const from = at;
        // Copied as it is read: an ORM's text is quoted names for the most part. A quote within one is too rare to fold.
        do {
          key[n++] = buf[at++] as number;
        } while (at < end && buf[at] !== 0x22);
        if (at >= end || (at + 1 < end && buf[at + 1] === 0x22) || isTellingName(buf, from + 1, at)) return null;
        key[n++] = 0x22;
        at += 1;
        break;
      }
      case DOLLAR: {
        const behind = isParameter(buf, at, end) ? endOfParameter(buf, at, end) : endOfDollarString(buf, at, end);
        if (behind === UNFOLDABLE) return null;
        if (isParameter(buf, at, end)) while (at < behind) key[n++] = buf[at++] as number;
        else for (let i = 0; i < 4; i += 1) key[n++] = 0x24;
        at = behind;
        break;
      }
      case DOT: {
        key[n++] = byte;
        if (at + 1 >= end || CLASS[buf[at + 1] as number] !== DIGIT) {
          if (buf[at + 1] === byte) return null;
          at += 1;
          break;
        }
        at = endOfNumber(buf, at, end);
        if (at === UNFOLDABLE) return null;
        key[n++] = 0x31;
        break;
      }
      case OPEN:
        if (depth === list && !startsTuple(key, n)) list = NO_LIST;
        key[n++] = byte;
        at += 1;
        depth += 1;
        break;
      case CLOSE:
        key[n++] = byte;
        at += 1;
        depth -= 1;
        if (depth === list) n = endTuple(key, n);
        break;
      case SEMICOLON:
        key[n++] = byte;
        at += 1;
        while (at < end && isBlank(buf[at])) at += 1;
        if (at < end) return null;
        break;
      default:
        key[n++] = byte;
        at += 1;
    }
  }
  return verbSeen && n <= LONGEST_KEY ? key.latin1Slice(0, n) : null;
}

/** The end of a string whose one-letter prefix (in lower case) stands before `at`. */
function endOfPrefixed(prefix: number, buf: Uint8Array, at: number, end: number, plainBackslash: boolean): number {
  if (prefix === 0x65) return endOfEscapeString(buf, at, end);
  if (prefix === 0x62 || prefix === 0x78) return endOfBitString(buf, at, end);
  // N'' is a string as '' is; any other letter a name of its own before one.
  return endOfString(buf, at, end, plainBackslash);
}

/** Whether the number at [start, end) has a point or an exponent; a hexadecimal e is neither. */
function isReal(buf: Uint8Array, start: number, end: number): boolean {
  if (((buf[start + 1] as number) | 0x20) === 0x78) return false;
  for (let at = start + 1; at < end; at += 1) {
    const byte = buf[at] as number;
    if (byte === 0x2e || (byte | 0x20) === 0x65) return true;
  }
  return false;
}

/** 'a' newline 'b' is one string, of which the second half may have the first half's escapes: seen by what is written. */
function continuesString(key: Uint8Array, length: number): boolean {
  let at = length - 1;
  while (at >= 0 && (isBlank(key[at]) || key[at] === 0x2d)) at -= 1;
  return at >= 0 && key[at] === 0x27;
}

/** Behind a comment that begins at `at`; `at` itself where none does. Postgres cuts operators at -- and slash-star too. */
function endOfComment(buf: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return at;
  if (buf[at] === 0x2d) return buf[at + 1] === 0x2d ? endOfLineComment(buf, at, end) : at;
  return buf[at + 1] === 0x2a ? endOfBlockComment(buf, at, end) : at;
}

function isParameter(buf: Uint8Array, at: number, end: number): boolean {
  return at + 1 < end && CLASS[buf[at + 1] as number] === DIGIT;
}

/** $1, with nothing right behind it that could belong to a name or a quote. */
function endOfParameter(buf: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end && CLASS[buf[at] as number] === DIGIT) at += 1;
  return at < end && NAME_BYTE[buf[at] as number] !== 0 ? UNFOLDABLE : at;
}
