import Table from 'cli-table3';
import type { BackfillResult } from '../../jobs/backfill/backfill-job.js';
import type { RepairResult } from '../../jobs/repair/repair-job.js';
import type { StoredDivergence } from '../../jobs/store/divergence-store.js';
import type { VerifyResult } from '../../jobs/verify/verify-job.js';
import { PLAIN } from './plain-table.js';

export function backfillText({ rows, sequences }: BackfillResult): string {
  const set = sequences.map(({ sequence, value }) => `sequence ${sequence} is set to ${value}\n`);
  return `copied ${rows} rows\n${set.join('')}`;
}

export function repairText({ repaired, open }: RepairResult, domain: string): string {
  const rest =
    open === 0 ? '' : `; ${open} still diverge: pgfig relay status ${domain} says whether a table is stalled`;
  return `repaired ${repaired} rows${rest}\n`;
}

export function verifyText({ divergences, tables }: VerifyResult, found: readonly StoredDivergence[]): string {
  const rows = tables.map(({ table, rows, skipped, divergences, cutShort, problem }) => [
    table,
    String(rows),
    skipped === 0 ? '' : `about ${skipped} left out`,
    problem ?? (divergences === 0 ? 'equal' : `${divergences}${cutShort ? ' or more' : ''} diverge`),
  ]);
  const lines = [plain([['table', 'rows', '', ''], ...rows])];
  if (found.length > 0)
    lines.push(
      '',
      plain(found.map(({ table, key, kind, columns }) => [table, kind, oneLine(key), columns.join(', ')])),
    );
  for (const { table, key, values = {} } of found)
    for (const [column, { source, target }] of Object.entries(values))
      lines.push(`${table} ${oneLine(key)} ${column}: ${shown(source)} in the source, ${shown(target)} in the target`);
  if (divergences > found.length) lines.push(`... and ${divergences - found.length} more, all in pgfig.divergences`);
  return `${lines.join('\n')}\n`;
}

const oneLine = (text: string): string => JSON.stringify(text).slice(1, -1);
const shown = (value: string | null): string => (value === null ? 'NULL' : JSON.stringify(value));

function plain(rows: readonly (readonly string[])[]): string {
  const table = new Table(PLAIN);
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
