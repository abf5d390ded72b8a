import { ExampleText } from './example-text.js';
import {
  endOfBitString,
  endOfBlockComment,
  endOfDollarQuote,
  endOfLineComment,
  endOfNumber,
  endOfQuoted,
  isBlank,
  NAME_BYTE,
  UNFOLDABLE,
} from './lexical.js';
import { EXACT, EXACT_ESCAPES } from './read-text.js';

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const AMPERSAND = 0x26;

/**
 * A statement's text as it may be stored and shown: every literal of it is `?`, comments are left out, white space is
 * one blank, and it has 500 characters at most, the last of them `...` where there is more. `$1` and quoted names stay.
 * Of an IN list or a VALUES list that repeats itself, one element stands for all.
 *
 * '' where the text is not lexically sound (a quote or comment that is not closed, a number or string that runs into a
 * name): then what looks like a name may be data. Text of which it is known that it does not parse should not be shown
 * either.
 *
 * @param text UTF-8 at [start, end), without the closing NUL
 * @param standardConformingStrings false: a backslash in '...' is an escape
 */
export function withoutLiterals(
  text: Uint8Array,
  start: number,
  end: number,
  standardConformingStrings: boolean,
): string {
  const example = new ExampleText();
  let at = start;
  while (at < end) {
    at = token(example, text, at, end, standardConformingStrings);
    if (at === UNFOLDABLE) return '';
  }
  return example.toString();
}

/** The same of the text that a key of StatementCache stands for; '' where there is no key. */
export function exampleOf(key: string | null): string {
  if (key === null || key === '') return '';
  const isExact = key.startsWith(EXACT) || key.startsWith(EXACT_ESCAPES);
  const bytes = Buffer.from(isExact ? key.slice(1) : key, 'latin1');
  return withoutLiterals(bytes, 0, bytes.length, !key.startsWith(EXACT_ESCAPES));
}

/** Takes one token, or white space; returns the position behind it, or UNFOLDABLE where the text is not sound. */
function token(example: ExampleText, text: Uint8Array, at: number, end: number, plainBackslash: boolean): number {
  const byte = text[at] as number;
  if (isBlank(byte)) return blank(example, at + 1);
  if (NAME_BYTE[byte] === 1) return nameOrString(example, text, at, end, plainBackslash);
  const next = at + 1 < end ? (text[at + 1] as number) : 0;
  if (isDigit(byte) || (byte === 0x2e && isDigit(next))) return literal(example, endOfNumber(text, at, end));
  switch (byte) {
    case QUOTE:
      return literal(example, endOfStrings(text, at, end, !plainBackslash));
    case DOUBLE_QUOTE:
      return copy(example, text, at, endOfQuoted(text, at, end, DOUBLE_QUOTE, false));
    case 0x24:
      if (isDigit(next)) return copy(example, text, at, endOfParameter(text, at, end));
      return literal(example, behindName(text, endOfDollarQuote(text, at, end), end));
    case 0x2d:
      return next === byte ? blank(example, endOfLineComment(text, at, end)) : copy(example, text, at, at + 1);
    case 0x2f:
      return next === 0x2a ? blank(example, endOfBlockComment(text, at, end)) : copy(example, text, at, at + 1);
    case 0x28:
      example.open();
      return at + 1;
    case 0x29:
      example.close();
      return at + 1;
    case 0x2c:
      example.comma();
      return at + 1;
    default:
      return copy(example, text, at, at + 1);
  }
}

function nameOrString(
  example: ExampleText,
  text: Uint8Array,
  start: number,
  end: number,
  plainBackslash: boolean,
): number {
  let at = start;
  while (at < end && NAME_BYTE[text[at] as number] !== 0) at += 1;
  const next = at < end ? text[at] : 0;
  if (at - start > 1) return copy(example, text, start, at);
  const letter = (text[start] as number) | 0x20;
  if (next === QUOTE) {
    if (letter === 0x65) return literal(example, endOfStrings(text, at, end, true));
    if (letter === 0x62 || letter === 0x78) return literal(example, endOfBits(text, at, end));
    if (letter === 0x6e) return literal(example, endOfStrings(text, at, end, !plainBackslash));
  }
  if (letter === 0x75 && next === AMPERSAND && text[at + 1] === QUOTE && at + 1 < end) {
    // Postgres does not take U&'...' where a backslash may escape the quote.
    return plainBackslash ? literal(example, endOfStrings(text, at + 1, end, false)) : UNFOLDABLE;
  }
  return copy(example, text, start, at);
}

/** '...' and what continues it on the next lines, by the rules of the first (scan.l, `quotecontinue`). */
function endOfStrings(text: Uint8Array, start: number, end: number, escapes: boolean): number {
  let at = endOfQuoted(text, start, end, QUOTE, escapes);
  while (at !== UNFOLDABLE) {
    const more = continuation(text, at, end);
    if (more === at) return behindName(text, at, end);
    at = endOfQuoted(text, more, end, QUOTE, escapes);
  }
  return at;
}

function endOfBits(text: Uint8Array, start: number, end: number): number {
  let at = endOfBitString(text, start, end);
  while (at !== UNFOLDABLE) {
    const more = continuation(text, at, end);
    if (more === at) return behindName(text, at, end);
    at = endOfBitString(text, more, end);
  }
  return at;
}

/** The quote that continues a string which ended at `at`: behind white space with a line's end in it. Else `at`. */
function continuation(text: Uint8Array, start: number, end: number): number {
  let at = start;
  let lineEnded = false;
  while (at < end) {
    if (isBlank(text[at])) {
      lineEnded ||= text[at] === 0x0a || text[at] === 0x0d;
      at += 1;
    } else if (text[at] === 0x2d && at + 1 < end && text[at + 1] === 0x2d) {
      at = endOfLineComment(text, at, end);
    } else {
      return lineEnded && text[at] === QUOTE ? at : start;
    }
  }
  return start;
}

/** A name right behind a string, as in 'O'Brien', says that the string ended where it was not meant to. */
const behindName = (text: Uint8Array, at: number, end: number): number =>
  at !== UNFOLDABLE && at < end && NAME_BYTE[text[at] as number] !== 0 ? UNFOLDABLE : at;

function endOfParameter(text: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end && isDigit(text[at])) at += 1;
  return behindName(text, at, end);
}

function blank(example: ExampleText, end: number): number {
  example.blank();
  return end;
}

function literal(example: ExampleText, end: number): number {
  if (end !== UNFOLDABLE) example.literal();
  return end;
}

function copy(example: ExampleText, text: Uint8Array, from: number, to: number): number {
  if (to !== UNFOLDABLE) example.token(text, from, to);
  return to;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
