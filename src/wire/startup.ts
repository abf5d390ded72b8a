import { PgfigError } from '../errors/pgfig-error.js';
import { clean, findNul, putString, stringSize } from './bytes.js';
import { CANCEL_REQUEST, GSSENC_REQUEST, NEWEST_MINOR, PROTOCOL_3_0, SSL_REQUEST } from './types.js';

export { parseOptions } from './startup-options.js';

/** The most bytes that may follow a startup packet's length (Postgres: MAX_STARTUP_PACKET_LENGTH). */
export const MAX_STARTUP_BODY = 10_000;
/** Cancel keys have 4 bytes up to protocol 3.1, and from 4 to 256 in 3.2. */
const MAX_CANCEL_KEY = 256;
const OPTION_PREFIX = '_pq_.';

export type StartupPacket =
  | { readonly type: 'ssl' }
  | { readonly type: 'gss' }
  | { readonly type: 'cancel'; readonly pid: number; readonly secret: Buffer }
  | {
      readonly type: 'startup';
      readonly major: number;
      readonly minor: number;
      /** Parameters by name, values as UTF-8; without the protocol's own options. */
      readonly params: Map<string, string>;
      /** Names of the protocol options (`_pq_.` ...) that the client asks for; pgfig knows none. */
      readonly options: string[];
    };

const violation = (message: string): PgfigError => new PgfigError('PROTOCOL_VIOLATION', message);

/**
 * Checks the Int32 length that a startup packet begins with (it counts itself), before its body is
 * awaited. @throws PgfigError PROTOCOL_VIOLATION, STARTUP_TOO_LARGE
 */
export function checkStartupLength(length: number): void {
  if (length > MAX_STARTUP_BODY + 4) throw new PgfigError('STARTUP_TOO_LARGE', 'invalid length of startup packet');
  if (length < 8) throw violation('invalid length of startup packet');
}

/**
 * Reads the first packet of a connection, whole and with its length. What it returns holds copies
 * and stays valid.
 *
 * StartupMessage: Int32 length, Int32 protocol version, then (String name, String value)*, Byte1 0.
 * SSLRequest, GSSENCRequest: Int32 8, Int32 code. CancelRequest: Int32 length, Int32 code, Int32 pid, Byte n key.
 * @throws PgfigError PROTOCOL_VIOLATION, STARTUP_TOO_LARGE, UNSUPPORTED_PROTOCOL, AUTH_NOT_ALLOWED (no user)
 */
export function parseStartup(packet: Uint8Array): StartupPacket {
  const buf = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
  if (buf.length < 8) throw violation('invalid length of startup packet');
  const length = buf.readInt32BE(0);
  checkStartupLength(length);
  if (length !== buf.length) throw violation('invalid length of startup packet');
  const code = buf.readUInt32BE(4);
  if (code === SSL_REQUEST || code === GSSENC_REQUEST) {
    if (length !== 8) throw violation('invalid length of startup packet');
    return { type: code === SSL_REQUEST ? 'ssl' : 'gss' };
  }
  if (code === CANCEL_REQUEST) return parseCancel(buf);
  const major = code >>> 16;
  const minor = code & 0xffff;
  if (major !== 3) {
    throw new PgfigError(
      'UNSUPPORTED_PROTOCOL',
      `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.${NEWEST_MINOR}`,
    );
  }
  return { type: 'startup', major, minor, ...parseParameters(buf) };
}

function parseCancel(buf: Buffer): StartupPacket {
  const key = buf.length - 12;
  if (key < 4 || key > MAX_CANCEL_KEY) throw violation('invalid length of cancel request packet');
  return { type: 'cancel', pid: buf.readInt32BE(8), secret: Buffer.from(buf.subarray(12)) };
}

function parseParameters(buf: Buffer): { params: Map<string, string>; options: string[] } {
  const params = new Map<string, string>();
  const options: string[] = [];
  const end = buf.length;
  let at = 8;
  while (at < end && buf[at] !== 0) {
    const nameEnd = findNul(buf, at, end);
    const valueEnd = nameEnd < 0 ? -1 : findNul(buf, nameEnd + 1, end);
    if (valueEnd < 0) break;
    const name = buf.toString('utf8', at, nameEnd);
    if (name.startsWith(OPTION_PREFIX)) options.push(name);
    else params.set(name, buf.toString('utf8', nameEnd + 1, valueEnd));
    at = valueEnd + 1;
  }
  // Postgres lets one stray byte pass for the terminator; the layout says 0.
  if (at !== end - 1 || buf[at] !== 0) {
    throw violation('invalid startup packet layout: expected terminator as last byte');
  }
  if (!params.get('user')) {
    throw new PgfigError('AUTH_NOT_ALLOWED', 'no PostgreSQL user name specified in startup packet');
  }
  return { params, options };
}

/** StartupMessage of protocol 3, layout above parseStartup. Texts are cut at a NUL. */
export function encodeStartup(params: Iterable<readonly [string, string]>, minor = 0): Buffer {
  const pairs = Array.from(params, ([name, value]): [string, string] => [clean(name), clean(value)]);
  let length = 9;
  for (const [name, value] of pairs) length += stringSize(name) + stringSize(value);
  const buf = Buffer.allocUnsafe(length);
  buf.writeInt32BE(length, 0);
  buf.writeInt32BE(PROTOCOL_3_0 + minor, 4);
  let at = 8;
  for (const [name, value] of pairs) at = putString(buf, putString(buf, at, name), value);
  buf[at] = 0;
  return buf;
}

function encodeRequest(code: number): Buffer {
  const buf = Buffer.allocUnsafe(8);
  buf.writeInt32BE(8, 0);
  buf.writeInt32BE(code, 4);
  return buf;
}

/** SSLRequest: Int32 8, Int32 80877103. */
export const encodeSslRequest = (): Buffer => encodeRequest(SSL_REQUEST);

/** GSSENCRequest: Int32 8, Int32 80877104. */
export const encodeGssRequest = (): Buffer => encodeRequest(GSSENC_REQUEST);

/** CancelRequest: Int32 length, Int32 80877102, Int32 pid, Byte n key (4 to 256 bytes). */
export function encodeCancelRequest(pid: number, secret: Uint8Array): Buffer {
  const buf = Buffer.allocUnsafe(12 + secret.length);
  buf.writeInt32BE(buf.length, 0);
  buf.writeInt32BE(CANCEL_REQUEST, 4);
  buf.writeInt32BE(pid | 0, 8);
  buf.set(secret, 12);
  return buf;
}
