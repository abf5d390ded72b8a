import { FAULTS, KAFKA_FAULTS } from './fault-list.js';
import { Random } from './random.js';
import type { World } from './world.js';

export interface Storm {
  /** One line for each fault, with its time since the start. */
  readonly log: readonly string[];
}

/**
 * Lets one thing after the other go wrong, now and then two at once, until the time is over; then everything runs again.
 * @param only names of faults to choose from
 */
export async function storm(world: World, only?: readonly string[]): Promise<Storm> {
  const { seed, duration } = world.plan;
  const random = new Random(seed * 7919);
  const faults = Object.entries({ ...FAULTS, ...(world.kafka === null ? {} : KAFKA_FAULTS) }).filter(
    ([name]) => only === undefined || only.includes(name),
  );
  const total = faults.reduce((sum, [, [weight]]) => sum + weight, 0);
  const began = Date.now();
  const log: string[] = [];
  const one = async (): Promise<void> => {
    let left = random.next() * total;
    const [name, [, fault]] =
      faults.find(([, [weight]]) => {
        left -= weight;
        return left < 0;
      }) ?? (faults[0] as (typeof faults)[number]);
    const at = Date.now() - began;
    const did = await fault(world, random).catch((error: unknown) => `failed: ${error}`);
    log.push(`${(at / 1000).toFixed(1)} s ${name}: ${did}`);
  };
  while (Date.now() - began < duration) {
    await pause(Math.min(random.below(900), Math.max(0, duration - (Date.now() - began))));
    await Promise.all(random.chance(0.2) ? [one(), one()] : [one()]);
  }
  await calm(world);
  return { log };
}

/** Ends whatever is still wrong. */
async function calm(world: World): Promise<void> {
  for (const network of [world.sourceNetwork, world.targetNetwork]) network.heal();
  world.wake();
  await world.kafka?.back;
  for (const server of [world.source, world.target]) {
    // Two faults at once may have left it down; a server that recovers refuses for a while.
    const deadline = Date.now() + 20_000;
    while (
      !(await server.query('SELECT 1').then(
        () => true,
        () => false,
      ))
    ) {
      if (Date.now() > deadline) throw new Error('a server does not come back');
      await pause(50);
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
