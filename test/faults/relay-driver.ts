import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { guard } from '../support/guard.js';
import type { MirrorDriver } from './driver.js';
import { pgfigDriver } from './pgfig-driver.js';
import type { World } from './world.js';

const HOST = fileURLToPath(new URL('./relay-host.js', import.meta.url));
const RESTART_MS = 100;
const BACKFILL_DEADLINE_MS = 60_000;

/** The relay alone, in processes of its own beside pgfig. */
export function relayDriver(): MirrorDriver {
  const hosts = new Hosts();
  return {
    ...pgfigDriver,
    name: 'relay alone',
    rules: (plan, kafka) => {
      const { shop } = pgfigDriver.rules(plan, kafka);
      return { shop: { ...shop, phase: 'monolith' } };
    },
    install: async (world) => {
      while (!(await installs(world))) hosts.output += 'the install died\n';
      for (let i = 0; i < world.plan.instances; i++) hosts.start(world);
    },
    backfill: async (world) => {
      hosts.backfill();
      const left = "SELECT count(*)::int AS count FROM pgfig.relay_tables WHERE state IN ('new', 'backfill')";
      const deadline = Date.now() + BACKFILL_DEADLINE_MS;
      while ((await world.inTarget<{ count: number }>(left))[0]?.count !== 0) {
        if (Date.now() > deadline) throw new Error('the backfill does not end');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    controls: () => hosts.pids,
    close: () => hosts.close(),
    report: async (world) => `${await pgfigDriver.report(world)}\n${hosts.output.split('\n').slice(-60).join('\n')}`,
  };
}

const host = (world: World, args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [HOST, world.pgfigs[0]?.configFile ?? '', 'shop', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...world.crashes.env },
  });

/** @returns false: it was killed. @throws Error with what it wrote where it failed by itself */
async function installs(world: World): Promise<boolean> {
  const child = host(world, ['install']);
  let output = '';
  child.stderr?.on('data', (data: Buffer) => {
    output += data.toString();
  });
  const [code, signal] = await once(child, 'close');
  if (signal !== null) return false;
  if (code !== 0) throw new Error(`the mirror is not installed: ${output}`);
  return true;
}

/** Started again when they die, as the primary does. */
class Hosts {
  output = '';
  readonly #running = new Set<ChildProcess>();
  #closed = false;
  #backfilling = false;

  get pids(): number[] {
    return [...this.#running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  start(world: World): void {
    if (this.#closed) return;
    const child = host(world, this.#backfilling ? ['backfill'] : []);
    guard(child);
    this.#running.add(child);
    const keep = (data: Buffer): void => {
      this.output += `${child.pid} ${data.toString()}`;
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('close', (code, signal) => {
      this.output += `${new Date().toISOString()} host ${child.pid} ended: ${signal ?? code}\n`;
      this.#running.delete(child);
      setTimeout(() => this.start(world), RESTART_MS);
    });
  }

  /** From now on whoever leads copies what is not there yet. */
  backfill(): void {
    if (!this.#backfilling) for (const child of this.#running) child.kill('SIGUSR2');
    this.#backfilling = true;
  }

  close(): void {
    this.#closed = true;
    for (const child of this.#running) child.kill('SIGKILL');
  }
}
