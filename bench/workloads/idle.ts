import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { residentBytes } from '../harness/process-tree.js';
import type { Backend, Surroundings, Target } from '../targets/target.js';
import { login } from './wire-client.js';

/** The user whose sessions the stand-in server answers itself. */
const IDLE_USER = 'idle';
const MIB = 1024 * 1024;
/** Memory is read when it has not grown by more than this between two looks, at most so many looks. */
const SETTLED_BYTES = MIB;
const LOOK_EVERY = 500;
const MOST_LOOKS = 20;

export interface IdleMemory {
  readonly beforeMiB: number;
  readonly withClientsMiB: number;
}

/**
 * The proxy's memory without clients, and with `clients` of them logged in and silent.
 * @throws Error when the machine cannot hold so many connections, or the target refuses them
 */
export async function measureIdle(
  target: Target,
  backend: Backend,
  around: Surroundings,
  clients: number,
  signal: AbortSignal,
): Promise<IdleMemory> {
  await checkDescriptors(clients);
  const standIn = await startHelper('./stand-in-server.js', [String(backend.port)], signal);
  try {
    const before = { ...backend, port: Number(standIn.line), user: IDLE_USER };
    const running = await target.start(before, around);
    try {
      if (running.pid === null) throw new Error('it has no process of its own');
      // Each worker's first session loads code that the next ones share: that is not what a client costs.
      for (let i = 0; i < 8; i++) (await login({ ...before, host: running.host, port: running.port })).end();
      const beforeMiB = await settled(running.pid);
      const place = [running.host, String(running.port), IDLE_USER, backend.database, String(clients)];
      const opener = await startHelper('./idle-client.js', place, signal);
      try {
        return { beforeMiB, withClientsMiB: await settled(running.pid) };
      } finally {
        await opener.stop();
      }
    } finally {
      await running.stop();
    }
  } finally {
    await standIn.stop();
  }
}

async function settled(pid: number): Promise<number> {
  let last = residentBytes(pid);
  for (let look = 0; look < MOST_LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    const now = residentBytes(pid);
    if (Math.abs(now - last) < SETTLED_BYTES) return now / MIB;
    last = now;
  }
  return last / MIB;
}

/** A single process holds both ends of all sessions in PgBouncer and HAProxy. */
async function checkDescriptors(clients: number): Promise<void> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const most = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  const needed = clients * 2 + 200;
  if (most !== undefined && Number(most) < needed)
    throw new Error(`${clients} idle clients need ${needed} open files, the limit is ${most}: run ulimit -n ${needed}`);
}

/** Starts a script of this folder and waits for the first line that it prints; its stdin's end stops it. */
async function startHelper(
  script: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ line: string; stop(): Promise<void> }> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { signal, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.once('error', () => undefined);
  const line = await firstLine(child);
  if (line === null) throw new Error(`${script} ended before it was ready`);
  return {
    line,
    stop: async () => {
      child.stdin?.end();
      await ended;
    },
  };
}

function firstLine(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    if (child.stdout === null) return resolve(null);
    createInterface({ input: child.stdout })
      .once('line', resolve)
      .once('close', () => resolve(null));
  });
}
