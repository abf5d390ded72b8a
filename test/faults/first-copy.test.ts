import t from 'tap';
import { run } from './harness.js';
import { pgfigDriver } from './pgfig-driver.js';
import { planFor } from './plan.js';
import { dieAt } from './points.js';

t.setTimeout(600_000);

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
