import t from 'tap';
import type { CrashPoint } from '../../src/mirror/crash-points.js';
import { until } from '../clients/conditions.js';
import { run } from './harness.js';
import { pgfigDriver } from './pgfig-driver.js';
import { planFor } from './plan.js';
import type { World } from './world.js';

t.setTimeout(600_000);

const TAKEN_MS = 60_000;

/** Points at which the relay has its target's transaction still before it, and such at which that one is open. */
const POINTS: readonly (readonly [point: CrashPoint, held: readonly ('source' | 'target')[]])[] = [
  ['source-read', ['source']],
  ['before-advance', ['source']],
  ['keys-sent', ['source', 'target']],
  ['before-commit', ['source', 'target']],
  ['after-commit', ['source']],
  ['before-garbage', ['source']],
];

/**
 * The holder falls asleep at a point, its servers give up on it, the other instance leads and applies turns; then the
 * holder wakes up in the middle of what it did.
 */
async function lateAt(world: World, point: CrashPoint, held: readonly ('source' | 'target')[]): Promise<string> {
  const stands = async () => {
    const [row] = await world.inTarget<{ owner: string; turns: string }>('SELECT owner, turns FROM pgfig.relay');
    return row ?? { owner: '', turns: '0' };
  };
  const before = await stands();
  await world.crashes.arm(point, { action: 'stop', nth: 2 });
  await until(
    `the holder sleeps at ${point}`,
    async () => {
      // More keys than the short path of a turn takes.
      await world.inSource('UPDATE parted SET v = v + 1 WHERE id BETWEEN 1 AND 300').catch(() => {});
      return !world.crashes.waiting(point);
    },
    TAKEN_MS,
  );
  for (const side of held) (side === 'source' ? world.sourceNetwork : world.targetNetwork).drop();
  await until(
    'another instance has led',
    async () => {
      const now = await stands();
      return now.owner !== before.owner && Number(now.turns) > Number(before.turns) + 2;
    },
    TAKEN_MS,
  );
  world.wake();
  const woken = await stands();
  await until('turns go on', async () => Number((await stands()).turns) > Number(woken.turns) + 2, TAKEN_MS);
  return `late at ${point}`;
}

t.test('a holder that wakes up late does no harm, wherever it fell asleep', async (t) => {
  const plan = { ...planFor(1, 0, false), instances: 2 as const };
  const { findings, log, acked, wholeSights } = await run(plan, pgfigDriver, {
    storm: async (world) => {
      const late: string[] = [];
      for (const [point, held] of POINTS) late.push(await lateAt(world, point, held));
      return late;
    },
  });
  t.strictSame(findings, []);
  t.ok(acked > 50, `${acked} operations were acknowledged`);
  t.ok(wholeSights > 0, `the copy was seen whole ${wholeSights} times`);
  t.comment(log.join('\n'));
});
