import type { Test } from 'tap';
import { run } from './harness.js';
import { fromTheFirst } from './pgfig-driver.js';
import { planFor, secondsOf } from './plan.js';
import { relayDriver } from './relay-driver.js';

/** Two test files share these, so that they run side by side. */
export const SEEDS = Array.from({ length: 20 }, (_, at) => at + 1);
const SECONDS = 6;

/** One subtest for each seed. */
export async function testSeeds(t: Test, seeds: readonly number[]): Promise<void> {
  for (const seed of seeds) {
    const plan = planFor(seed, secondsOf(SECONDS));
    await t.test(`seed ${seed}: ${JSON.stringify(plan)}`, async (t) => {
      const driver = plan.backfillUnderLoad ? relayDriver() : fromTheFirst;
      const { findings, log, acked } = await run(plan, driver);
      t.strictSame(findings, []);
      t.ok(acked > 0, `${acked} operations were acknowledged`);
      for (const line of log) t.comment(line);
    });
  }
}
