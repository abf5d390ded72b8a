/**
 * One line for each message, in the style of libpq's PQtrace: direction, length, name, contents,
 * separated by tabs. Layouts: PostgreSQL documentation, 55.7 Message Formats.
 *
 * What is secret is never written: answers to Authentication, cancel keys, passwords within SQL and
 * verifiers within rows. Long values are cut, and what cannot be read is said to be malformed.
 */
import { TraceReader } from './trace-reader.js';
import { AUTH, B, CANCEL_REQUEST, F, GSSENC_REQUEST, SSL_REQUEST } from './types.js';

export type Direction = 'F' | 'B';

type Format = (r: TraceReader) => void;
type Entry = readonly [name: string, format: Format];

/** One step after the other. */
const seq =
  (...steps: Format[]): Format =>
  (r) => {
    for (const step of steps) step(r);
  };

const nothing: Format = () => undefined;
const string: Format = (r) => r.string();
const byte: Format = (r) => r.byte();
const short: Format = (r) => r.int16();
const int: Format = (r) => r.int32();
const oid: Format = (r) => r.uint32();
const value: Format = (r) => r.value();
const secret: Format = (r) => r.secret();
const rest: Format = (r) => r.bytes(r.left);
const list =
  (item: Format): Format =>
  (r) =>
    r.times(r.count(), () => item(r));
const strings: Format = (r) => {
  while (r.left > 1) r.string();
};
const fields: Format = (r) => {
  while (r.left > 0 && r.byte() !== '\\x00') r.string();
};
const copyResponse = seq(byte, list(short));
const column = seq(string, oid, short, oid, short, int, short);

const FRONTEND = new Map<number, Entry>([
  [F.Bind, ['Bind', seq(string, string, list(short), list(value), list(short))]],
  [F.Close, ['Close', seq(byte, string)]],
  [F.CopyData, ['CopyData', rest]],
  [F.CopyDone, ['CopyDone', nothing]],
  [F.CopyFail, ['CopyFail', string]],
  [F.Describe, ['Describe', seq(byte, string)]],
  [F.Execute, ['Execute', seq(string, int)]],
  [F.Flush, ['Flush', nothing]],
  [F.FunctionCall, ['FunctionCall', seq(oid, list(short), list(value), short)]],
  [F.Parse, ['Parse', seq(string, string, list(oid))]],
  [F.Password, ['AuthenticationResponse', secret]],
  [F.Query, ['Query', string]],
  [F.Sync, ['Sync', nothing]],
  [F.Terminate, ['Terminate', nothing]],
]);

const BACKEND = new Map<number, Entry>([
  [B.BackendKeyData, ['BackendKeyData', seq(int, secret)]],
  [B.BindComplete, ['BindComplete', nothing]],
  [B.CloseComplete, ['CloseComplete', nothing]],
  [B.CommandComplete, ['CommandComplete', string]],
  [B.CopyBothResponse, ['CopyBothResponse', copyResponse]],
  [B.CopyData, ['CopyData', rest]],
  [B.CopyDone, ['CopyDone', nothing]],
  [B.CopyInResponse, ['CopyInResponse', copyResponse]],
  [B.CopyOutResponse, ['CopyOutResponse', copyResponse]],
  [B.DataRow, ['DataRow', list(value)]],
  [B.EmptyQueryResponse, ['EmptyQueryResponse', nothing]],
  [B.ErrorResponse, ['ErrorResponse', fields]],
  [B.FunctionCallResponse, ['FunctionCallResponse', value]],
  [B.NegotiateProtocolVersion, ['NegotiateProtocolVersion', seq(int, int, strings)]],
  [B.NoData, ['NoData', nothing]],
  [B.NoticeResponse, ['NoticeResponse', fields]],
  [B.NotificationResponse, ['NotificationResponse', seq(int, string, string)]],
  [B.ParameterDescription, ['ParameterDescription', list(oid)]],
  [B.ParameterStatus, ['ParameterStatus', seq(string, string)]],
  [B.ParseComplete, ['ParseComplete', nothing]],
  [B.PortalSuspended, ['PortalSuspended', nothing]],
  [B.ReadyForQuery, ['ReadyForQuery', byte]],
  [B.RowDescription, ['RowDescription', list(column)]],
]);

const AUTH_NAMES = new Map<number, string>([
  [AUTH.Ok, 'AuthenticationOk'],
  [AUTH.Cleartext, 'AuthenticationCleartextPassword'],
  [AUTH.Md5, 'AuthenticationMD5Password'],
  [AUTH.Sasl, 'AuthenticationSASL'],
  [AUTH.SaslContinue, 'AuthenticationSASLContinue'],
  [AUTH.SaslFinal, 'AuthenticationSASLFinal'],
]);

/** Authentication 'R': the kind is in its name; challenges are not written, mechanisms are. */
function authenticationFormat(buf: Buffer, start: number, end: number): Entry {
  const kind = end - start >= 4 ? buf.readInt32BE(start) : -1;
  const contents = kind === AUTH.Sasl ? strings : kind === AUTH.Ok ? nothing : secret;
  return [AUTH_NAMES.get(kind) ?? 'Authentication', seq(int, contents)];
}

/** A packet without a type byte: the first of a connection. */
function startupFormat(buf: Buffer, start: number, end: number): Entry {
  const code = end - start >= 4 ? buf.readUInt32BE(start) : 0;
  if (code === SSL_REQUEST) return ['SSLRequest', nothing];
  if (code === GSSENC_REQUEST) return ['GSSENCRequest', nothing];
  if (code === CANCEL_REQUEST) return ['CancelRequest', seq(int, int, secret)];
  return ['StartupMessage', seq(short, short, strings)];
}

function formatOf(direction: Direction, type: number, buf: Buffer, start: number, end: number): Entry {
  if (type === 0) return startupFormat(buf, start, end);
  if (direction === 'B' && type === B.Authentication) return authenticationFormat(buf, start, end);
  const known = (direction === 'F' ? FRONTEND : BACKEND).get(type);
  return known ?? [`Unknown message: ${type.toString(16).padStart(2, '0')}`, rest];
}

/**
 * The line for one message, without a line end. Never throws.
 * @param type its type byte; 0 for a startup packet (whose body begins after its length)
 * @param start where its body begins in `buf`; `end`, where it ends, is exclusive
 * @param at written before the line, as local time would be by PQtrace but in UTC
 */
export function traceMessage(
  direction: Direction,
  type: number,
  buf: Buffer,
  start: number,
  end: number,
  at?: Date,
): string {
  const [name, format] = formatOf(direction, type, buf, start, end);
  const reader = new TraceReader(buf, start, end);
  try {
    format(reader);
  } catch {
    reader.write(' (malformed)');
  }
  const time = at === undefined ? '' : `${at.toISOString().replace('T', ' ').replace('Z', '')}\t`;
  return `${time}${direction}\t${end - start + 4}\t${name}\t${reader.words.join('')}`;
}
