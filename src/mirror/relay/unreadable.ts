import type pg from 'pg';
import { readShapes } from '../shape/read-shapes.js';
import { qualified } from '../shape/table-shape.js';
import type { RelayTable, Remedy } from './relay-table.js';
import { isOfTable, sqlstateOf } from './sqlstate.js';

/** A table that the source does not let the relay read. */
export interface Unreadable {
  readonly table: string;
  readonly reason: string;
  readonly remedy: Remedy;
}

/**
 * Finds out which table it is that keeps a turn from beginning: all are locked in one statement, whose error need not
 * name one. Outside of a transaction.
 * @throws what the driver throws, where it is not of a table
 */
export async function unreadable(source: pg.Client, tables: readonly RelayTable[]): Promise<Unreadable[]> {
  const there = await readShapes(
    source,
    tables.map(({ name }) => name),
  );
  const found: Unreadable[] = [];
  for (const { name } of tables) {
    const shape = there.get(name);
    if (shape === undefined) {
      found.push({ table: name, reason: 'the table is gone from the source', remedy: 'backfill' });
      continue;
    }
    const reason = await refusal(source, qualified(shape));
    if (reason !== null) found.push({ table: name, reason, remedy: 'retry' });
  }
  return found;
}

/** What the server says to the lock of a turn; null: it grants it. */
async function refusal(source: pg.Client, table: string): Promise<string | null> {
  try {
    await source.query(
      `BEGIN READ ONLY; LOCK TABLE ${table} IN ACCESS SHARE MODE; SELECT FROM ${table} LIMIT 0; COMMIT`,
    );
    return null;
  } catch (error) {
    await source.query('ROLLBACK');
    if (!isOfTable(sqlstateOf(error))) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}
