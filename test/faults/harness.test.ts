import t from 'tap';
import { run } from './harness.js';
import { planFor } from './plan.js';
import { standIn } from './stand-in.js';
import type { World } from './world.js';

/**
 * The harness with logical replication in the place of the mirror, and a fault planted by hand: it is found. That
 * nothing is found where nothing is wrong, the seeds show.
 */
t.test('a row that is changed by hand is found', async (t) => {
  const plan = planFor(1, 1);
  const plant = async (world: World): Promise<void> => {
    await world.inTarget('UPDATE counters SET i = i + 1 WHERE id = 1');
    await world.inTarget('DELETE FROM priced WHERE v = 50');
  };
  const { findings } = await run(plan, standIn, { faults: ['worker: kill -9'], plant });
  t.match(findings.join('\n'), /counters \{1\} differs/);
  t.match(findings.join('\n'), /priced .* missing/);
  t.match(findings.join('\n'), /target: not true that a counter is the sum of its operations/);
});
