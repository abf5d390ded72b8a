import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestPostgres } from '../support/postgres.js';

/** Pids of the running children of a process whose command line matches. */
export function childrenOf(parent: number, command: RegExp): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => parentOf(entry) === parent && command.test(commandOf(entry)))
    .map(Number);
}

/** The name may have blanks and brackets; what follows the last bracket is state and parent (proc(5)). */
function parentOf(pid: string): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

const commandOf = (pid: string): string => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export const controlOf = (primary: number): number[] => childrenOf(primary, /main\/control\.js/);
export const workersOf = (primary: number): number[] => childrenOf(primary, /main\/worker\.js/);

/** First line of its pid file; null when it is down. */
export function postmasterOf(server: TestPostgres): number | null {
  const pid = Number(read(path.join(server.dataFolder, 'postmaster.pid')).split('\n')[0]);
  return pid > 0 ? pid : null;
}

/** Pids of the server processes that serve clients. */
export function backendsOf(server: TestPostgres): number[] {
  const postmaster = postmasterOf(server);
  return postmaster === null ? [] : childrenOf(postmaster, /^postgres: \S+ \S+ 127\.0\.0\.1/);
}

/** @returns whether there was such a process */
export function signal(pid: number | undefined | null, name: NodeJS.Signals): boolean {
  if (pid === undefined || pid === null || !(pid > 1)) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
