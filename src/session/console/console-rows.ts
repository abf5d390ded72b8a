import { PgfigError } from '../../errors/pgfig-error.js';
import { type Column, rowDescription } from '../../wire/backend-messages.js';
import { B } from '../../wire/types.js';
import type { ConsoleColumn, ConsoleType, ConsoleValue } from './console.js';

/** OIDs and sizes: src/include/catalog/pg_type.dat of PostgreSQL. */
const TYPES: Readonly<Record<ConsoleType, { readonly oid: number; readonly size: number }>> = {
  bool: { oid: 16, size: 1 },
  int8: { oid: 20, size: 8 },
  int4: { oid: 23, size: 4 },
  text: { oid: 25, size: -1 },
  timestamptz: { oid: 1184, size: 8 },
};

/** Binary timestamps count from 2000-01-01. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

export const describeColumns = (columns: readonly ConsoleColumn[], formats: readonly number[] = []): Buffer =>
  rowDescription(
    columns.map(({ name, type }, i): Column => {
      const { oid, size } = TYPES[type];
      return { name, typeOid: oid, typeSize: size, format: formats[i] ?? 0 };
    }),
  );

/**
 * The format of each column, from the codes of a Bind: none means text, one is for all (55.7, Bind).
 * @throws PgfigError PROTOCOL_VIOLATION_IN_QUERY with Postgres's text
 */
export function columnFormats(codes: readonly number[], columns: number): readonly number[] {
  const [only = 0] = codes;
  if (codes.length <= 1) return new Array<number>(columns).fill(only);
  if (codes.length === columns) return codes;
  throw new PgfigError(
    'PROTOCOL_VIOLATION_IN_QUERY',
    `bind message has ${codes.length} result formats but query has ${columns} columns`,
  );
}

/** DataRow 'D': Int16 count, then for each value Int32 length (-1 for null) and its bytes. */
export function consoleRow(
  columns: readonly ConsoleColumn[],
  values: readonly ConsoleValue[],
  formats: readonly number[] = [],
): Buffer {
  const encoded = columns.map(({ type }, i) => {
    const value = values[i] ?? null;
    if (value === null) return null;
    return formats[i] === 1 ? binary(type, value) : Buffer.from(text(type, value));
  });
  const length = encoded.reduce((sum, bytes) => sum + 4 + (bytes?.length ?? 0), 4 + 2);
  const row = Buffer.alloc(1 + length);
  row[0] = B.DataRow;
  row.writeInt32BE(length, 1);
  let at = row.writeInt16BE(columns.length, 5);
  for (const bytes of encoded) {
    at = row.writeInt32BE(bytes?.length ?? -1, at);
    if (bytes !== null) at += bytes.copy(row, at);
  }
  return row;
}

/** A text ends at a NUL for most clients: there is none in a text of Postgres. */
function text(type: ConsoleType, value: string | number | boolean): string {
  if (type === 'bool') return value ? 't' : 'f';
  if (type !== 'timestamptz') return String(value).replaceAll('\0', '');
  // DateStyle ISO and TimeZone UTC, as the welcome says.
  return `${new Date(Number(value)).toISOString().replace('T', ' ').replace('Z', '')}+00`;
}

/** The binary forms of PostgreSQL's send functions (boolsend, int4send, int8send, timestamptz_send). */
function binary(type: ConsoleType, value: string | number | boolean): Buffer {
  if (type === 'text') return Buffer.from(text(type, value));
  const bytes = Buffer.alloc(TYPES[type].size);
  if (type === 'bool') bytes[0] = value ? 1 : 0;
  else if (type === 'int4') bytes.writeInt32BE(Number(value));
  else if (type === 'int8') bytes.writeBigInt64BE(BigInt(Math.trunc(Number(value))));
  else bytes.writeBigInt64BE(BigInt(Math.trunc(Number(value) - POSTGRES_EPOCH_MS)) * 1000n);
  return bytes;
}
