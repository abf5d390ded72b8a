import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Programs } from '../../src/embedded/programs.js';
import { login } from '../workloads/wire-client.js';

export interface DaemonOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Where its log goes; exists and belongs to `runAs`. */
  readonly folder: string;
  readonly runAs: Programs['runAs'];
  readonly signal: AbortSignal;
  readonly stopSignal: NodeJS.Signals;
  /** It is up when a client can log in here. */
  readonly port: number;
  readonly login: { readonly user: string; readonly database: string };
}

export interface Daemon {
  readonly pid: number;
  stop(): Promise<void>;
}

const START_DEADLINE = 30_000;
const STOP_DEADLINE = 8_000;

/**
 * Starts a server program in the foreground and waits until a client can log in through it.
 * @throws Error with the end of its log when it ends or does not answer in time
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  options.signal.throwIfAborted();
  const logFile = path.join(options.folder, `${options.name}.log`);
  const log = await open(logFile, 'w');
  const child = spawn(options.program, options.args, {
    ...options.runAs,
    cwd: options.folder,
    // A group of its own: Ctrl-C must reach the benchmark alone, which stops everything in order.
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  options.signal.addEventListener('abort', () => child.kill(options.stopSignal), { once: true });
  const daemon = { pid: child.pid ?? 0, stop: () => stopDaemon(child, ended, options.stopSignal) };
  try {
    await untilLogin(options, child);
  } catch (error) {
    await daemon.stop();
    const tail = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-5).join('\n  ');
    throw new Error(`${options.name} does not start: ${String(error)}\n  ${tail}`);
  }
  return daemon;
}

async function untilLogin(options: DaemonOptions, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_DEADLINE;
  for (;;) {
    try {
      const client = await login({ host: '127.0.0.1', port: options.port, ...options.login });
      client.end();
      return;
    } catch (error) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) throw new Error('it ended');
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Its whole group: a master that is killed leaves its children behind otherwise. */
async function stopDaemon(child: ChildProcess, ended: Promise<void>, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE);
    await ended;
    clearTimeout(late);
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: none is left.
  }
}
