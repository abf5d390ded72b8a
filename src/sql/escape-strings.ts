import {
  endOfBlockComment,
  endOfDollarQuote,
  endOfDollarTag,
  endOfLineComment,
  isBlank,
  NAME_BYTE,
  UNFOLDABLE,
} from './lexical.js';

/** A text in which every string says itself that backslashes are escapes in it. */
export interface EscapedText {
  readonly bytes: Buffer;
  /** The place in the original text of a place in `bytes`. */
  original(place: number): number;
}

/**
 * Writes a text that was meant for `standard_conforming_strings = off` as the grammar at hand reads it: 'a\'b' becomes
 * E'a\'b', which is the same token (scan.l: the setting only decides between the states xq and xe), and N'...', of
 * which the scanner makes NCHAR and a string, becomes nchar E'...'. A string that goes on in the next line keeps the
 * state that it began in. All else stays byte by byte, also what does not end: the parser says so then.
 *
 * @returns null where Postgres refuses the text for the setting alone: U&'...'
 */
export function escapeStrings(buf: Uint8Array, start: number, end: number): EscapedText | null {
  const writer = new Writer(buf, start);
  let at = start;
  while (at < end) {
    const byte = buf[at] as number;
    if (NAME_BYTE[byte] === 1) {
      const from = at;
      while (at < end && NAME_BYTE[buf[at] as number] !== 0) at += 1;
      const letter = at - from === 1 ? byte | 0x20 : 0;
      if (letter === 0x75 && buf[at] === AMPERSAND && at + 1 < end) {
        if (buf[at + 1] === QUOTE) return null;
      } else if (at < end && buf[at] === QUOTE) {
        if (letter === 0x65) at = endOfStrings(buf, at, end);
        else if (letter === 0x62 || letter === 0x78) at = endOfBits(buf, at, end);
        else if (letter === 0x6e) writer.replace(from, at, 'nchar');
      }
    } else if (byte === QUOTE) {
      writer.replace(at, at, ' E');
      at = endOfStrings(buf, at, end);
    } else if (byte === DOUBLE_QUOTE) {
      at += 1;
      while (at < end && buf[at] !== DOUBLE_QUOTE) at += 1;
      at += 1;
    } else if (byte === DOLLAR || isDigit(byte)) {
      at = endOfDollarOrNumber(buf, at, end);
    } else {
      at = endOfCommentAt(buf, at, end);
    }
  }
  return writer.finish(end);
}

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const DOLLAR = 0x24;
const AMPERSAND = 0x26;
const BACKSLASH = 0x5c;
const DASH = 0x2d;
const SLASH = 0x2f;
const STAR = 0x2a;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** Copies the text, but for what is put in the place of some of it. */
class Writer {
  readonly #buf: Buffer;
  readonly #start: number;
  readonly #parts: Buffer[] = [];
  /** Where the original goes on behind something new: [place in what is written, place in the original] */
  readonly #places: (readonly [number, number])[] = [];
  #copied: number;
  #length = 0;

  constructor(buf: Uint8Array, start: number) {
    this.#buf = Buffer.from(buf.buffer, buf.byteOffset, buf.byteLength);
    this.#start = start;
    this.#copied = start;
  }

  replace(from: number, to: number, by: string): void {
    this.#add(this.#buf.subarray(this.#copied, from));
    this.#add(Buffer.from(by, 'latin1'));
    this.#copied = to;
    this.#places.push([this.#length, to - this.#start]);
  }

  finish(end: number): EscapedText {
    this.#add(this.#buf.subarray(this.#copied, end));
    const places = this.#places;
    return { bytes: Buffer.concat(this.#parts), original: (place) => originalOf(places, place) };
  }

  #add(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}

function originalOf(places: readonly (readonly [number, number])[], place: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle]?.[0] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  const [written, original] = places[low - 1] ?? [0, 0];
  return original + place - written;
}

/** Behind a string with escapes, and behind those that it goes on with: '...' newline '...' */
function endOfStrings(buf: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end) {
    const byte = buf[at];
    if (byte === BACKSLASH) at += 2;
    else if (byte !== QUOTE) at += 1;
    else if (buf[at + 1] === QUOTE && at + 1 < end) at += 2;
    else {
      const next = continuation(buf, at + 1, end);
      if (next < 0) return at + 1;
      at = next + 1;
    }
  }
  return end;
}

/** B'...' and X'...' have no escapes; they go on in the same way. */
function endOfBits(buf: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end) {
    if (buf[at] !== QUOTE) {
      at += 1;
      continue;
    }
    const next = continuation(buf, at + 1, end);
    if (next < 0) return at + 1;
    at = next + 1;
  }
  return end;
}

/** The quote with which a string goes on: behind blanks and line comments with at least one newline; -1: it is over. */
function continuation(buf: Uint8Array, start: number, end: number): number {
  let newline = false;
  let at = start;
  while (at < end) {
    const byte = buf[at] as number;
    if (byte === QUOTE) return newline ? at : -1;
    if (byte === DASH && buf[at + 1] === DASH && at + 1 < end) at = endOfLineComment(buf, at, end);
    else if (isBlank(byte)) {
      if (byte === 0x0a || byte === 0x0d) newline = true;
      at += 1;
    } else return -1;
  }
  return -1;
}

/** $1, $$...$$, 12. Letters right behind a number are an error, or the next token, which begins with them. */
function endOfDollarOrNumber(buf: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  if (buf[start] === DOLLAR && !(at < end && isDigit(buf[at] as number))) {
    if (endOfDollarTag(buf, start, end) === UNFOLDABLE) return at;
    const behind = endOfDollarQuote(buf, start, end);
    return behind === UNFOLDABLE ? end : behind;
  }
  while (at < end && isDigit(buf[at] as number)) at += 1;
  return at;
}

/** Behind a comment; behind one byte where none begins. One that does not end takes all. */
function endOfCommentAt(buf: Uint8Array, at: number, end: number): number {
  if (at + 1 < end && buf[at] === DASH && buf[at + 1] === DASH) return endOfLineComment(buf, at, end);
  if (at + 1 < end && buf[at] === SLASH && buf[at + 1] === STAR) {
    const behind = endOfBlockComment(buf, at, end);
    return behind === UNFOLDABLE ? end : behind;
  }
  return at + 1;
}
