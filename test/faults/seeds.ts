import type { Test } from 'tap';
import { run } from './harness.js';
import { pgfigDriver } from './pgfig-driver.js';
import { planFor, secondsOf, seedsOf } from './plan.js';

/** What runs without being asked; PGFIG_FAULT_SEEDS names more. */
const SEEDS = [1, 2, 3, 4, 5];
/** Each file has every fifth seed, so that none takes longer than tap allows also on a slow machine. */
const FILES = 5;
const SECONDS = 5;

/** One subtest for each seed of this file. @param file from 0 to 4 */
export async function testSeeds(t: Test, file: number): Promise<void> {
  // Four seeds, each of which may wait for a minute until all is still.
  t.setTimeout(600_000);
  for (const seed of seedsOf(SEEDS).filter((seed) => seed % FILES === file)) {
    const plan = planFor(seed, secondsOf(SECONDS));
    await t.test(`seed ${seed}: ${JSON.stringify(plan)}`, async (t) => {
      const began = Date.now();
      const { findings, log, acked, wholeSights } = await run(plan, pgfigDriver);
      t.strictSame(findings, []);
      t.ok(acked > 0, `${acked} operations were acknowledged`);
      t.comment(`seed ${seed}: ${Math.round((Date.now() - began) / 1_000)} s, seen whole ${wholeSights} times`);
      for (const line of log) t.comment(line);
    });
  }
}
