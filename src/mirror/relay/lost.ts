import type pg from 'pg';
import { covers } from '../position/snapshot.js';
import { capturedTables } from './garbage.js';
import type { Lead } from './lease.js';
import type { RelayTable } from './relay-table.js';

/**
 * Copies that may lack what was applied to them, or have what the source has lost: looked for before a relay leads,
 * since no server crashes or is replaced without that its connections end.
 *  - The target has gone back in time: a standby that was promoted before it had all, a restored backup. What it has
 *    lost is gone from the outbox, if it was applied and swept before.
 *  - A table was made unlogged on one side: a crash empties it, and tells nobody.
 * @returns reasons, by table
 * @throws what the driver throws
 */
export async function mayHaveLost(
  { source, target, row }: Pick<Lead, 'source' | 'target' | 'row'>,
  tables: readonly RelayTable[],
): Promise<ReadonlyMap<string, string>> {
  const copied = tables.filter(({ state, remedy }) => state !== 'new' && remedy !== 'backfill');
  const reasons = new Map<string, string>();
  for (const [side, client] of Object.entries({ source: source.client, target })) {
    for (const name of await unlogged(client, copied))
      reasons.set(name, `it is unlogged in the ${side}, which a crash empties`);
  }
  for (const { name, swept } of await capturedTables(source, row.mirror)) {
    const table = copied.find((one) => one.name === name);
    if (table === undefined || covers(table.position ?? row.position, swept)) continue;
    reasons.set(name, 'the target has lost changes that were applied to it: it has gone back in time');
  }
  return reasons;
}

/** Those of the tables that are, or have partitions that are. */
async function unlogged(client: pg.ClientBase, tables: readonly RelayTable[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT t.name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN unnest($1::text[]) AS t (name) ON t.name = n.nspname || '.' || c.relname
      WHERE EXISTS (SELECT FROM pg_class p WHERE p.relpersistence = 'u'
                       AND (p.oid = c.oid OR p.oid IN (SELECT relid FROM pg_partition_tree(c.oid))))`,
    [tables.map(({ name }) => name)],
  );
  return rows.map(({ name }) => name);
}
