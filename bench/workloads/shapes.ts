import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from './child.js';
import { readOutput } from './pgbench.js';
import type { Login } from './wire-client.js';
import type { Outcome, RunSettings, Workload } from './workload.js';

const CLIENTS = 8;
const MANY = 10_000;
/** Clients of the first pass: a few for each worker, so that every worker has seen every shape. */
const PASS_CLIENTS = 4;

/**
 * `pgbench -S` with a column alias that is drawn anew each time: so many statements that differ in more than their
 * literals. Each target sees them all once before it is measured. The workload with a single alias is what a cache of
 * one entry gives for a text of the same length.
 */
export const SHAPE_WORKLOADS: readonly Workload[] = [1, MANY].map(
  (shapes): Workload => ({
    name: `shapes/${shapes}`,
    unit: 'transactions/s',
    counted: 'transaction',
    run: (through, settings) => runShapes(shapes, through, settings),
  }),
);

/** Targets that have seen all shapes, as host:port. */
const passed = new Set<string>();

async function runShapes(shapes: number, through: Login, settings: RunSettings): Promise<Outcome> {
  const target = `${through.host}:${through.port}`;
  if (shapes > 1 && !passed.has(target)) {
    const each = ['-c', String(PASS_CLIENTS), '-t', String(shapes), '-D', `shape=${MANY}`];
    await pgbench(':shape + 1', each, through, settings);
    passed.add(target);
  }
  const load = ['-c', String(CLIENTS), '-T', String(settings.seconds)];
  return pgbench(`random(${MANY + 1}, ${MANY + shapes})`, load, through, settings);
}

async function pgbench(
  shape: string,
  load: readonly string[],
  through: Login,
  settings: RunSettings,
): Promise<Outcome> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-bench-'));
  try {
    const file = path.join(folder, 'shapes.sql');
    await writeFile(file, script(shape, settings.scale));
    const login = ['-h', through.host, '-p', String(through.port), '-U', through.user];
    const rest = ['-f', file, '-M', 'simple', '-j', '1', '-n', ...load, through.database];
    return readOutput(await runProgram(settings.pgbench, [...login, ...rest], settings.signal));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const script = (shape: string, scale: number): string => `\\set aid random(1, ${100_000 * scale})
\\set shape ${shape}
SELECT abalance AS balance_:shape FROM pgbench_accounts WHERE aid = :aid;
`;
