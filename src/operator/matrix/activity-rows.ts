import type pg from 'pg';
import type { Activity, Baseline, Doubt } from './activity.js';

const MS = (column: string): string => `extract(epoch FROM ${column})::float8 * 1000`;

const READ = `
  SELECT database, table_name, ${MS('since')}, ${MS('compared_at')}, ${MS('restarted_at')}, baseline, writes::float8,
         ${MS('writes_at')}, writes_certain, scans::float8, ${MS('scans_at')}, doubts, ${MS('doubts_at')}, ${MS('last_scan')}
    FROM pgfig.table_activity ORDER BY database COLLATE "C", table_name COLLATE "C"`;

const WRITE = `
  INSERT INTO pgfig.table_activity AS a
  SELECT database, table_name, since, compared_at, restarted_at, baseline, writes, writes_at, writes_certain, scans,
         scans_at, ARRAY(SELECT jsonb_array_elements_text(doubts)), doubts_at, last_scan
    FROM jsonb_to_recordset($1) AS r (database text, table_name text, since timestamptz, compared_at timestamptz,
         restarted_at timestamptz, baseline jsonb, writes bigint, writes_at timestamptz, writes_certain boolean,
         scans bigint, scans_at timestamptz, doubts jsonb, doubts_at timestamptz, last_scan timestamptz)
  ON CONFLICT (database, table_name) DO UPDATE SET
    compared_at = excluded.compared_at, restarted_at = excluded.restarted_at, baseline = excluded.baseline,
    writes = excluded.writes, writes_at = excluded.writes_at, writes_certain = excluded.writes_certain,
    scans = excluded.scans, scans_at = excluded.scans_at, doubts = excluded.doubts, doubts_at = excluded.doubts_at,
    last_scan = excluded.last_scan`;

/** Rows of one statement: see matrix-store.ts. */
const ROWS_AT_ONCE = 2_000;

type Time = number | null;
type Row = [
  ...[database: string, table: string, since: number, comparedAt: number, restartedAt: Time],
  ...[baseline: Baseline | null, writes: number, writesAt: Time, certain: boolean, scans: number, scansAt: Time],
  ...[doubts: Doubt[], doubtsAt: Time, lastScan: Time],
];

/** All that is stored. @throws what the driver throws */
export async function readActivities(client: pg.ClientBase): Promise<readonly Activity[]> {
  const { rows } = await client.query<Row>({ text: READ, rowMode: 'array' });
  return rows.map((row) => {
    const [database, table, since, comparedAt, restartedAt, baseline, writes, writesAt, certain, scans, scansAt] = row;
    const [doubts, doubtsAt, lastScan] = row.slice(11) as [Doubt[], Time, Time];
    return {
      ...{ database, table, since, comparedAt, restartedAt, baseline },
      ...{ before: { writes, writesAt, certain, scans, scansAt }, doubts, doubtsAt, lastScan },
    };
  });
}

/** @throws what the driver throws */
export async function writeActivities(client: pg.ClientBase, activities: readonly Activity[]): Promise<void> {
  for (let at = 0; at < activities.length; at += ROWS_AT_ONCE) {
    const some = activities.slice(at, at + ROWS_AT_ONCE).map(recordOf);
    await client.query(WRITE, [JSON.stringify(some)]);
  }
}

const time = (ms: Time): string | null => (ms === null ? null : new Date(ms).toISOString());

const recordOf = ({ database, table, before, baseline, doubts, ...times }: Activity): object => ({
  ...{ database, table_name: table, baseline, doubts },
  ...{ since: time(times.since), compared_at: time(times.comparedAt), restarted_at: time(times.restartedAt) },
  ...{ writes: before.writes, writes_at: time(before.writesAt), writes_certain: before.certain },
  ...{ scans: before.scans, scans_at: time(before.scansAt) },
  ...{ doubts_at: time(times.doubtsAt), last_scan: time(times.lastScan) },
});
