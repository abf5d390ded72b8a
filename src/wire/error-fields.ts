import type { PgfigError } from '../errors/pgfig-error.js';
import { atEnd, clean, message, putString, stringEnd, stringSize } from './bytes.js';
import { B } from './types.js';

/** What ErrorResponse and NoticeResponse carry. Source: PostgreSQL documentation, 55.8. */
export interface ErrorFields {
  /** ERROR, FATAL, PANIC, WARNING, NOTICE, DEBUG, INFO, LOG: never translated (field V). */
  readonly severity: string;
  /** The same in the server's language (field S); without it `severity` is sent. */
  readonly localizedSeverity?: string | undefined;
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** In characters from 1. */
  readonly position?: number | undefined;
  readonly internalPosition?: number | undefined;
  readonly internalQuery?: string | undefined;
  readonly where?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly dataType?: string | undefined;
  readonly constraint?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly routine?: string | undefined;
}

/** Field bytes in the order in which Postgres sends them. */
const FIELDS = [
  ['S', 'localizedSeverity'],
  ['V', 'severity'],
  ['C', 'code'],
  ['M', 'message'],
  ['D', 'detail'],
  ['H', 'hint'],
  ['W', 'where'],
  ['s', 'schema'],
  ['t', 'table'],
  ['c', 'column'],
  ['d', 'dataType'],
  ['n', 'constraint'],
  ['P', 'position'],
  ['p', 'internalPosition'],
  ['q', 'internalQuery'],
  ['F', 'file'],
  ['L', 'line'],
  ['R', 'routine'],
] as const satisfies readonly (readonly [string, keyof ErrorFields])[];

const NUMBERS = new Set<string>(['P', 'p', 'L']);

/** ErrorResponse 'E', NoticeResponse 'N': (Byte1 field type, String value)*, Byte1 0. */
function encode(type: number, fields: ErrorFields): Buffer {
  const parts: [number, string][] = [];
  let length = 1;
  for (const [letter, key] of FIELDS) {
    const value = key === 'localizedSeverity' ? (fields.localizedSeverity ?? fields.severity) : fields[key];
    if (value === undefined) continue;
    const text = clean(String(value));
    parts.push([letter.charCodeAt(0), text]);
    length += 1 + stringSize(text);
  }
  const buf = message(type, length);
  let at = 5;
  for (const [letter, text] of parts) {
    buf[at] = letter;
    at = putString(buf, at + 1, text);
  }
  buf[at] = 0;
  return buf;
}

export const errorResponse = (fields: ErrorFields): Buffer => encode(B.ErrorResponse, fields);
export const noticeResponse = (fields: ErrorFields): Buffer => encode(B.NoticeResponse, fields);

/** ErrorResponse that tells a client of an error of pgfig's own. */
export function errorFrom(e: PgfigError): Buffer {
  const { severity, sqlstate, message: text, detail, hint, position } = e;
  return errorResponse({ severity, code: sqlstate, message: text, detail, hint, position });
}

const KEYS = new Map<string, keyof ErrorFields>(FIELDS);

/**
 * Reads the body of an ErrorResponse or NoticeResponse. Unknown fields are passed over, as the
 * protocol asks; severity comes from S where there is no V (before Postgres 9.6, and poolers).
 * @throws PgfigError PROTOCOL_VIOLATION_IN_QUERY
 */
export function decodeErrorFields(buf: Buffer, start: number, end: number): ErrorFields {
  const fields: Record<string, string | number> = {};
  let at = start;
  while (at < end && buf[at] !== 0) {
    const letter = String.fromCharCode(buf[at] as number);
    const nul = stringEnd(buf, at + 1, end);
    const key = KEYS.get(letter);
    if (key !== undefined) {
      const text = buf.toString('utf8', at + 1, nul);
      if (!NUMBERS.has(letter)) fields[key] = text;
      else if (/^\d{1,10}$/.test(text)) fields[key] = Number(text);
    }
    at = nul + 1;
  }
  atEnd(at + 1, end);
  const severity = String(fields.severity ?? fields.localizedSeverity ?? 'ERROR');
  return { ...fields, severity, code: String(fields.code ?? 'XX000'), message: String(fields.message ?? '') };
}
