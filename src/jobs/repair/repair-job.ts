import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';
import { openMirrorClient } from '../../mirror/connection.js';
import { readShapes } from '../../mirror/shape/read-shapes.js';
import { groupBy } from '../run/group-by.js';
import { inWholeTurn, type JobResult, type JobRun } from '../run/job-work.js';
import { TableSide } from '../verify/chunk-sql.js';
import { both } from '../verify/raw-rows.js';
import { chooseHash } from '../verify/row-hash.js';
import { comparedColumns } from '../verify/row-text.js';

export interface RepairArgs {
  /** 'schema.table'; null: all of the domain. */
  readonly table: string | null;
}

export interface RepairProgress {
  readonly repaired: number;
  readonly open: number;
}

export interface RepairResult extends JobResult, RepairProgress {}

/** Rows that are read, compared and closed at once. */
const BATCH = 500;
const TURN_TRIES = 10;
const PAUSE_MS = 500;

/** As the capture trigger would have written it: the relay makes each key equal, whatever had become of it. */
const AS_EVENTS = `
INSERT INTO pgfig.outbox (mirror, tbl, op, key)
SELECT c.mirror, c.table_oid, 'U', k.key
  FROM pgfig.captured c JOIN pgfig.mirrors m ON m.id = c.mirror, unnest($3::pg_catalog.text[]) AS k (key)
 WHERE m.domain = $1 AND c.table_name = $2`;

/** What of a divergence a repair keeps in mind: a verify ends after 10,000 of them in a table. */
interface Open {
  readonly id: string;
  readonly table: string;
  readonly key: string;
}

/**
 * Sends the keys of the open divergences through the relay, as if they had changed, and looks at them again. What is
 * equal then is closed; the relay overwrites the target's row, so the source is always right. All keys of a table go in
 * one transaction, which one turn takes: of rows that have swapped a unique value, neither can be mended alone.
 */
export async function repairJob(run: JobRun): Promise<RepairResult> {
  const { table } = run.job.args as RepairArgs;
  const source = await openMirrorClient(run.config, run.relay.mirror.source, 'pgfig repair');
  const result = { repaired: 0, open: 0 };
  try {
    for (const [name, open] of await openOf(run, table)) {
      if (run.signal.aborted) break;
      await send(run, source, name, open);
      for (let at = 0; at < open.length && !run.signal.aborted; at += BATCH) {
        const some = open.slice(at, at + BATCH);
        const equal = await closeEqual(run, name, some);
        result.repaired += equal;
        result.open += some.length - equal;
        run.progress({ ...result });
      }
    }
  } finally {
    source.end().catch(() => {});
  }
  return { good: result.open === 0, ...result };
}

/** By table. */
async function openOf({ divergences, job }: JobRun, table: string | null): Promise<ReadonlyMap<string, Open[]>> {
  const found: Open[] = [];
  for (let after = '0'; ; after = found.at(-1)?.id ?? after) {
    const batch = await divergences.open(job.domain, table, after, BATCH);
    if (batch.length === 0) return groupBy(found, (one) => one.table);
    found.push(...batch.map(({ id, table: name, key }) => ({ id, table: name, key })));
  }
}

async function send(run: JobRun, source: pg.Client, table: string, open: readonly Open[]): Promise<void> {
  const keys = [...new Set(open.map(({ key }) => key))];
  const { rowCount } = await source.query(AS_EVENTS, [run.job.domain, table, keys]);
  if (rowCount !== keys.length)
    throw new PgfigError('NOT_REPAIRABLE', `the changes of ${table} are not captured in ${run.relay.mirror.source}`, {
      hint: `pgfig mirror install ${run.job.domain} installs what is missing.`,
    });
  await applied(run, table);
}

/** @returns how many are equal now */
async function closeEqual(run: JobRun, table: string, some: readonly Open[]): Promise<number> {
  const unequal = await differing(run, table, [...new Set(some.map(({ key }) => key))]);
  const equal = some.filter(({ key }) => !unequal.has(key)).map(({ id }) => id);
  await run.divergences.repaired(equal);
  return equal.length;
}

async function applied({ relay, signal }: JobRun, table: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const outcome = await relay.turnAfterNow();
    // With another table stalled, what is in step is applied all the same: the second look tells.
    if (outcome === 'applied' || outcome === 'stalled') return;
    if (outcome === null || signal.aborted || tries >= TURN_TRIES)
      throw new PgfigError('NOT_REPAIRABLE', `the relay does not apply the keys of ${table}`, {
        hint: 'pgfig relay status says why.',
      });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Which of the keys are not equal on both sides now. */
async function differing(run: JobRun, table: string, keys: readonly string[]): Promise<ReadonlySet<string>> {
  return inWholeTurn(run, async ({ source, target, shapes }) => {
    const here = shapes.get(table);
    const there = (await readShapes(target, [table])).get(table);
    if (here?.key == null || there === undefined)
      throw new PgfigError('NOT_REPAIRABLE', `${table} is not in step`, { hint: 'pgfig relay status says why.' });
    const columns = comparedColumns(here, there);
    const hash = await chooseHash(source, target);
    const rows = await both(
      new TableSide(source, here, here.key, columns, hash).rowsOfKeys(keys),
      new TableSide(target, there, here.key, columns, hash).rowsOfKeys(keys),
    );
    const [mine, theirs] = rows.map((list) => groupBy(list, ({ asked }) => asked));
    const text = (found: typeof mine, key: string): string => (found?.get(key) ?? []).map(({ hash }) => hash).join();
    return new Set(keys.filter((key) => text(mine, key) !== text(theirs, key)));
  });
}
