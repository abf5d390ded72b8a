/**
 * Readers of the few messages that decide something. Each is given the message's body as a span
 * [start, end) of a buffer, looks at no byte outside of it, and keeps no reference to it.
 *
 * Names of statements and portals come as latin1, one character for each byte: they are keys, any
 * bytes are allowed in them, and latin1 is the cheapest to read. What is shown to people is UTF-8.
 *
 * All throw PgfigError PROTOCOL_VIOLATION_IN_QUERY, with Postgres's own text, on a malformed body.
 * Layouts: PostgreSQL documentation, 55.7 Message Formats.
 */
import { atEnd, findNul, insufficient, int16, int32, malformed, stringEnd, uint16, uint32 } from './bytes.js';

export { decodeErrorFields, type ErrorFields } from './error-fields.js';

/** ParameterStatus 'S': String name, String value. */
export function decodeParameterStatus(buf: Buffer, start: number, end: number): [name: string, value: string] {
  const nameEnd = stringEnd(buf, start, end);
  const valueEnd = stringEnd(buf, nameEnd + 1, end);
  atEnd(valueEnd + 1, end);
  return [buf.toString('utf8', start, nameEnd), buf.toString('utf8', nameEnd + 1, valueEnd)];
}

/** BackendKeyData 'K': Int32 pid, Byte n secret. The secret is a copy. */
export function decodeBackendKeyData(buf: Buffer, start: number, end: number): { pid: number; secret: Buffer } {
  const pid = int32(buf, start, end);
  if (end - start < 8) throw insufficient();
  if (end - start > 4 + 256) throw malformed('invalid message format');
  return { pid, secret: Buffer.from(buf.subarray(start + 4, end)) };
}

/** NotificationResponse 'A': Int32 pid, String channel, String payload. */
export function decodeNotification(
  buf: Buffer,
  start: number,
  end: number,
): { pid: number; channel: string; payload: string } {
  const pid = int32(buf, start, end);
  const channelEnd = stringEnd(buf, start + 4, end);
  const payloadEnd = stringEnd(buf, channelEnd + 1, end);
  atEnd(payloadEnd + 1, end);
  return {
    pid,
    channel: buf.toString('utf8', start + 4, channelEnd),
    payload: buf.toString('utf8', channelEnd + 1, payloadEnd),
  };
}

export interface ColumnDescription {
  readonly name: string;
  readonly tableOid: number;
  readonly columnNumber: number;
  readonly typeOid: number;
  readonly typeSize: number;
  readonly typeModifier: number;
  /** 0 text, 1 binary. */
  readonly format: number;
  /** Where in the buffer the type OID stands, for those that must put another in its place. */
  readonly typeOidAt: number;
}

/** RowDescription 'T': Int16 count, then the columns; layout above rowDescription (backend-messages.ts). */
export function decodeRowDescription(buf: Buffer, start: number, end: number): ColumnDescription[] {
  const count = uint16(buf, start, end);
  const columns: ColumnDescription[] = [];
  let at = start + 2;
  for (let i = 0; i < count; i++) {
    const nameEnd = stringEnd(buf, at, end);
    const fixed = nameEnd + 1;
    if (fixed + 18 > end) throw insufficient();
    columns.push({
      name: buf.toString('utf8', at, nameEnd),
      tableOid: buf.readUInt32BE(fixed),
      columnNumber: buf.readInt16BE(fixed + 4),
      typeOid: buf.readUInt32BE(fixed + 6),
      typeSize: buf.readInt16BE(fixed + 10),
      typeModifier: buf.readInt32BE(fixed + 12),
      format: buf.readInt16BE(fixed + 16),
      typeOidAt: fixed + 6,
    });
    at = fixed + 18;
  }
  atEnd(at, end);
  return columns;
}

/** ParameterDescription 't': Int16 count, Int32 type OID*. */
export function decodeParameterDescription(buf: Buffer, start: number, end: number): number[] {
  const oids = typeOids(buf, start, end);
  atEnd(start + 2 + 4 * oids.length, end);
  return oids;
}

function typeOids(buf: Buffer, at: number, end: number): number[] {
  const count = uint16(buf, at, end);
  if (at + 2 + 4 * count > end) throw insufficient();
  const oids: number[] = [];
  for (let i = 0; i < count; i++) oids.push(buf.readUInt32BE(at + 2 + 4 * i));
  return oids;
}

/** DataRow 'D': Int16 count, then for each value Int32 length (-1 for null) and its bytes, read as text. */
export function decodeDataRow(buf: Buffer, start: number, end: number): (string | null)[] {
  const count = uint16(buf, start, end);
  const values: (string | null)[] = [];
  let at = start + 2;
  for (let i = 0; i < count; i++) {
    const length = int32(buf, at, end);
    at += 4;
    if (length === -1) {
      values.push(null);
      continue;
    }
    if (length < 0 || at + length > end) throw insufficient();
    values.push(buf.toString('utf8', at, at + length));
    at += length;
  }
  atEnd(at, end);
  return values;
}

/** CommandComplete 'C': String tag. */
export function decodeCommandTag(buf: Buffer, start: number, end: number): string {
  const nul = stringEnd(buf, start, end);
  atEnd(nul + 1, end);
  return buf.latin1Slice(start, nul);
}

export interface ParseMessage {
  readonly name: string;
  /** Where the statement's text stands in the buffer, without its NUL. */
  readonly queryStart: number;
  readonly queryEnd: number;
  readonly paramTypes: number[];
}

/** Parse 'P': String name, String query, Int16 count, Int32 type OID*. */
export function decodeParse(buf: Buffer, start: number, end: number): ParseMessage {
  const nameEnd = stringEnd(buf, start, end);
  const queryEnd = stringEnd(buf, nameEnd + 1, end);
  const paramTypes = typeOids(buf, queryEnd + 1, end);
  atEnd(queryEnd + 3 + 4 * paramTypes.length, end);
  return { name: buf.latin1Slice(start, nameEnd), queryStart: nameEnd + 1, queryEnd, paramTypes };
}

export interface BindNames {
  readonly portal: string;
  readonly statement: string;
  /** Where the formats and values begin: they are passed on unread. */
  readonly end: number;
}

/**
 * Bind 'B': String portal, String statement, then formats and values, which stay unread.
 * @param whole false where only the message's beginning is there yet: null then says "more, please"
 */
export function decodeBindNames(buf: Buffer, start: number, end: number): BindNames;
export function decodeBindNames(buf: Buffer, start: number, end: number, whole: boolean): BindNames | null;
export function decodeBindNames(buf: Buffer, start: number, end: number, whole = true): BindNames | null {
  const portalEnd = findNul(buf, start, end);
  const statementEnd = portalEnd < 0 ? -1 : findNul(buf, portalEnd + 1, end);
  if (statementEnd < 0) {
    if (!whole) return null;
    throw malformed('invalid string in message');
  }
  return {
    portal: portalEnd === start ? '' : buf.latin1Slice(start, portalEnd),
    statement: statementEnd === portalEnd + 1 ? '' : buf.latin1Slice(portalEnd + 1, statementEnd),
    end: statementEnd + 1,
  };
}

export interface NamedObject {
  /** Statement or portal. */
  readonly what: 'S' | 'P';
  readonly name: string;
}

function namedObject(buf: Buffer, start: number, end: number, command: string): NamedObject {
  if (start >= end) throw malformed('no data left in message');
  const kind = buf[start] as number;
  const nul = stringEnd(buf, start + 1, end);
  atEnd(nul + 1, end);
  if (kind !== 0x53 && kind !== 0x50) throw malformed(`invalid ${command} message subtype ${kind}`);
  return { what: kind === 0x53 ? 'S' : 'P', name: buf.latin1Slice(start + 1, nul) };
}

/** Describe 'D': Byte1 'S' or 'P', String name. */
export const decodeDescribe = (buf: Buffer, start: number, end: number): NamedObject =>
  namedObject(buf, start, end, 'DESCRIBE');

/** Close 'C': Byte1 'S' or 'P', String name. */
export const decodeClose = (buf: Buffer, start: number, end: number): NamedObject =>
  namedObject(buf, start, end, 'CLOSE');

/** Execute 'E': String portal, Int32 most rows; 0 or less (as in Postgres) for all. */
export function decodeExecute(buf: Buffer, start: number, end: number): { portal: string; maxRows: number } {
  const nul = stringEnd(buf, start, end);
  const maxRows = int32(buf, nul + 1, end);
  atEnd(nul + 5, end);
  return { portal: nul === start ? '' : buf.latin1Slice(start, nul), maxRows };
}

/** Query 'Q': String text. Gives the span of the text without its NUL. */
export function decodeQuery(buf: Buffer, start: number, end: number): { queryStart: number; queryEnd: number } {
  // With a NUL as the last byte indexOf cannot run past the end, and it is the faster one on long texts.
  const long = end - start > 128 && buf[end - 1] === 0;
  const nul = long ? buf.indexOf(0, start) : stringEnd(buf, start, end);
  atEnd(nul + 1, end);
  return { queryStart: start, queryEnd: nul };
}

/** CopyFail 'f': String reason. */
export function decodeCopyFail(buf: Buffer, start: number, end: number): string {
  const nul = stringEnd(buf, start, end);
  atEnd(nul + 1, end);
  return buf.toString('utf8', start, nul);
}

export interface CopyFormat {
  /** 0 text, 1 binary. */
  readonly format: number;
  readonly columnFormats: number[];
}

/** CopyInResponse 'G', CopyOutResponse 'H', CopyBothResponse 'W': Int8 format, Int16 count, Int16 format*. */
export function decodeCopyResponse(buf: Buffer, start: number, end: number): CopyFormat {
  if (start >= end) throw malformed('no data left in message');
  const format = buf[start] as number;
  const count = uint16(buf, start + 1, end);
  const columnFormats: number[] = [];
  for (let i = 0; i < count; i++) columnFormats.push(int16(buf, start + 3 + 2 * i, end));
  atEnd(start + 3 + 2 * count, end);
  return { format, columnFormats };
}

/** NegotiateProtocolVersion 'v': Int32 newest version, Int32 count, String option*. */
export function decodeNegotiateProtocolVersion(
  buf: Buffer,
  start: number,
  end: number,
): { minor: number; unrecognized: string[] } {
  const version = uint32(buf, start, end);
  const count = uint32(buf, start + 4, end);
  const unrecognized: string[] = [];
  let at = start + 8;
  for (let i = 0; i < count; i++) {
    const nul = stringEnd(buf, at, end);
    unrecognized.push(buf.toString('utf8', at, nul));
    at = nul + 1;
  }
  atEnd(at, end);
  return { minor: version & 0xffff, unrecognized };
}
