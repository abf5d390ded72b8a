import { PgfigError } from '../errors/pgfig-error.js';
import { HEADER } from './bytes.js';
import { F } from './types.js';

/**
 * A typed message: Byte1 type, Int32 length (counts itself, not the type), body.
 * Source: PostgreSQL documentation, 55.2.1; limits from Postgres's own postgres.c and libpq.h.
 */
export { HEADER };

/** Most bytes of messages that carry no data, as length says (PQ_SMALL_MESSAGE_LIMIT). */
export const SMALL_MESSAGE_LIMIT = 10_000;
/** Most bytes of messages that carry data (PQ_LARGE_MESSAGE_LIMIT, 1 GB - 2). */
export const LARGE_MESSAGE_LIMIT = 0x3fffffff - 1;
/** Most bytes of a message while the client logs in (PG_MAX_AUTH_TOKEN_LENGTH). */
export const AUTH_MESSAGE_LIMIT = 65_535;

/** The length that a header at `at` gives, as a signed Int32: 4 + body. Five bytes must be there. */
export const messageLength = (buf: Buffer, at: number): number =>
  ((buf[at + 1] as number) << 24) |
  ((buf[at + 2] as number) << 16) |
  ((buf[at + 3] as number) << 8) |
  (buf[at + 4] as number);

/** Limit by type byte; 0 where Postgres knows no such message outside of login. */
const LIMITS = new Int32Array(256);
for (const type of [F.Query, F.Parse, F.Bind, F.FunctionCall, F.CopyData]) LIMITS[type] = LARGE_MESSAGE_LIMIT;
for (const type of [F.Close, F.Describe, F.Execute, F.Flush, F.Sync, F.Terminate, F.CopyDone, F.CopyFail]) {
  LIMITS[type] = SMALL_MESSAGE_LIMIT;
}

const violation = (message: string): PgfigError => new PgfigError('PROTOCOL_VIOLATION', message);

/**
 * Refuses, before its body is awaited, a header that Postgres would refuse after login.
 * @throws PgfigError PROTOCOL_VIOLATION (FATAL: after this the stream cannot be followed)
 */
export function checkFrontendHeader(type: number, length: number): void {
  const limit = LIMITS[type] as number;
  if (limit === 0) throw violation(`invalid frontend message type ${type}`);
  if (length < 4 || length > limit) throw violation('invalid message length');
}

/** The same for messages while the client logs in, where only answers to Authentication may come. */
export function checkAuthHeader(type: number, length: number): void {
  if (type !== F.Password) throw violation(`expected password response, got message type ${type}`);
  if (length < 4 || length > AUTH_MESSAGE_LIMIT) throw violation('invalid message length');
}

/** True of messages that may come while a COPY FROM STDIN runs; others end the connection in Postgres. */
export const isCopyInMessage = (type: number): boolean =>
  type === F.CopyData || type === F.CopyDone || type === F.CopyFail || type === F.Flush || type === F.Sync;

/** One whole message. */
export interface Frame {
  readonly type: number;
  /** A view of bytes that were pushed: valid as long as the pusher leaves its chunk alone. */
  readonly body: Buffer;
}

/**
 * Cuts a stream of bytes into whole messages, where speed does not matter: login, tests, tools.
 * A message that came in several chunks is copied once; others are views of their chunk.
 */
export class FrameReader {
  private readonly maxLength: number;
  private chunks: Buffer[] = [];
  private size = 0;
  /** Bytes that must be there before it is worth looking again. */
  private needed = HEADER;

  /** @param maxLength the greatest length that a header may give, in bytes */
  constructor(maxLength = AUTH_MESSAGE_LIMIT) {
    this.maxLength = maxLength;
  }

  /**
   * Takes a chunk and iterates the messages that are now whole. Whoever stops early finds the others
   * by `next()`, or all unread bytes by `rest()`.
   * @throws PgfigError PROTOCOL_VIOLATION while iterating, on a length below 4 or over the limit
   */
  push(chunk: Uint8Array): Iterable<Frame> {
    if (chunk.length > 0) {
      this.chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      this.size += chunk.length;
    }
    return this.drain();
  }

  private *drain(): Generator<Frame> {
    for (let frame = this.next(); frame !== null; frame = this.next()) yield frame;
  }

  /** The next whole message, or null. */
  next(): Frame | null {
    if (this.size < this.needed) return null;
    const buf = this.joined();
    const length = messageLength(buf, 0);
    if (length < 4 || length > this.maxLength) throw violation('invalid message length');
    const whole = 1 + length;
    if (buf.length < whole) {
      this.needed = whole;
      return null;
    }
    this.keep(buf.subarray(whole));
    return { type: buf[0] as number, body: buf.subarray(HEADER, whole) };
  }

  /** Hands over every byte that no message has been made of, and forgets them. */
  rest(): Buffer {
    const buf = this.joined();
    this.keep(buf.subarray(buf.length));
    return buf;
  }

  private joined(): Buffer {
    const only = this.chunks[0];
    if (this.chunks.length === 1 && only !== undefined) return only;
    const buf = Buffer.concat(this.chunks, this.size);
    this.chunks = [buf];
    return buf;
  }

  private keep(buf: Buffer): void {
    this.chunks = buf.length > 0 ? [buf] : [];
    this.size = buf.length;
    this.needed = HEADER;
  }
}
