import { PgfigError } from '../errors/pgfig-error.js';

declare global {
  /** In Node since ever, in its types since 24; spares toString's look at the encoding's name. */
  interface Buffer {
    latin1Slice(start: number, end: number): string;
  }
}

/** Bytes before a typed message's body: its type byte and its Int32 length. */
export const HEADER = 5;

/** A violation inside one message: an ERROR, after which the session goes on (Postgres: pqformat.c). */
export const malformed = (message: string): PgfigError => new PgfigError('PROTOCOL_VIOLATION_IN_QUERY', message);

export const insufficient = (): PgfigError => malformed('insufficient data left in message');

/**
 * Where the string that begins at `at` ends: the offset of its terminating NUL, which lies before
 * `end`, or -1. A loop and not indexOf: names are short, and indexOf would look beyond `end`.
 */
export function findNul(buf: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) if (buf[i] === 0) return i;
  return -1;
}

/** As findNul, but a string without an end is an error, with Postgres's text. */
export function stringEnd(buf: Uint8Array, at: number, end: number): number {
  const nul = findNul(buf, at, end);
  if (nul < 0) throw malformed('invalid string in message');
  return nul;
}

/** Unsigned Int16 (counts go up to 65535, as in Postgres) that must lie whole before `end`. */
export function uint16(buf: Buffer, at: number, end: number): number {
  if (at < 0 || at + 2 > end) throw insufficient();
  return buf.readUInt16BE(at);
}

export function int16(buf: Buffer, at: number, end: number): number {
  if (at < 0 || at + 2 > end) throw insufficient();
  return buf.readInt16BE(at);
}

export function uint32(buf: Buffer, at: number, end: number): number {
  if (at < 0 || at + 4 > end) throw insufficient();
  return buf.readUInt32BE(at);
}

export function int32(buf: Buffer, at: number, end: number): number {
  if (at < 0 || at + 4 > end) throw insufficient();
  return buf.readInt32BE(at);
}

/** The whole body has been read: what is left over is an error (Postgres: pq_getmsgend). */
export function atEnd(at: number, end: number): void {
  if (at !== end) throw malformed('invalid message format');
}

/** A new message with type and length written; its body, `bodyLength` bytes, is still uninitialised. */
export function message(type: number, bodyLength: number): Buffer {
  const buf = Buffer.allocUnsafe(HEADER + bodyLength);
  buf[0] = type;
  buf.writeInt32BE(bodyLength + 4, 1);
  return buf;
}

/** What of a text can stand in a C string: up to its first NUL. */
export function clean(text: string): string {
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

/** Bytes that `putString` takes for a text without NUL: UTF-8 and the terminator. */
export function stringSize(text: string): number {
  return Buffer.byteLength(text) + 1;
}

/** Writes a text without NUL as UTF-8 with its terminator; returns the offset after it. */
export function putString(buf: Buffer, at: number, text: string): number {
  const after = at + buf.write(text, at);
  buf[after] = 0;
  return after + 1;
}

/** Writes a name as decode.ts gives it (latin1: one character, one byte); returns the offset after it. */
export function putName(buf: Buffer, at: number, name: string): number {
  const after = at + buf.write(name, at, 'latin1');
  buf[after] = 0;
  return after + 1;
}
