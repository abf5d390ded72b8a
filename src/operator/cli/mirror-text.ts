import Table from 'cli-table3';
import { type MirrorStatus, WAITING_LIMIT } from '../../mirror/capture/status.js';
import type { Mirror } from '../../mirror/mirror.js';
import { PLAIN } from './plain-table.js';

/** What is installed of a mirror, for people. */
export function statusText({ source, target }: Mirror, status: MirrorStatus): string {
  const { domain, installed, tables, waiting, moment, problems } = status;
  const rows = tables.map(({ table, capture, guard, state, reason }) => [
    table,
    capture,
    guard,
    reason === null ? (state ?? '-') : `${state}: ${reason}`,
  ]);
  const count = waiting === WAITING_LIMIT ? `${waiting} or more` : String(waiting);
  return [
    `domain ${domain}, from ${source} to ${target}: ${installed ? 'installed' : 'not wholly installed (pgfig mirror install)'}`,
    plain([['table', 'captured', 'guarded', 'state'], ...rows]),
    `changes in the outbox: ${count}`,
    `the copy is as of: ${moment ?? 'never'}`,
    ...problems.map((problem) => `problem: ${problem}`),
    '',
  ].join('\n');
}

function plain(rows: readonly (readonly string[])[]): string {
  const table = new Table(PLAIN);
  for (const row of rows) table.push([...row]);
  return table.toString();
}
