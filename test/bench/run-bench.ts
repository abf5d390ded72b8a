import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const BENCH = fileURLToPath(new URL('../../bench/run.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly output: string;
  /** Holds whatever the benchmark made: its own TMPDIR. */
  readonly folder: string;
}

/**
 * Runs the benchmark in a temporary folder of its own.
 * @param until when the output contains this, the benchmark gets SIGINT
 */
export async function runBench(args: readonly string[], until: string | null = null): Promise<Ran> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-bench-test-'));
  // Postgres runs as another user where this runs as root.
  await chmod(folder, 0o755);
  const child = spawn(process.execPath, [BENCH, ...args], { env: { ...process.env, TMPDIR: folder } });
  let output = '';
  let told = false;
  const collect = (text: string): void => {
    output += text;
    if (until === null || told || !output.includes(until)) return;
    told = true;
    child.kill('SIGINT');
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output, folder };
}

/** Command lines of processes that name `folder`: what a benchmark that ended has left running. */
export function leftRunning(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(folder));
}
