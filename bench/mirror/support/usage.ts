import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestPostgres } from '../../../test/support/postgres.js';
import { cpuTime } from '../../harness/process-tree.js';

/** Processor seconds. */
export interface Cpu {
  /** Backends of the relay that are there now. */
  readonly relay: number;
  /** All processes of the server: backends that have ended, checkpoints and autovacuum too. */
  readonly server: number;
}

/** What a server has used so far. */
export async function serverCpu(server: TestPostgres): Promise<Cpu> {
  const { rows } = await server.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pgfig relay%'",
  );
  return { relay: rows.reduce((sum, { pid }) => sum + seconds(pid), 0), server: seconds(postmaster(server)) };
}

export const minus = (after: Cpu, before: Cpu): Cpu => ({
  relay: after.relay - before.relay,
  server: after.server - before.server,
});

const postmaster = (server: TestPostgres): number =>
  Number(readFileSync(path.join(server.dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0]);

export function seconds(pid: number): number {
  const { user, system } = cpuTime(pid);
  return user + system;
}

/** Of this process. */
export function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export interface MemoryTrace {
  /** MiB at the beginning, at most, and at the end. */
  readonly first: number;
  readonly max: number;
  readonly last: number;
  /** MiB a minute, by least squares over the second half: the first half may still warm up. */
  readonly slope: number;
  readonly samples: readonly number[];
}

const MIB = 1024 * 1024;

/** Samples this process's resident memory. @returns what ends it */
export function traceMemory(everyMs = 250): () => MemoryTrace {
  const began = performance.now();
  const at: number[] = [];
  const samples: number[] = [];
  const take = (): void => {
    at.push((performance.now() - began) / 60_000);
    samples.push(process.memoryUsage.rss() / MIB);
  };
  take();
  const timer = setInterval(take, everyMs);
  return () => {
    clearInterval(timer);
    take();
    const half = samples.length >> 1;
    const [first = Number.NaN] = samples;
    return {
      ...{ first, max: Math.max(...samples), last: samples.at(-1) ?? Number.NaN },
      ...{ slope: slope(at.slice(half), samples.slice(half)), samples },
    };
  };
}

function slope(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  const over = xs.reduce((sum, at, i) => sum + (at - x) * ((ys[i] ?? y) - y), 0);
  const under = xs.reduce((sum, at) => sum + (at - x) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

export const memoryText = ({ first, max, last, slope }: MemoryTrace): string =>
  `${first.toFixed(0)} MiB, at most ${max.toFixed(0)}, ${last.toFixed(0)} at the end, ` +
  `${slope >= 0 ? '+' : ''}${slope.toFixed(1)} MiB a minute in the second half`;
