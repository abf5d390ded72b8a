import type { MicroResult } from '../report/results.js';
import { spread } from '../report/statistics.js';

/** One operation of a hot path, timed by itself. */
export interface Part {
  /** 'framer/data-rows', 'route/cache-hit' */
  readonly name: string;
  /** Does `times` operations; gives something that depends on their results, so that none is optimised away. */
  run(times: number): unknown;
}

const BATCH_SECONDS = 0.05;
const BATCHES = 11;

let sink: unknown;

/** Nanoseconds of one operation: median and spread over batches of equal size, after the code is warm. */
export function measurePart(part: Part): MicroResult {
  const times = calibrate(part);
  const nanos: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) nanos.push((time(part, times) * 1e9) / times);
  return { name: part.name, nanos: spread(nanos) };
}

/** How many operations fill a batch, found by doubling; that warms the code up as well. */
function calibrate(part: Part): number {
  let times = 16;
  while (time(part, times) < BATCH_SECONDS) times *= 2;
  return times;
}

/** CPU seconds, not those of the clock: on a shared machine another process may run in between. */
function time(part: Part, times: number): number {
  const began = process.cpuUsage();
  sink = part.run(times);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}

/** Keeps the last result reachable. */
export const lastResult = (): unknown => sink;
