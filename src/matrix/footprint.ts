import type { Route } from '../routing/route.js';
import type { Statement } from '../sql/statement.js';
import type { Access } from './matrix.js';

/** What one statement leaves in the matrix each time that it runs. */
export interface Footprint {
  readonly entries: readonly FootprintEntry[];
  /** Tables touched together, sorted; views are none. Fewer than two: nothing is joined. */
  readonly joined: readonly string[];
  /** Tables whose rows it writes, sorted. */
  readonly written: readonly string[];
}

export interface FootprintEntry {
  readonly table: string;
  readonly access: Access;
  /** The statement names it. */
  readonly named: boolean;
  /** Nobody knows it: with nothing but errors it gets no cell. */
  readonly unknown?: true;
}

/** A reason is part of a cell's key, which an index of the control database has to take. */
const LONGEST_REASON = 300;

/** So many tables at most are paired with each other: one statement or transaction over a whole schema says nothing. */
export const MOST_PAIRED = 50;

/**
 * The footprint of a statement by its route; null where it leaves none: it touches no table but temporary ones, system
 * catalogs and pgfig's own.
 */
export function footprintOf(statement: Statement, route: Route): Footprint | null {
  // PREPARE runs nothing; its EXECUTE counts by the statement inside.
  if (statement.kind === 'prepare') return null;
  const defines = statement.kind === 'ddl' || statement.kind === 'maintenance';
  const entries: FootprintEntry[] = route.touches.map(({ table, access, named, unknown }) => ({
    table,
    access: access === 'write' && defines ? 'ddl' : access,
    named,
    ...(unknown ? { unknown } : {}),
  }));
  const opaque = opaqueReason(statement, route);
  if (opaque !== null) entries.push({ table: opaque, access: 'opaque', named: true });
  if (entries.length === 0) return null;
  const tables = route.touches.filter(({ view }) => !view);
  const written = defines ? [] : tables.filter(({ access }) => access === 'write');
  return { entries, joined: namesOf(tables), written: namesOf(written) };
}

function opaqueReason(statement: Statement, route: Route): string | null {
  if (statement.kind === 'unparsable') return 'text that does not parse';
  return route.opaque?.slice(0, LONGEST_REASON) ?? null;
}

const namesOf = (touches: readonly { readonly table: string }[]): readonly string[] =>
  [...new Set(touches.map(({ table }) => table))].sort();
