import type pg from 'pg';
import { NO_WORK, type OwnWork } from './activity.js';

/** What pgfig has counted, as the control database holds it at one moment. */
export interface OwnCounts {
  /** By database, then by table. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, OwnWork>>;
  /** Statements that could not be seen through, by database. */
  readonly unseen: ReadonlyMap<string, number>;
}

/** Definitions count as touches alone: what they write (a rewrite, an index) is not counted by the servers either. */
const SUMS = `
  SELECT database, table_name, access, sum(statements)::float8, sum(hidden)::float8, sum(errors)::float8,
         sum(rows)::float8
    FROM pgfig.matrix WHERE database <> '' GROUP BY 1, 2, 3`;

type SumRow = [string, string, string, number, number, number, number];

/** @throws what the driver throws */
export async function readOwnCounts(client: pg.ClientBase): Promise<OwnCounts> {
  const tables = new Map<string, Map<string, OwnWork>>();
  const unseen = new Map<string, number>();
  const { rows } = await client.query<SumRow>({ text: SUMS, rowMode: 'array' });
  for (const [database, table, access, statements, hidden, errors, written] of rows) {
    if (access === 'opaque') {
      unseen.set(database, (unseen.get(database) ?? 0) + statements + errors);
      continue;
    }
    const writes = access === 'write' ? { rows: written, writes: statements, hidden, failed: errors } : {};
    const known = tables.get(database) ?? new Map<string, OwnWork>();
    tables.set(database, known.set(table, plus(known.get(table), { touches: statements + errors, ...writes })));
  }
  return { tables, unseen };
}

/**
 * What was done to a table and its partitions. Statements on the whole come to the partitions unnamed: of what is
 * hidden there, that much is no more than the whole's own.
 */
export function workOn(
  counts: ReadonlyMap<string, OwnWork> | undefined,
  table: string,
  partitions: readonly string[],
): OwnWork {
  let sum = counts?.get(table) ?? NO_WORK;
  const whole = sum.writes;
  for (const partition of partitions) {
    const part = counts?.get(partition);
    if (part !== undefined) sum = plus(sum, { ...part, hidden: Math.max(0, part.hidden - whole) });
  }
  return sum;
}

function plus(sum: OwnWork = NO_WORK, more: Partial<OwnWork>): OwnWork {
  return {
    rows: sum.rows + (more.rows ?? 0),
    writes: sum.writes + (more.writes ?? 0),
    hidden: sum.hidden + (more.hidden ?? 0),
    failed: sum.failed + (more.failed ?? 0),
    touches: sum.touches + (more.touches ?? 0),
  };
}
