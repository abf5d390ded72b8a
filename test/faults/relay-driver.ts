import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { guard } from '../support/guard.js';
import type { MirrorDriver } from './driver.js';
import { pgfigDriver } from './pgfig-driver.js';
import type { World } from './world.js';

const HOST = fileURLToPath(new URL('./relay-host.js', import.meta.url));
const RESTART_MS = 100;

/**
 * The relay alone, in processes of its own beside pgfig: tables are in step from the first, since they are empty when
 * the mirror is installed.
 */
export function relayDriver(): MirrorDriver {
  const hosts = new Hosts();
  return {
    ...pgfigDriver,
    name: 'relay alone',
    emptyFirst: true,
    install: async (world) => {
      const child = host(world, ['install']);
      let output = '';
      child.stderr?.on('data', (data: Buffer) => {
        output += data.toString();
      });
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(`the mirror is not installed: ${output}`);
      await world.inTarget("UPDATE pgfig.relay_tables SET state = 'in-step'");
      for (let i = 0; i < world.plan.instances; i++) hosts.start(world);
    },
    backfill: async () => {},
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

/** Started again when they die, as the primary does. */
class Hosts {
  output = '';
  readonly #running = new Set<ChildProcess>();
  #closed = false;

  get pids(): number[] {
    return [...this.#running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  start(world: World): void {
    if (this.#closed) return;
    const child = host(world, []);
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

  close(): void {
    this.#closed = true;
    for (const child of this.#running) child.kill('SIGKILL');
  }
}
