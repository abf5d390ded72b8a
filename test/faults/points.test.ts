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

t.test('the install dies half-way, and the backfill in the middle of a chunk', async (t) => {
  const { findings, log } = await run({ ...planFor(4, 0, false), rows: 3_000 }, pgfigDriver, {
    prepare: (world) => world.crashes.arm('install-half', { nth: 7 }),
    storm: async (world) => [
      ...(await dieAt(world, ['backfill-chunk', 'backfill-chunk'])),
      ...world.crashes.left().map((left) => `never passed: ${left}`),
    ],
  });
  t.strictSame(findings, []);
  t.comment(log.join('\n'));
  t.notMatch(log.join('\n'), /never passed/);
});
