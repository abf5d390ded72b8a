import t from 'tap';
import { Broker } from './broker.js';
import { run } from './harness.js';
import { pgfigDriver } from './pgfig-driver.js';
import { planFor } from './plan.js';
import { dieAt } from './points.js';

t.setTimeout(600_000);

const skip = (await Broker.get()) === null ? 'there is no Kafka here' : false;

t.test('the feed dies before and after it sends and before it moves on, and the broker dies', { skip }, async (t) => {
  const { findings, log, acked } = await run(planFor(2, 0, true), pgfigDriver, {
    storm: async (world) => {
      const died = await dieAt(world, ['kafka-before-send', 'kafka-after-send']);
      await world.kafka?.die(500);
      await world.kafka?.back;
      return [...died, ...(await dieAt(world, ['kafka-before-position']))];
    },
  });
  t.strictSame(findings, []);
  t.ok(acked > 50, `${acked} operations were acknowledged`);
  t.comment(log.join('\n'));
});
