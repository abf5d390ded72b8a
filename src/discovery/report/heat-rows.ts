import { type Use, usesOf } from '../../matrix/letters.js';
import type { Cell } from '../../matrix/matrix.js';
import { compare } from './format.js';
import type { Group, Groups } from './groups.js';

export interface HeatCell {
  readonly use: Use;
  /** 1 (least) to 9 by the logarithm of its statements; 0: nothing was carried out. */
  readonly level: number;
  /** A statement, of its writes rather than its reads; '' where there is none to show. */
  readonly example: string;
}

export interface HeatRow {
  readonly table: string;
  readonly group: Group;
  readonly statements: number;
  readonly writers: number;
  /** By the service's place in `HeatRows.services`. */
  readonly cells: ReadonlyMap<number, HeatCell>;
}

export interface HeatRows {
  readonly services: readonly string[];
  /** By group, in each the busiest first. */
  readonly rows: readonly HeatRow[];
}

const carriedOut = ({ reads, writes, ddl }: Use): number => reads + writes + ddl;

export function heatRows(cells: readonly Cell[], groups: Groups): HeatRows {
  const uses = usesOf(cells);
  const examples = examplesOf(cells);
  const services = orderServices(uses, groups);
  const places = new Map(services.map((service, place) => [service, place]));
  const most = uses.reduce((greatest, use) => Math.max(greatest, carriedOut(use)), 1);

  const byTable = new Map<string, Map<number, HeatCell>>();
  for (const use of uses) {
    const row = byTable.get(use.table) ?? new Map<number, HeatCell>();
    byTable.set(use.table, row);
    const example = examples.get(`${use.table}\0${use.service}`) ?? '';
    row.set(places.get(use.service) ?? 0, { use, level: levelOf(carriedOut(use), most), example });
  }
  const rows = [...byTable].map(([table, row]): HeatRow => {
    const all = [...row.values()];
    return {
      table,
      group: groups.of(table),
      statements: all.reduce((sum, { use }) => sum + carriedOut(use), 0),
      writers: all.filter(({ use }) => use.writes > 0).length,
      cells: row,
    };
  });
  rows.sort((a, b) => a.group.index - b.group.index || b.statements - a.statements || compare(a.table, b.table));
  return { services, rows };
}

export function levelOf(statements: number, most: number): number {
  if (statements <= 0) return 0;
  return Math.min(9, 1 + Math.floor((8 * Math.log(statements)) / Math.log(Math.max(most, 2))));
}

/** Services next to the tables that they use most: what belongs together then stands on the diagonal. */
function orderServices(uses: readonly Use[], groups: Groups): readonly string[] {
  const byService = new Map<string, Map<number, number>>();
  for (const use of uses) {
    const perGroup = byService.get(use.service) ?? new Map<number, number>();
    byService.set(use.service, perGroup);
    const { index } = groups.of(use.table);
    perGroup.set(index, (perGroup.get(index) ?? 0) + carriedOut(use));
  }
  const placed = [...byService].map(([service, perGroup]) => {
    const [home = 0, count = 0] = [...perGroup].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0] ?? [];
    return { service, home, count };
  });
  placed.sort((a, b) => a.home - b.home || b.count - a.count || compare(a.service, b.service));
  return placed.map(({ service }) => service);
}

const RANK: Readonly<Record<Cell['access'], number>> = { write: 3, ddl: 2, read: 1, opaque: 0 };

/** One for each table and service. The first by its text among equals, so that the order of the cells changes nothing. */
function examplesOf(cells: readonly Cell[]): ReadonlyMap<string, string> {
  const best = new Map<string, Cell>();
  for (const cell of cells) {
    if (cell.example === '' || cell.access === 'opaque') continue;
    const key = `${cell.table}\0${cell.service}`;
    const known = best.get(key);
    if (known === undefined || isBetter(cell, known)) best.set(key, cell);
  }
  return new Map([...best].map(([key, { example }]) => [key, example]));
}

function isBetter(cell: Cell, known: Cell): boolean {
  const order =
    RANK[cell.access] - RANK[known.access] ||
    cell.statements - known.statements ||
    compare(known.example, cell.example);
  return order > 0;
}
