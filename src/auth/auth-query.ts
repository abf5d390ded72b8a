import { PgfigError } from '../errors/pgfig-error.js';
import { parseVerifier, type Verifier } from './verifier.js';

/**
 * A query that looks up a user who may log in. It needs a role that may read pg_shadow, so a superuser; docs/auth.md
 * shows a function that gives this one answer to a role without any other right.
 * Columns, by position: name, verifier, and where there is a third, the end of validity.
 * Everything is named with its schema: no search_path can put another table or operator in its place.
 */
export const DEFAULT_AUTH_QUERY =
  'SELECT usename, passwd, valuntil FROM pg_catalog.pg_shadow WHERE usename OPERATOR(pg_catalog.=) $1';

/** Settings to open the connection with, whatever query runs: pg_temp last, or temporary tables come first. */
export const AUTH_QUERY_SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ['search_path', 'pg_catalog, pg_temp'],
  ['datestyle', 'ISO'],
  ['default_transaction_read_only', 'on'],
];

/** One answer of the query; null in `verifier`: a user without password. */
export interface AuthQueryRow {
  readonly verifier: string | null;
  /** VALID UNTIL; null: for ever. */
  readonly validUntil: Date | null;
}

/** A row's verifier. Without a password, or after VALID UNTIL, there is none: as if the password were wrong. */
export function verifierOfRow(row: AuthQueryRow | null, now: Date = new Date()): Verifier | null {
  if (row === null || row.verifier === null || row.verifier === '') return null;
  if (row.validUntil !== null && !(row.validUntil.getTime() > now.getTime())) return null;
  return parseVerifier(row.verifier);
}

/**
 * Reads the columns of a row as text or as `pg` gives them: name, verifier [, valid until].
 * A date that cannot be read is one that is over: doubt must not let anybody in.
 * @throws PgfigError AUTH_FAILED when the query answered for somebody else
 */
export function readAuthRow(columns: readonly unknown[], user: string): AuthQueryRow {
  const [name, verifier, until] = columns;
  if (name !== user) {
    const cause = new Error('auth_query must give the name that it was asked for in its first column');
    throw new PgfigError('AUTH_FAILED', `password authentication failed for user "${user}"`, { cause });
  }
  return { verifier: typeof verifier === 'string' ? verifier : null, validUntil: readValidUntil(until) };
}

const PAST = new Date(0);

function readValidUntil(value: unknown): Date | null {
  if (value === null || value === undefined || value === 'infinity' || value === Number.POSITIVE_INFINITY) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? PAST : value;
  // ISO as Postgres writes it: 2031-05-01 12:00:00.5+05:30, with as many parts of the zone as it needs.
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)(?::?(\d\d))?$/.exec(String(value));
  if (match === null) return PAST;
  const [, year, month, day, time, hours, minutes = '00'] = match;
  const date = new Date(`${year}-${month}-${day}T${time}${hours}:${minutes}`);
  return Number.isNaN(date.getTime()) ? PAST : date;
}
