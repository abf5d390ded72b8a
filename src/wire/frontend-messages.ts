/**
 * Messages that pgfig itself sends to backends. Each function gives one whole message.
 *
 * pg-protocol writes those that carry only text: its writer starts a new buffer with each message, so
 * what it returns is the caller's (tested). Messages with names of statements or portals are written
 * here: names are latin1 keys (decode.ts), any byte may stand in a client's, and pg-protocol would
 * write them as UTF-8 and complain on the console of those over 63 characters.
 * Layouts: PostgreSQL documentation, 55.7 Message Formats.
 */
import { serialize } from 'pg-protocol';
import { clean, HEADER, message, putName } from './bytes.js';
import { F } from './types.js';

export const sync: Buffer = serialize.sync();
export const flush: Buffer = serialize.flush();
export const terminate: Buffer = serialize.end();
export const copyDone: Buffer = serialize.copyDone();

export const query = (text: string): Buffer => serialize.query(clean(text));
export const password = (text: string): Buffer => serialize.password(clean(text));
export const copyFail = (reason: string): Buffer => serialize.copyFail(clean(reason));

/** SASLInitialResponse 'p': String mechanism, Int32 length, Byte n data. */
export const saslInitial = (mechanism: string, data: string): Buffer =>
  serialize.sendSASLInitialResponseMessage(mechanism, data);

/** SASLResponse 'p': Byte n data. */
export const saslResponse = (data: string): Buffer => serialize.sendSCRAMClientFinalMessage(data);

/**
 * Parse 'P': String name, String query, Int16 count, Int32 type OID*.
 * @param text a string goes out as UTF-8; bytes go out as they are, whatever the client_encoding
 */
export function parse(name: string, text: string | Uint8Array, types: readonly number[] = []): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(clean(text)) : text;
  const buf = message(F.Parse, name.length + 1 + bytes.length + 1 + 2 + 4 * types.length);
  let at = putName(buf, HEADER, name);
  buf.set(bytes, at);
  at += bytes.length;
  buf[at] = 0;
  at = buf.writeUInt16BE(types.length, at + 1);
  for (const oid of types) at = buf.writeUInt32BE(oid, at);
  return buf;
}

/**
 * Bind 'B': String portal, String statement, Int16 0 (all parameters in text), Int16 count,
 * (Int32 length, Byte n)*, Int16 0 (all results in text).
 */
export function bind(portal: string, statement: string, values: readonly (string | null)[] = []): Buffer {
  const sizes = values.map((value) => (value === null ? -1 : Buffer.byteLength(value)));
  const size = sizes.reduce((sum, bytes) => sum + 4 + Math.max(bytes, 0), 0);
  const buf = message(F.Bind, portal.length + 1 + statement.length + 1 + 2 + 2 + size + 2);
  let at = putName(buf, putName(buf, HEADER, portal), statement);
  at = buf.writeUInt16BE(0, at);
  at = buf.writeUInt16BE(values.length, at);
  values.forEach((value, i) => {
    at = buf.writeInt32BE(sizes[i] ?? -1, at);
    if (value !== null) at += buf.write(value, at);
  });
  buf.writeUInt16BE(0, at);
  return buf;
}

const EXECUTE_UNNAMED = Buffer.from([F.Execute, 0, 0, 0, 9, 0, 0, 0, 0, 0]);

/** Execute 'E': String portal, Int32 most rows (0 for all). */
export function execute(portal = '', maxRows = 0): Buffer {
  if (portal === '' && maxRows === 0) return EXECUTE_UNNAMED;
  const buf = message(F.Execute, portal.length + 1 + 4);
  buf.writeInt32BE(maxRows, putName(buf, HEADER, portal));
  return buf;
}

/** Describe 'D' and Close 'C': Byte1 'S' or 'P', String name. */
function named(type: number, what: 'S' | 'P', name: string): Buffer {
  const buf = message(type, 1 + name.length + 1);
  buf[HEADER] = what.charCodeAt(0);
  putName(buf, HEADER + 1, name);
  return buf;
}

export const describeStatement = (name: string): Buffer => named(F.Describe, 'S', name);
export const describePortal = (name: string): Buffer => named(F.Describe, 'P', name);
export const closeStatement = (name: string): Buffer => named(F.Close, 'S', name);
export const closePortal = (name: string): Buffer => named(F.Close, 'P', name);
