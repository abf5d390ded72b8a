import t from 'tap';
import { run } from './harness.js';
import { pgfigDriver } from './pgfig-driver.js';
import { planFor } from './plan.js';
import { dieAt, TURN_POINTS } from './points.js';

t.setTimeout(600_000);

t.test('the relay dies at each of its points in turn, and nothing is lost or done twice', async (t) => {
  const { findings, log, acked } = await run(planFor(1, 0, false), pgfigDriver, {
    storm: (world) => dieAt(world, TURN_POINTS),
  });
  t.strictSame(findings, []);
  t.ok(acked > 50, `${acked} operations were acknowledged`);
  t.comment(log.join('\n'));
});
