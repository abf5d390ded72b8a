import type { Use } from '../../matrix/letters.js';

const COLUMNS = 'table,service,access,reads,writes,ddl,errors,refused,rows,seconds,first_seen,last_seen,databases';

/** A line for each service and table (RFC 4180). */
export function matrixCsv(uses: readonly Use[]): string {
  const lines = uses.map((use) =>
    [
      ...[use.table, use.service, use.letters, use.reads, use.writes, use.ddl, use.errors, use.refused, use.rows],
      ...[use.seconds.toFixed(3), iso(use.first), iso(use.last), use.databases.join(' ')],
    ]
      .map(field)
      .join(','),
  );
  return `${[COLUMNS, ...lines].join('\r\n')}\r\n`;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** A leading = + - @ would be a formula to a spreadsheet, and names are whatever clients say; the lone - means nothing. */
function field(value: string | number): string {
  const text = String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && text !== '-' ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
