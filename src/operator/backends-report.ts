import type { BackendSight } from '../session/session-registry.js';
import type { HeldBackends } from './processes/messages.js';

/** `GET /api/backends`: which of a server's processes work for pgfig. */
export interface BackendsReport {
  /** Every worker has answered. */
  readonly complete: boolean;
  /** Database -> process ids of those whose statements are routed and counted. */
  readonly routed: Readonly<Record<string, readonly number[]>>;
  /** Of sessions of another dbname, and of replication, on the server of that database. */
  readonly passedThrough: Readonly<Record<string, readonly number[]>>;
}

export function backendsReport({ incomplete, parts }: HeldBackends): BackendsReport {
  const all = parts.flatMap((part) => JSON.parse(part) as BackendSight[]);
  return {
    complete: !incomplete,
    routed: byDatabase(all.filter(({ passedThrough }) => !passedThrough)),
    passedThrough: byDatabase(all.filter(({ passedThrough }) => passedThrough)),
  };
}

function byDatabase(backends: readonly BackendSight[]): Record<string, number[]> {
  const pids: Record<string, number[]> = {};
  for (const { database, pid } of backends) pids[database] = [...(pids[database] ?? []), pid];
  return pids;
}
