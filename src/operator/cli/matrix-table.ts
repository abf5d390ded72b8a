import Table from 'cli-table3';
import { type Use, usesOf } from '../../matrix/letters.js';
import type { Cell, Matrix } from '../../matrix/matrix.js';
import { PLAIN } from './plain-table.js';

/** What the rows are sorted by: the table's name, its statements, the services that write it, when it was last used. */
export const TABLE_ORDERS = ['table', 'statements', 'writers', 'last'] as const;
export type TableOrder = (typeof TABLE_ORDERS)[number];

interface Row {
  readonly table: string;
  readonly uses: ReadonlyMap<string, Use>;
  readonly statements: number;
  readonly writers: number;
  readonly last: number;
}

/**
 * The matrix for people: services across, tables down, R/W/RW/-, D for DDL.
 * @param width columns of the terminal: where the names of the services do not fit, numbers stand for them
 */
export function matrixTable({ cells }: Matrix, order: TableOrder, width: number): string {
  const uses = usesOf(cells);
  const services = [...new Set(uses.map(({ service }) => service))].sort();
  const rows = sorted(rowsOf(uses), order);
  if (rows.length === 0) return `no statement has touched a table yet\n${opaqueLines(cells)}`;
  const named = draw(rows, services, services);
  const fits = Math.max(...named.split('\n').map((line) => line.length)) <= width;
  const numbers = services.map((_, at) => String(at + 1));
  const legend = services.map((service, at) => `${numbers[at]} ${service}`).join(', ');
  const table = fits ? named : `${draw(rows, services, numbers)}\nservices: ${legend}`;
  return `${table}\n\n${totals(rows, services)}\n${opaqueLines(cells)}`;
}

function rowsOf(uses: readonly Use[]): Row[] {
  const byTable = new Map<string, Use[]>();
  for (const use of uses) byTable.set(use.table, [...(byTable.get(use.table) ?? []), use]);
  return [...byTable].map(([table, all]) => ({
    table,
    uses: new Map(all.map((use) => [use.service, use])),
    statements: all.reduce((sum, { reads, writes, ddl }) => sum + reads + writes + ddl, 0),
    writers: all.filter(({ writes }) => writes > 0).length,
    last: Math.max(...all.map(({ last }) => last)),
  }));
}

function sorted(rows: Row[], order: TableOrder): readonly Row[] {
  const byName = (a: Row, b: Row): number => (a.table < b.table ? -1 : 1);
  if (order === 'table') return rows.sort(byName);
  return rows.sort((a, b) => b[order] - a[order] || byName(a, b));
}

function draw(rows: readonly Row[], services: readonly string[], heads: readonly string[]): string {
  const right = 'right' as const;
  const table = new Table({
    ...PLAIN,
    head: ['table', ...heads, 'statements', 'last seen'],
    colAligns: ['left', ...heads.map(() => 'left' as const), right, 'left'],
  });
  for (const { table: name, uses, statements, last } of rows) {
    const letters = services.map((service) => uses.get(service)?.letters ?? '-');
    table.push([name, ...letters, String(statements), seen(last)]);
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const seen = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

function totals(rows: readonly Row[], services: readonly string[]): string {
  const several = rows.filter(({ writers }) => writers > 1).length;
  const refused = rows.flatMap(({ uses }) => [...uses.values()]).reduce((sum, use) => sum + use.refused, 0);
  const parts = [
    `${rows.length} tables, ${services.length} services`,
    `${several} written by more than one service`,
    ...(refused > 0 ? [`${refused} statements refused (x: all that this service sent there)`] : []),
  ];
  return `${parts.join('; ')}. R reads, W writes, D DDL; times are UTC.`;
}

/** What could not be seen through must not look as if it had touched nothing. */
function opaqueLines(cells: readonly Cell[]): string {
  const opaque = cells.filter(({ access, statements }) => access === 'opaque' && statements > 0);
  if (opaque.length === 0) return '';
  const lines = opaque.map(({ service, table, statements }) => `  ${service}: ${statements} x ${table}`);
  return `\nnot seen through, so what they touch is not in the table:\n${lines.join('\n')}\n`;
}
