import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BackfillOptions } from '../../../src/mirror/relay/backfill-lane.js';
import type { Pair } from '../../../test/mirror/capture-support.js';
import { findProgram } from '../../harness/programs.js';

/** As fast as it goes. */
export const UNPACED: BackfillOptions = {
  mode: 'fresh',
  pace: async () => Number.MAX_SAFE_INTEGER,
  onProgress: () => {},
  signal: new AbortController().signal,
};

/** `psql COPY TO STDOUT | psql COPY FROM STDIN`. @throws Error when either fails */
export async function pipeCopy(from: string, to: string, table: string): Promise<void> {
  const psql = await program('psql');
  const script =
    'set -o pipefail; "$0" -qXc "COPY $3 TO STDOUT" "$1" | "$0" -qX -v ON_ERROR_STOP=1 -c "COPY $3 FROM STDIN" "$2"';
  await ended(spawn('bash', ['-c', script, psql, from, to, table], { stdio: ['ignore', 'inherit', 'inherit'] }));
}

/**
 * pgbench updates single rows at a steady rate, which both sides of a comparison then bear alike.
 * @returns what ends it
 */
export async function writeSteadily(
  pair: Pair,
  table: string,
  rows: number,
  perSecond: number,
): Promise<() => Promise<void>> {
  const script = path.join(pair.source.dataFolder, '..', `writes-${pair.from}.sql`);
  writeFileSync(script, `\\set id random(0, ${rows - 1})\nUPDATE ${table} SET amount = amount + 1 WHERE id = :id;\n`);
  const args = ['-n', '-c', '4', '-M', 'prepared', '-T', '86400', '-R', String(perSecond), '-f', script];
  const child = spawn(await program('pgbench'), [...args, pair.source.url(pair.from)], { stdio: 'ignore' });
  let stopping = false;
  const end = ended(child).catch((error: unknown) => {
    if (!stopping) throw error;
  });
  return async () => {
    stopping = true;
    child.kill('SIGTERM');
    await end;
  };
}

async function program(name: string): Promise<string> {
  const found = await findProgram(name);
  if (found === null) throw new Error(`${name} is not installed`);
  return found;
}

async function ended(child: ChildProcess): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
  if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code}`);
}
