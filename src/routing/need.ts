import type { ResolvedTable } from './resolve.js';

/** Something that a statement needs a database to have. */
export interface Need {
  /** For people: 'public.orders', 'an advisory lock', 'function public.f()'. */
  readonly what: string;
  /** 'pinned' belongs to the default database whatever the tables do. */
  readonly sort: 'table' | 'function' | 'schema' | 'pinned';
  readonly access: 'read' | 'write' | 'lock';
  /** Databases that have it, the best first; null: every one has. */
  readonly homes: readonly string[] | null;
  /** null for what is not a table. */
  readonly table: ResolvedTable | null;
  /** What brings it in where the statement does not name it: 'view public.v', 'trigger t on public.orders'; null: the statement. */
  readonly via: string | null;
  /** Why one of the databases that have it cannot serve it: 'in orders_db that name means app.orders'. */
  readonly note?: string;
}

/** All that a statement needs of one database, and what of it cannot be seen there. */
export interface Needs {
  readonly all: readonly Need[];
  /** Why some of it cannot be seen through; null where all can. */
  readonly opaque: string | null;
  /** It may change search_path unseen. */
  readonly movesNames: boolean;
}

export function tableNeed(table: ResolvedTable, access: Need['access'], via: string | null = null): Need {
  return { what: table.key, sort: 'table', access, homes: access === 'read' ? table.reads : table.writes, table, via };
}
