import t from 'tap';
import { run } from './harness.js';
import { pgfigDriver } from './pgfig-driver.js';
import { planFor } from './plan.js';
import { dieAt } from './points.js';

t.setTimeout(600_000);

t.test(
  'the broker is killed, and the feed dies before and after it sends and before it moves its position',
  async (t) => {
    const { findings, log, acked } = await run(planFor(2, 0, true), pgfigDriver, {
      storm: async (world) => {
        const died = [...(await dieAt(world, ['kafka-before-send', 'kafka-after-send']))];
        await world.kafka?.kill();
        await world.kafka?.restart();
        return [...died, ...(await dieAt(world, ['kafka-before-position']))];
      },
    });
    t.strictSame(findings, []);
    t.ok(acked > 50, `${acked} operations were acknowledged`);
    t.comment(log.join('\n'));
  },
);
