import type { Statement, TableName } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import { comingTempTable, type ResolvedTable, resolveTable } from './resolve.js';

/** Something that a statement needs a database to have. */
export interface Need {
  /** For people: 'public.orders', 'an advisory lock'. */
  readonly what: string;
  readonly access: 'read' | 'write' | 'lock';
  /** Databases that have it, the best first; null: every one has. */
  readonly homes: readonly string[] | null;
  /** null for what is not a table. */
  readonly table: ResolvedTable | null;
}

/** All needs of a statement: what it writes first, then what it reads, then sequences and what belongs to the default database. */
export function gatherNeeds(statement: Statement, context: RoutingContext): readonly Need[] {
  const { effects } = statement;
  const coming = new Set(
    effects.flatMap((effect) =>
      effect.type === 'create-temp' && !context.tempTables.has(effect.table.toLowerCase()) ? [effect.table] : [],
    ),
  );
  const written = statement.writes
    .filter((name) => !coming.has(name.name))
    .map((name): Need => tableNeed(resolveTable(name, context), 'write'));
  for (const name of coming) written.push(tableNeed(comingTempTable(name), 'write'));
  const locks = new Set(statement.locks.map(nameText));
  const read = statement.reads.map((name) =>
    tableNeed(resolveTable(name, context), locks.has(nameText(name)) ? 'lock' : 'read'),
  );
  const advances = effects.some((effect) => effect.type === 'sequence');
  const sequences = statement.sequences.map((name): Need => {
    const sequence: ResolvedTable = { ...resolveTable(name, context), nature: 'sequence' };
    return tableNeed(sequence, advances ? 'write' : 'read');
  });
  return [...written, ...read, ...sequences, ...defaultOnly(statement, context)];
}

function tableNeed(table: ResolvedTable, access: Need['access']): Need {
  return { what: table.key, access, homes: access === 'read' ? table.reads : table.writes, table };
}

const nameText = (name: TableName): string => `${name.catalog ?? ''}\0${name.schema ?? ''}\0${name.name}`;

/** Advisory locks and large objects must mean the same for all services, so they stay in one database. */
function defaultOnly(statement: Statement, context: RoutingContext): readonly Need[] {
  const needs: Need[] = [];
  for (const { type } of statement.effects) {
    const what = type === 'advisory-lock' ? 'an advisory lock' : type === 'large-object' ? 'a large object' : null;
    if (what === null || needs.some((need) => need.what === what)) continue;
    needs.push({ what, access: 'read', homes: [context.rules.defaultDatabase], table: null });
  }
  return needs;
}
