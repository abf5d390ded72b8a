import { randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * The process ids that pgfig gives to its clients. They lie above 2^22, the largest process id of Linux, so that
 * `pg_cancel_backend` with one of them never hits a stranger, and carry the worker that owns the session:
 * bit 30 set, 9 bits of worker, 21 bits of session.
 */
const BASE = 2 ** 30;
const SESSION_BITS = 21;
const SESSIONS = 2 ** SESSION_BITS;
const WORKERS = 2 ** 9;

export function pidOf(worker: number, session: number): number {
  return BASE + (worker % WORKERS) * SESSIONS + (session % SESSIONS);
}

export function workerOfPid(pid: number): number {
  return Math.floor((pid - BASE) / SESSIONS) % WORKERS;
}

/** Secret of a session: 4 bytes in protocol 3.0, 32 in 3.2 (55.2.8). */
export function makeSecret(minor: number): Buffer {
  return randomBytes(minor >= 2 ? 32 : 4);
}

export function sameSecret(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
