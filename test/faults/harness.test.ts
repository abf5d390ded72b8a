import t from 'tap';
import { run } from './harness.js';
import { planFor } from './plan.js';
import { standIn } from './stand-in.js';
import type { World } from './world.js';

/**
 * The harness against a mirror that is known to work: under every fault nothing is found, and with a fault planted by
 * hand it is.
 */
t.test('whatever dies, logical replication keeps the copies equal', async (t) => {
  for (const seed of [5, 2]) {
    const { findings, log, acked } = await run(planFor(seed, 6), standIn);
    t.strictSame(findings, [], `seed ${seed}`);
    t.ok(acked > 50, `${acked} operations were acknowledged`);
    t.comment(log.join('\n'));
  }
});

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
