import { readdirSync, readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { until } from '../clients/conditions.js';
import type { Target } from '../clients/target.js';
import { RawClient } from './raw-client.js';

/** Asserts that the target takes a new client and answers it from both databases. */
export async function serves(t: Test, target: Target): Promise<void> {
  const client = await RawClient.login(target);
  t.same(await client.rows('SELECT count(*) FROM users'), ['100'], 'still serves the monolith');
  t.same(await client.rows('SELECT 1 FROM orders LIMIT 1'), ['1'], 'still serves orders_db');
  client.send(Buffer.from('X\0\0\0\x04', 'latin1'));
  await client.untilClosed();
}

/** Pids of a process and all its descendants. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(Number(entry));
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Bytes of resident memory of the proxy's processes together; 0 for bare Postgres. */
export function residentMemory(target: Target): number {
  if (target.pid === null) return 0;
  return processTree(target.pid).reduce((sum, pid) => sum + residentOf(pid), 0);
}

/** Waits until the proxy's memory is within `slack` bytes of what it was. @throws Error after 60 s */
export async function memoryIsBack(t: Test, target: Target, before: number, slack: number): Promise<void> {
  await until('memory that is back', () => residentMemory(target) <= before + slack, 60_000).catch(() => undefined);
  const now = residentMemory(target);
  t.ok(now <= before + slack, `resident memory is back: ${mb(before)} before, ${mb(now)} now`);
}

export const MB = 1024 * 1024;
export const mb = (bytes: number): string => `${Math.round(bytes / MB)} MB`;

function parentOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function residentOf(pid: number): number {
  const kilobytes = read(`/proc/${pid}/status`)?.match(/^VmRSS:\s+(\d+) kB/m)?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** A process may end between listing and reading. */
function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
