import type { Cell } from './matrix.js';

/** What one service does to one table, over all databases and accesses. */
export interface Use {
  readonly table: string;
  readonly service: string;
  /** 'R', 'W', 'RW', with 'D' for DDL behind; 'x' where all was refused, '-' where nothing was carried out. */
  readonly letters: string;
  readonly reads: number;
  readonly writes: number;
  readonly ddl: number;
  readonly errors: number;
  readonly refused: number;
  readonly rows: number;
  readonly seconds: number;
  readonly first: number;
  readonly last: number;
  readonly databases: readonly string[];
}

/** Cells gathered by table and service, in the order in which they come; opaque ones are left out. */
export function usesOf(cells: readonly Cell[]): readonly Use[] {
  const byPlace = new Map<string, Cell[]>();
  for (const cell of cells) {
    if (cell.access === 'opaque') continue;
    const key = `${cell.table}\0${cell.service}`;
    const known = byPlace.get(key);
    if (known === undefined) byPlace.set(key, [cell]);
    else known.push(cell);
  }
  return [...byPlace.values()].map(useOf);
}

function useOf(cells: readonly Cell[]): Use {
  const sum = (pick: (cell: Cell) => number, access?: Cell['access']): number =>
    cells.reduce((total, cell) => total + (access === undefined || cell.access === access ? pick(cell) : 0), 0);
  const [reads, writes, ddl] = (['read', 'write', 'ddl'] as const).map((access) =>
    sum((c) => c.statements, access),
  ) as [number, number, number];
  return {
    table: cells[0]?.table ?? '',
    service: cells[0]?.service ?? '',
    letters: lettersOf({ reads, writes, ddl, refused: sum((cell) => cell.refused) }),
    reads,
    writes,
    ddl,
    errors: sum((cell) => cell.errors),
    refused: sum((cell) => cell.refused),
    rows: sum((cell) => cell.rows),
    seconds: sum((cell) => cell.seconds),
    first: Math.min(...cells.map(({ first }) => first)),
    last: Math.max(...cells.map(({ last }) => last)),
    databases: [...new Set(cells.map(({ database }) => database).filter((database) => database !== ''))].sort(),
  };
}

function lettersOf({ reads, writes, ddl, refused }: Pick<Use, 'reads' | 'writes' | 'ddl' | 'refused'>): string {
  const letters = `${reads > 0 ? 'R' : ''}${writes > 0 ? 'W' : ''}${ddl > 0 ? 'D' : ''}`;
  if (letters !== '') return letters;
  return refused > 0 ? 'x' : '-';
}
