import { CRASH_POINTS, type CrashPoint } from '../../src/mirror/crash-points.js';
import { until } from '../clients/conditions.js';
import type { World } from './world.js';

/** Of a turn of the relay, and of what it does beside. */
export const TURN_POINTS = CRASH_POINTS.filter((name) => !/^(kafka|install|backfill)/.test(name));

const PASSED_MS = 60_000;

/**
 * Lets the relay die at one point after the other while the load goes on; each death is waited for.
 * @returns what happened
 */
export async function dieAt(world: World, points: readonly CrashPoint[]): Promise<string[]> {
  const log: string[] = [];
  for (const name of points) {
    const began = Date.now();
    await world.crashes.arm(name, { nth: 2 });
    await until(
      `a death at ${name}`,
      async () => {
        // More keys than the short path of a turn takes.
        await world.inSource('UPDATE parted SET v = v + 1 WHERE id BETWEEN 1 AND 300').catch(() => {});
        return !world.crashes.waiting(name);
      },
      PASSED_MS,
    );
    log.push(`died at ${name} after ${Date.now() - began} ms`);
  }
  return log;
}
