import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Results, Spread } from './results.js';

export const BASELINE = 'baseline.json';

export async function readBaseline(folder: string): Promise<Results | null> {
  const text = await readFile(path.join(folder, BASELINE), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Results);
}

/**
 * What has changed since the baseline, a line for each number of pgfig's. Ratios to another program in the same run
 * are compared, and CPU time: they hold from machine to machine and day to day far better than rates.
 */
export function changes(now: Results, baseline: Results): string[] {
  const lines: string[] = [];
  for (const workload of now.throughput) {
    const before = baseline.throughput.find((other) => other.name === workload.name)?.targets.pgfig;
    const after = workload.targets.pgfig;
    if (before === undefined || after === undefined) continue;
    const ratio = after.toPgbouncer !== null && before.toPgbouncer !== null ? 'toPgbouncer' : 'toDirect';
    const what = ratio === 'toPgbouncer' ? 'ratio to PgBouncer' : 'ratio to direct';
    push(lines, `${workload.name}: ${what}`, after[ratio], before[ratio], 'higher');
    push(lines, `${workload.name}: CPU us per ${workload.counted}`, after.cpuMicros, before.cpuMicros, 'lower');
  }
  for (const { protocol, targets } of now.latency) {
    const before = baseline.latency.find((other) => other.protocol === protocol)?.targets.pgfig;
    push(
      lines,
      `latency/${protocol}: us added (p50)`,
      targets.pgfig?.addedP50 ?? null,
      before?.addedP50 ?? null,
      'lower',
    );
  }
  for (const { name, nanos } of now.micro) {
    const before = baseline.micro.find((other) => other.name === name)?.nanos ?? null;
    push(lines, `${name}: ns`, nanos, before, 'lower');
  }
  return lines;
}

function push(
  lines: string[],
  what: string,
  now: Spread | null,
  before: Spread | null,
  better: 'higher' | 'lower',
): void {
  if (now === null || before === null || before.median === 0) return;
  const percent = (now.median / before.median - 1) * 100;
  // A change is one when the spreads do not touch; all else is noise.
  const apart = now.min > before.max || now.max < before.min;
  const verdict = !apart ? 'within the spread' : percent > 0 === (better === 'higher') ? 'BETTER' : 'WORSE';
  const sign = percent >= 0 ? '+' : '';
  lines.push(
    `${what}: ${now.median.toFixed(2)}, baseline ${before.median.toFixed(2)} (${sign}${percent.toFixed(0)} %, ${verdict})`,
  );
}
