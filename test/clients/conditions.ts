import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Target } from './target.js';

/** Polls until the condition holds. @throws Error after 15 s */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until a statement with this mark in its text runs in the database of the orders domain. */
export function running(target: Target, mark: string): Promise<void> {
  const sql = `SELECT 1 FROM pg_stat_activity
    WHERE state = 'active' AND query LIKE '%${mark}%' AND pid <> pg_backend_pid() AND datname = current_database()`;
  return until(`a running ${mark}`, async () => (await target.inOrders(sql)).length > 0);
}

/** Bytes and sha256 of everything that a stream gives. */
export async function digest(stream: Readable): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}
