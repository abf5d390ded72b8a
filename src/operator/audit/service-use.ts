import { type Use, usesOf } from '../../matrix/letters.js';
import type { Cell } from '../../matrix/matrix.js';
import type { Place } from './target.js';

/** One service at one place, as pgfig has seen it. Times in ms since 1970. */
export interface ServiceUse {
  readonly service: string;
  /** See Use.letters. */
  readonly letters: string;
  /** Carried out. */
  readonly statements: number;
  /** Of these, in percent, those that do not name the table: they come by a view, function, trigger or cascade. */
  readonly hiddenPercent: number;
  readonly refused: number;
  readonly first: number;
  readonly last: number;
  /** Without literals; '' where none can be shown. */
  readonly example: string;
}

/** Statements of which nobody knows what they touched. */
export interface UnseenUse {
  readonly service: string;
  readonly database: string;
  readonly why: string;
  readonly statements: number;
  readonly last: number;
}

/** What services did at a place, those that were seen last first. */
export function servicesAt({ table, database, partitions }: Place, cells: readonly Cell[]): readonly ServiceUse[] {
  return useOf(cells.filter((cell) => cell.database === database && [table, ...partitions].includes(cell.table)));
}

/** Statements on a table that were refused: they went to no database. */
export function refusedAt(table: string, cells: readonly Cell[]): readonly ServiceUse[] {
  return useOf(cells.filter((cell) => cell.database === '' && cell.table === table && cell.refused > 0));
}

function useOf(cells: readonly Cell[]): readonly ServiceUse[] {
  // A partition is its table: what is counted for both at once is counted for the table.
  const asOne = cells.map((cell) => ({ ...cell, table: '' }));
  return usesOf(asOne)
    .map((use) =>
      serviceUse(
        use,
        cells.filter(({ service, access }) => service === use.service && access !== 'opaque'),
      ),
    )
    .sort((a, b) => b.last - a.last || (a.service < b.service ? -1 : 1));
}

function serviceUse(use: Use, cells: readonly Cell[]): ServiceUse {
  const statements = use.reads + use.writes + use.ddl;
  const hidden = cells.reduce((sum, cell) => sum + cell.hidden, 0);
  const latest = cells.toSorted((a, b) => b.last - a.last).find(({ example }) => example !== '');
  return {
    ...{
      service: use.service,
      letters: use.letters,
      statements,
      refused: use.refused,
      first: use.first,
      last: use.last,
    },
    hiddenPercent: statements === 0 ? 0 : Math.round((100 * hidden) / statements),
    example: latest?.example ?? '',
  };
}

/** What could not be seen through on these databases since then. */
export function unseenUses(
  cells: readonly Cell[],
  databases: ReadonlySet<string>,
  since: number,
): readonly UnseenUse[] {
  return cells
    .filter(({ access, statements, last }) => access === 'opaque' && statements > 0 && last >= since)
    .filter(({ database }) => databases.has(database))
    .map(({ service, database, table, statements, last }) => ({ service, database, why: table, statements, last }))
    .sort((a, b) => b.last - a.last);
}
