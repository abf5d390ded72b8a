import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from './child.js';
import { readOutput } from './pgbench.js';
import type { Login } from './wire-client.js';
import type { Outcome, RunSettings, Workload } from './workload.js';

const CLIENTS = 8;
export const MANY = 10_000;

/**
 * `pgbench -S` with a column alias that is drawn anew each time: so many statements that differ in more than their
 * literals. The one with a single alias is what a warm cache gives for a text of the same length.
 */
export const SHAPE_WORKLOADS: readonly Workload[] = [1, MANY].map(
  (shapes): Workload => ({
    name: `shapes/${shapes}`,
    unit: 'transactions/s',
    counted: 'transaction',
    run: (through, settings) => runShapes(shapes, through, settings),
  }),
);

const script = (shapes: number, scale: number): string => `\\set aid random(1, ${100_000 * scale})
\\set shape random(${MANY + 1}, ${MANY + shapes})
SELECT abalance AS balance_:shape FROM pgbench_accounts WHERE aid = :aid;
`;

async function runShapes(shapes: number, through: Login, settings: RunSettings): Promise<Outcome> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-bench-'));
  try {
    const file = path.join(folder, 'shapes.sql');
    await writeFile(file, script(shapes, settings.scale));
    const login = ['-h', through.host, '-p', String(through.port), '-U', through.user];
    const load = ['-f', file, '-M', 'simple', '-c', String(CLIENTS), '-j', '1', '-T', String(settings.seconds), '-n'];
    return readOutput(await runProgram(settings.pgbench, [...login, ...load, through.database], settings.signal));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
