import { CRASH_POINTS } from '../../src/mirror/crash-points.js';
import type { TestPostgres } from '../support/postgres.js';
import type { FaultNetwork } from './network.js';
import { backendsOf, postmasterOf, signal, workersOf } from './processes.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** One thing that goes wrong; resolves when it is over, or goes on by itself. @returns what exactly it did */
type Fault = (world: World, random: Random) => Promise<string>;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function kill9(world: World, server: TestPostgres, down: number): Promise<string> {
  return world.inTurn(server, async () => {
    const there = signal(postmasterOf(server), 'SIGKILL');
    await pause(down);
    await world.startServer(server);
    return there ? `postmaster, down for ${down} ms` : 'was down';
  });
}

async function immediate(world: World, server: TestPostgres, down: number): Promise<string> {
  return world.inTurn(server, async () => {
    await server.kill();
    await pause(down);
    await world.startServer(server);
    return `down for ${down} ms`;
  });
}

const backend = (server: TestPostgres, random: Random): string => {
  const backends = backendsOf(server);
  // The postmaster then ends all others and recovers.
  return signal(backends[random.below(backends.length)], 'SIGKILL') ? 'one backend' : 'no backend';
};

async function ofNetwork(network: FaultNetwork, random: Random): Promise<string> {
  const ms = 200 + random.below(2_500);
  const kind = random.pick(['drop', 'refuse', 'cut', 'half-open up', 'half-open down', 'delay', 'limit'] as const);
  switch (kind) {
    case 'drop':
      network.drop();
      return kind;
    case 'refuse':
      network.refuse();
      break;
    case 'cut':
      network.cut();
      break;
    case 'half-open up':
      network.halfOpen('up');
      break;
    case 'half-open down':
      network.halfOpen('down');
      break;
    case 'delay':
      network.delay(20 + random.below(150));
      break;
    case 'limit':
      network.limit(20_000);
      break;
  }
  await pause(ms);
  // A network that forgets its connections is worse than one that delivers late.
  const forgets = random.chance(0.3);
  if (forgets) network.drop();
  network.heal();
  return `${kind} for ${ms} ms${forgets ? ', then drop' : ''}`;
}

/** Ends pgfig's sessions of one server, as an administrator or a timeout does. */
async function terminate(world: World, random: Random): Promise<string> {
  const server = random.pick([world.source, world.target]);
  const { rowCount } = await server.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgfig%' AND pid <> pg_backend_pid()`,
  );
  return `${rowCount} sessions of the ${server === world.source ? 'source' : 'target'}`;
}

async function crashPoint(world: World, random: Random): Promise<string> {
  const name = random.pick(CRASH_POINTS.filter((point) => world.kafka !== null || !point.startsWith('kafka')));
  const nth = 1 + random.below(3);
  await world.crashes.arm(name, { nth });
  return `armed ${name}, pass ${nth}`;
}

/** It goes on after others had the time to take over, with what it knew when it fell asleep. */
async function asleepAtPoint(world: World, random: Random): Promise<string> {
  const name = random.pick(CRASH_POINTS.filter((point) => world.kafka !== null || !point.startsWith('kafka')));
  await world.crashes.arm(name, { action: 'stop' });
  const deadline = Date.now() + 2_000;
  while (world.crashes.waiting(name) && Date.now() < deadline) await pause(20);
  await world.crashes.disarm(name);
  const ms = 300 + random.below(1_500);
  const forgets = random.chance(0.5);
  if (forgets) random.pick([world.sourceNetwork, world.targetNetwork]).drop();
  await pause(ms);
  world.wake();
  return `${name}, ${ms} ms${forgets ? ', one network dropped meanwhile' : ''}`;
}

const instance = (world: World, random: Random) => {
  const at = random.below(world.pgfigs.length);
  return { at, pid: world.pgfigs[at]?.pid ?? 0 };
};

/** name -> how often, against the others, and what it does. */
export const FAULTS: Readonly<Record<string, readonly [weight: number, Fault]>> = {
  'target: kill -9': [2, (world, random) => kill9(world, world.target, random.below(800))],
  'target: immediate stop': [1, (world, random) => immediate(world, world.target, random.below(1_500))],
  'target: kill -9 of a backend': [1, async (world, random) => backend(world.target, random)],
  'source: immediate restart': [2, (world, random) => immediate(world, world.source, random.below(500))],
  'source: kill -9': [1, (world, random) => kill9(world, world.source, random.below(500))],
  'source: kill -9 of a backend': [1, async (world, random) => backend(world.source, random)],
  'sessions terminated': [2, terminate],
  'crash point': [5, crashPoint],
  'control: asleep at a crash point': [2, asleepAtPoint],
  'control: kill -9': [
    2,
    async (world, random) => (signal(random.pick(world.controls), 'SIGKILL') ? 'killed' : 'was dead'),
  ],
  'control: asleep': [
    1.5,
    async (world, random) => {
      const pid = random.pick(world.controls);
      const ms = 300 + random.below(3_000);
      signal(pid, 'SIGSTOP');
      await pause(ms);
      signal(pid, 'SIGCONT');
      return `for ${ms} ms`;
    },
  ],
  'primary: kill -9': [
    1.5,
    async (world, random) => {
      const { at } = instance(world, random);
      const down = random.below(500);
      return world.inTurn(at, async () => {
        await world.pgfigs[at]?.kill();
        await pause(down);
        await world.startPgfig(at);
        return 'and started again';
      });
    },
  ],
  'worker: kill -9': [
    1.5,
    async (world, random) => {
      const workers = workersOf(instance(world, random).pid);
      return signal(workers[random.below(workers.length)], 'SIGKILL') ? 'killed' : 'none';
    },
  ],
  'network of the source': [3, (world, random) => ofNetwork(world.sourceNetwork, random)],
  'network of the target': [3, (world, random) => ofNetwork(world.targetNetwork, random)],
};

/** Only where there is a broker. */
export const KAFKA_FAULTS: typeof FAULTS = {
  'kafka: kill -9': [
    3,
    async (world, random) => {
      const down = random.below(1_500);
      return (await world.kafka?.die(down)) === true ? `down for ${down} ms and until it has started` : 'still down';
    },
  ],
};
