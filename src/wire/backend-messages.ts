/**
 * Messages that pgfig sends to clients in a server's place. Each function gives one whole message in
 * one new Buffer, which belongs to the caller; the constants are shared and must not be written to.
 * Layouts: PostgreSQL documentation, 55.7 Message Formats. Texts go out as UTF-8, cut at a NUL.
 */
import { clean, HEADER, message, putString, stringSize } from './bytes.js';
import { AUTH, B, PROTOCOL_3_0, type TransactionStatus } from './types.js';

export { type ErrorFields, errorFrom, errorResponse, noticeResponse } from './error-fields.js';

const bare = (type: number): Buffer => Buffer.from([type, 0, 0, 0, 4]);

export const parseComplete = bare(B.ParseComplete);
export const bindComplete = bare(B.BindComplete);
export const closeComplete = bare(B.CloseComplete);
export const noData = bare(B.NoData);
export const emptyQueryResponse = bare(B.EmptyQueryResponse);
export const portalSuspended = bare(B.PortalSuspended);

/** Authentication* 'R': Int32 kind, then what the kind asks for. */
function authentication(kind: number, data: Uint8Array | null): Buffer {
  const buf = message(B.Authentication, 4 + (data?.length ?? 0));
  buf.writeInt32BE(kind, HEADER);
  if (data !== null) buf.set(data, HEADER + 4);
  return buf;
}

export const authenticationOk = (): Buffer => authentication(AUTH.Ok, null);
export const authenticationCleartext = (): Buffer => authentication(AUTH.Cleartext, null);
/** @param salt 4 bytes */
export const authenticationMd5 = (salt: Uint8Array): Buffer => authentication(AUTH.Md5, salt.subarray(0, 4));
export const authenticationSaslContinue = (data: Uint8Array): Buffer => authentication(AUTH.SaslContinue, data);
export const authenticationSaslFinal = (data: Uint8Array): Buffer => authentication(AUTH.SaslFinal, data);

/** AuthenticationSASL: Int32 10, String mechanism*, Byte1 0; the most wanted mechanism first. */
export function authenticationSasl(mechanisms: readonly string[]): Buffer {
  return authentication(AUTH.Sasl, Buffer.from(`${mechanisms.map((name) => `${clean(name)}\0`).join('')}\0`));
}

/** BackendKeyData 'K': Int32 pid, Byte n secret (4 bytes up to protocol 3.1; 4 to 256 in 3.2). */
export function backendKeyData(pid: number, secret: Uint8Array): Buffer {
  const buf = message(B.BackendKeyData, 4 + secret.length);
  buf.writeInt32BE(pid | 0, HEADER);
  buf.set(secret, HEADER + 4);
  return buf;
}

/** ParameterStatus 'S': String name, String value. */
export function parameterStatus(name: string, value: string): Buffer {
  const [left, right] = [clean(name), clean(value)];
  const buf = message(B.ParameterStatus, stringSize(left) + stringSize(right));
  putString(buf, putString(buf, HEADER, left), right);
  return buf;
}

const ready = (status: string): Buffer => Buffer.from([B.ReadyForQuery, 0, 0, 0, 5, status.charCodeAt(0)]);
const READY_IDLE = ready('I');
const READY_IN_TRANSACTION = ready('T');
const READY_FAILED = ready('E');

/** ReadyForQuery 'Z': Byte1 status. A shared constant. @param status letter or its byte */
export function readyForQuery(status: TransactionStatus | number): Buffer {
  if (status === 'I' || status === 0x49) return READY_IDLE;
  return status === 'T' || status === 0x54 ? READY_IN_TRANSACTION : READY_FAILED;
}

/**
 * NegotiateProtocolVersion 'v': Int32 newest version, Int32 count, String option*. The version goes
 * out with its major part, which the documentation leaves unsaid and libpq insists on.
 * @param minor the lesser of what the client asked for and NEWEST_MINOR: libpq takes a higher one than it
 * asked for as an error, also where only options are refused
 */
export function negotiateProtocolVersion(minor: number, unrecognized: readonly string[]): Buffer {
  const names = unrecognized.map(clean);
  const buf = message(
    B.NegotiateProtocolVersion,
    names.reduce((sum, name) => sum + stringSize(name), 8),
  );
  buf.writeInt32BE(PROTOCOL_3_0 + minor, HEADER);
  buf.writeInt32BE(names.length, HEADER + 4);
  let at = HEADER + 8;
  for (const name of names) at = putString(buf, at, name);
  return buf;
}

/** CommandComplete 'C': String tag. */
export function commandComplete(tag: string): Buffer {
  const text = clean(tag);
  const buf = message(B.CommandComplete, stringSize(text));
  putString(buf, HEADER, text);
  return buf;
}

export interface Column {
  readonly name: string;
  readonly typeOid: number;
  readonly tableOid?: number;
  readonly columnNumber?: number;
  /** Bytes; -1, the default, for types of varying length. */
  readonly typeSize?: number;
  readonly typeModifier?: number;
  /** 0 text (the default), 1 binary. */
  readonly format?: number;
}

/**
 * RowDescription 'T': Int16 count, then for each column String name, Int32 table OID, Int16 column
 * number, Int32 type OID, Int16 type size, Int32 type modifier, Int16 format.
 */
export function rowDescription(columns: readonly Column[]): Buffer {
  const names = columns.map((column) => clean(column.name));
  const buf = message(
    B.RowDescription,
    names.reduce((sum, name) => sum + stringSize(name) + 18, 2),
  );
  let at = buf.writeUInt16BE(columns.length, HEADER);
  columns.forEach((column, i) => {
    at = putString(buf, at, names[i] ?? '');
    at = buf.writeUInt32BE(column.tableOid ?? 0, at);
    at = buf.writeInt16BE(column.columnNumber ?? 0, at);
    at = buf.writeUInt32BE(column.typeOid, at);
    at = buf.writeInt16BE(column.typeSize ?? -1, at);
    at = buf.writeInt32BE(column.typeModifier ?? -1, at);
    at = buf.writeInt16BE(column.format ?? 0, at);
  });
  return buf;
}

/** DataRow 'D': Int16 count, then for each value Int32 length (-1 for null) and its bytes; text format. */
export function dataRow(values: readonly (string | null)[]): Buffer {
  const sizes = values.map((value) => (value === null ? -1 : Buffer.byteLength(value)));
  const buf = message(
    B.DataRow,
    sizes.reduce((sum, size) => sum + 4 + Math.max(size, 0), 2),
  );
  let at = buf.writeUInt16BE(values.length, HEADER);
  values.forEach((value, i) => {
    at = buf.writeInt32BE(sizes[i] ?? -1, at);
    if (value !== null) at += buf.write(value, at);
  });
  return buf;
}

/** ParameterDescription 't': Int16 count, Int32 type OID*. */
export function parameterDescription(oids: readonly number[]): Buffer {
  const buf = message(B.ParameterDescription, 2 + 4 * oids.length);
  let at = buf.writeUInt16BE(oids.length, HEADER);
  for (const oid of oids) at = buf.writeUInt32BE(oid, at);
  return buf;
}

/** NotificationResponse 'A': Int32 pid, String channel, String payload. */
export function notificationResponse(pid: number, channel: string, payload: string): Buffer {
  const [left, right] = [clean(channel), clean(payload)];
  const buf = message(B.NotificationResponse, 4 + stringSize(left) + stringSize(right));
  putString(buf, putString(buf, buf.writeInt32BE(pid | 0, HEADER), left), right);
  return buf;
}
