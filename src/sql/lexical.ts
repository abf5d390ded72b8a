/**
 * What `fold` needs of PostgreSQL's lexical rules (scan.l), on bytes of UTF-8 text. Each function takes the
 * position of a token's first byte and returns the position behind it, or UNFOLDABLE: where the token does not
 * end, or means more than its shape.
 */
export const UNFOLDABLE = -1;

const QUOTE = 0x27;
const DOLLAR = 0x24;
const STAR = 0x2a;
const SLASH = 0x2f;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** 1: may begin an identifier (letters, _, any byte of a multibyte character). 2: digits and $, only within one. */
export const NAME_BYTE = new Uint8Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  const letter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  if (letter || byte === UNDERSCORE || byte >= 0x80) NAME_BYTE[byte] = 1;
  else if ((byte >= 0x30 && byte <= 0x39) || byte === DOLLAR) NAME_BYTE[byte] = 2;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

/** '...' from its opening quote; a doubled quote stands for itself. A backslash ends it where it may be an escape. */
export function endOfString(buf: Uint8Array, start: number, end: number, backslashIsPlain: boolean): number {
  if (meansMoment(buf, start + 1, end)) return UNFOLDABLE;
  for (let at = start + 1; at < end; at += 1) {
    const byte = buf[at];
    if (byte === QUOTE) {
      if (at + 1 >= end || buf[at + 1] !== QUOTE) return at + 1;
      at += 1;
    } else if (byte === BACKSLASH && !backslashIsPlain) {
      return UNFOLDABLE;
    }
  }
  return UNFOLDABLE;
}

/** '...' or "..." from its opening quote, whatever it says; a doubled quote stands for itself. */
export function endOfQuoted(buf: Uint8Array, start: number, end: number, quote: number, escapes: boolean): number {
  for (let at = start + 1; at < end; at += 1) {
    const byte = buf[at];
    if (byte === BACKSLASH && escapes) at += 1;
    else if (byte === quote) {
      if (at + 1 >= end || buf[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return UNFOLDABLE;
}

/** \b \f \n \r \t \\ \' \": none that can spell a letter, be out of range or make an invalid character. */
const PLAIN_ESCAPE = new Uint8Array(256);
for (const letter of 'bfnrt\\\'"') PLAIN_ESCAPE[letter.charCodeAt(0)] = 1;

/** E'...' from its opening quote. */
export function endOfEscapeString(buf: Uint8Array, start: number, end: number): number {
  if (buf[start + 1] === BACKSLASH || meansMoment(buf, start + 1, end)) return UNFOLDABLE;
  for (let at = start + 1; at < end; at += 1) {
    const byte = buf[at];
    if (byte === QUOTE) {
      if (at + 1 >= end || buf[at + 1] !== QUOTE) return at + 1;
      at += 1;
    } else if (byte === BACKSLASH) {
      at += 1;
      if (at >= end || PLAIN_ESCAPE[buf[at] ?? 0] === 0) return UNFOLDABLE;
    }
  }
  return UNFOLDABLE;
}

/** B'...' and X'...' from their opening quote: no escape of any kind, not even the quote's. */
export function endOfBitString(buf: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end && buf[at] !== QUOTE) at += 1;
  return at >= end || (at + 1 < end && buf[at + 1] === QUOTE) ? UNFOLDABLE : at + 1;
}

/** Behind the opening $$ or $tag$ of a dollar-quoted string. */
export function endOfDollarTag(buf: Uint8Array, start: number, end: number): number {
  let open = start + 1;
  while (open < end && buf[open] !== DOLLAR) {
    const kind = NAME_BYTE[buf[open] ?? 0] ?? 0;
    if (kind === 0 || (kind === 2 && open === start + 1)) return UNFOLDABLE;
    open += 1;
  }
  return open < end ? open + 1 : UNFOLDABLE;
}

/** $$...$$ or $tag$...$tag$ from its first dollar. */
export function endOfDollarQuote(buf: Uint8Array, start: number, end: number): number {
  const open = endOfDollarTag(buf, start, end);
  if (open === UNFOLDABLE) return UNFOLDABLE;
  const width = open - start;
  for (let at = open; at + width <= end; at += 1) {
    if (buf[at] === DOLLAR && sameBytes(buf, start, at, width)) return at + width;
  }
  return UNFOLDABLE;
}

/** The same, where its text does not mean a moment. */
export function endOfDollarString(buf: Uint8Array, start: number, end: number): number {
  const open = endOfDollarTag(buf, start, end);
  return open === UNFOLDABLE || meansMoment(buf, open, end) ? UNFOLDABLE : endOfDollarQuote(buf, start, end);
}

function sameBytes(buf: Uint8Array, one: number, other: number, count: number): boolean {
  for (let i = 1; i < count; i += 1) if (buf[one + i] !== buf[other + i]) return false;
  return true;
}

/** From `--` up to its line's end, which does not belong to it. */
export function endOfLineComment(buf: Uint8Array, start: number, end: number): number {
  let at = start + 2;
  while (at < end && buf[at] !== NEWLINE && buf[at] !== RETURN) at += 1;
  return at;
}

/** Block comments nest. */
export function endOfBlockComment(buf: Uint8Array, start: number, end: number): number {
  let depth = 1;
  for (let at = start + 2; at + 1 < end; at += 1) {
    if (buf[at] === STAR && buf[at + 1] === SLASH) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    } else if (buf[at] === SLASH && buf[at + 1] === STAR) {
      depth += 1;
      at += 1;
    }
  }
  return UNFOLDABLE;
}

/** Digits with single underscores before or between them. */
function endOfDigits(
  buf: Uint8Array,
  start: number,
  end: number,
  isOne: (byte: number | undefined) => boolean,
): number {
  let at = start;
  while (at < end) {
    if (isOne(buf[at])) at += 1;
    else if (buf[at] === UNDERSCORE && at + 1 < end && isOne(buf[at + 1])) at += 2;
    else break;
  }
  return at;
}

function isHexDigit(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}
function isOctalDigit(byte: number | undefined): boolean {
  return isDigit(byte) && byte !== 0x38 && byte !== 0x39;
}
function isBinaryDigit(byte: number | undefined): boolean {
  return byte === 0x30 || byte === 0x31;
}

/** An integer in any base or a number with point or exponent, from its first digit or its point. */
export function endOfNumber(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  const base = buf[start] === 0x30 && start + 1 < end ? (buf[start + 1] ?? 0) | 0x20 : 0;
  if (base === 0x78 || base === 0x6f || base === 0x62) {
    const digit = base === 0x78 ? isHexDigit : base === 0x6f ? isOctalDigit : isBinaryDigit;
    at = endOfDigits(buf, start + 2, end, digit);
    // A point behind it begins the next token; behind the 1 that stands for it, it would not.
    if (at === start + 2 || buf[at] === DOT) return UNFOLDABLE;
    return endsHere(buf, at, end);
  }
  at = endOfDigits(buf, at, end, isDigit);
  if (at < end && buf[at] === DOT) {
    // 1..10 is an integer and two points.
    if (at + 1 < end && buf[at + 1] === DOT) return UNFOLDABLE;
    at += 1;
    if (isDigit(buf[at])) at = endOfDigits(buf, at, end, isDigit);
  }
  if (at < end && ((buf[at] ?? 0) | 0x20) === 0x65) {
    at += 1;
    if (buf[at] === 0x2b || buf[at] === 0x2d) at += 1;
    if (at >= end || !isDigit(buf[at])) return UNFOLDABLE;
    at = endOfDigits(buf, at, end, isDigit);
  }
  return endsHere(buf, at, end);
}

/** A letter or dollar right behind a number is "trailing junk" to the scanner of 15 and later, a new token before. */
function endsHere(buf: Uint8Array, at: number, end: number): number {
  return at < end && NAME_BYTE[buf[at] ?? 0] !== 0 ? UNFOLDABLE : at;
}

const MOMENTS = ['now', 'today', 'tomorrow', 'yesterday'];

/** Datetime input that is not the same tomorrow: 'now', 'today' ... make a statement's result hang on the clock. */
function meansMoment(buf: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && isBlank(buf[at])) at += 1;
  const first = (buf[at] ?? 0) | 0x20;
  if (first !== 0x6e && first !== 0x74 && first !== 0x79) return false;
  return MOMENTS.some((word) => startsWith(buf, at, end, word) && !isLetter(buf, at + word.length, end));
}

function startsWith(buf: Uint8Array, start: number, end: number, word: string): boolean {
  if (start + word.length > end) return false;
  for (let i = 0; i < word.length; i += 1) if (((buf[start + i] ?? 0) | 0x20) !== word.charCodeAt(i)) return false;
  return true;
}

function isLetter(buf: Uint8Array, at: number, end: number): boolean {
  const lower = (buf[at] ?? 0) | 0x20;
  return at < end && lower >= 0x61 && lower <= 0x7a;
}
