import type { StatementCache } from '../sql/statement-cache.js';
import type { HoldCounter, LatencyHistogram, TrafficCounters } from './counters.js';
import type { TextPlan } from './plan/text-plan.js';
import type { SessionRegistry } from './session-registry.js';

/** `counts` per bucket, the last one above all boundaries; seconds. */
export interface Histogram {
  readonly boundaries: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** Everything that one worker's traffic has counted, as plain numbers. */
export interface TrafficStats {
  readonly sessions: number;
  readonly sessionsByUser: Record<string, number>;
  readonly statements: { database: string; kind: string; domain: string; count: number }[];
  readonly refusals: { reason: string; count: number }[];
  readonly cache: {
    hits: number;
    misses: number;
    uncached: number;
    threaded: number;
    unparsable: number;
    evictions: number;
    entries: number;
    bytes: number;
  };
  readonly bytes: { fromClients: number; toClients: number; fromBackends: number; toBackends: number };
  readonly pauses: { client: number; backend: number };
  readonly authFailures: number;
  readonly proxySeconds: Histogram;
  readonly backendSeconds: { database: string; histogram: Histogram }[];
  /** Commits that waited for the copy of a domain: how that ended, for how long, and how many wait now. */
  readonly holds: {
    domain: string;
    outcomes: Readonly<HoldCounter['outcomes']>;
    seconds: Histogram;
    waiting: number;
  }[];
  readonly links: { database: string; open: number }[];
  readonly opaque: number;
  readonly mirrored: number;
  readonly divergences: { domain: string; reason: string; count: number }[];
  readonly rulesVersion: number;
}

interface Source {
  readonly counters: TrafficCounters;
  readonly rules: { readonly version: number };
}

export function trafficStats(
  source: Source,
  registry: SessionRegistry,
  cache: StatementCache<TextPlan> | null,
): TrafficStats {
  const { counters } = source;
  const links = new Map<string, number>();
  let fromBackends = counters.fromBackends;
  let toBackends = counters.toBackends;
  for (const session of registry.all) {
    for (const link of session.links()) {
      links.set(link.database, (links.get(link.database) ?? 0) + 1);
      fromBackends += link.bytesIn;
      toBackends += link.bytesOut;
    }
  }
  return {
    sessions: registry.size,
    sessionsByUser: Object.fromEntries(registry.byUser),
    statements: counters.statements.map((counter) => ({ ...counter })),
    refusals: [...counters.refusals].map(([reason, count]) => ({ reason, count })),
    cache: {
      ...(cache?.stats ?? { hits: 0, misses: 0, uncached: 0, threaded: 0, unparsable: 0, evictions: 0 }),
      entries: cache?.size ?? 0,
      bytes: cache?.bytes ?? 0,
    },
    bytes: { fromClients: counters.fromClients, toClients: counters.toClients, fromBackends, toBackends },
    pauses: { client: counters.clientPauses, backend: counters.backendPauses },
    authFailures: counters.authFailures,
    proxySeconds: plain(counters.proxySeconds),
    backendSeconds: [...counters.backendSeconds].map(([database, histogram]) => ({
      database,
      histogram: plain(histogram),
    })),
    holds: [...counters.holds].map(([domain, { outcomes, seconds, waiting }]) => ({
      ...{ domain, outcomes: { ...outcomes }, seconds: plain(seconds), waiting },
    })),
    links: [...links].map(([database, open]) => ({ database, open })),
    opaque: counters.opaque,
    mirrored: counters.mirrored,
    divergences: [...counters.divergences].map(([key, count]) => {
      const [domain = '', reason = ''] = key.split('\n');
      return { domain, reason, count };
    }),
    rulesVersion: source.rules.version,
  };
}

const plain = (histogram: LatencyHistogram): Histogram => ({
  boundaries: histogram.boundaries,
  counts: [...histogram.counts],
  sum: histogram.sum,
  count: histogram.count,
});
