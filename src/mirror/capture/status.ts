import type pg from 'pg';
import { hasOwnTable } from '../../backend/schema-steps.js';
import type { Config } from '../../config/config.js';
import { withBoth } from '../connection.js';
import type { Mirror } from '../mirror.js';
import { readShapes } from '../shape/read-shapes.js';
import { captureState } from './capture-table.js';
import { problemsOf } from './checks/refuse.js';
import { findMirror } from './exclusively.js';
import { isGuarded } from './guards.js';

export interface TableStatus {
  /** 'schema.table' */
  readonly table: string;
  /** 'mend': something of it is missing, disabled, or of another version; the next install mends it. */
  readonly capture: 'none' | 'mend' | 'yes';
  readonly guard: 'none' | 'mend' | 'yes';
  /** pgfig.relay_tables; null: not registered. */
  readonly state: string | null;
  readonly reason: string | null;
}

export interface MirrorStatus {
  readonly domain: string;
  /** All that the rule asks for is there. */
  readonly installed: boolean;
  /** pgfig.mirrors.id; null: nothing is captured. */
  readonly mirror: number | null;
  readonly tables: readonly TableStatus[];
  /** Rows in the outbox, counted up to WAITING_LIMIT. */
  readonly waiting: number;
  /** What the copy is equal to: when that snapshot was taken, as ISO text; null: no relay is registered. */
  readonly moment: string | null;
  /** What an install would be refused for. */
  readonly problems: readonly string[];
}

/** Counting more would take a while. */
export const WAITING_LIMIT = 1_000_000;

/** What is installed of a mirror. Changes and locks nothing. @throws PgfigError UNKNOWN_DATABASE; what the driver throws */
export async function mirrorStatus(config: Config, mirror: Mirror): Promise<MirrorStatus> {
  return withBoth(config, mirror, async (source, target) => {
    const problems = await problemsOf(source, target, mirror);
    const id = await findMirror(source, mirror.domain);
    const [here, there] = [await readShapes(source, mirror.tables), await readShapes(target, mirror.tables)];
    const states = await statesOf(target, mirror.domain);
    const tables: TableStatus[] = [];
    for (const table of mirror.tables) {
      const [shape, copy] = [here.get(table), there.get(table)];
      const capture = id === null || !shape?.key ? null : await captureState(source, id, shape);
      tables.push({
        table,
        capture: capture === null || !capture.known ? 'none' : capture.whole ? 'yes' : 'mend',
        guard: copy === undefined ? 'none' : await isGuarded(target, copy, mirror),
        state: states.tables.get(table)?.state ?? null,
        reason: states.tables.get(table)?.reason ?? null,
      });
    }
    const guard = mirror.rule.guard === 'on' ? 'yes' : 'none';
    return {
      domain: mirror.domain,
      installed: tables.every((row) => row.capture === 'yes' && row.guard === guard && row.state !== null),
      mirror: id,
      tables,
      waiting: id === null ? 0 : await waitingOf(source, id),
      moment: states.moment,
      problems,
    };
  });
}

async function waitingOf(source: pg.ClientBase, id: number): Promise<number> {
  const { rows } = await source.query<{ waiting: number }>(
    `SELECT count(*)::int4 AS waiting FROM (SELECT FROM pgfig.outbox WHERE mirror = $1 LIMIT ${WAITING_LIMIT}) AS o`,
    [id],
  );
  return rows[0]?.waiting ?? 0;
}

interface States {
  readonly moment: string | null;
  readonly tables: ReadonlyMap<string, { readonly state: string; readonly reason: string | null }>;
}

async function statesOf(target: pg.ClientBase, domain: string): Promise<States> {
  if (!(await hasOwnTable(target, 'relay'))) return { moment: null, tables: new Map() };
  const relay = await target.query<{ moment: Date }>('SELECT moment FROM pgfig.relay WHERE domain = $1', [domain]);
  const { rows } = await target.query<{ name: string; state: string; reason: string | null }>(
    'SELECT table_name AS name, state, reason FROM pgfig.relay_tables WHERE domain = $1',
    [domain],
  );
  return {
    moment: relay.rows[0]?.moment.toISOString() ?? null,
    tables: new Map(rows.map(({ name, state, reason }) => [name, { state, reason }])),
  };
}
