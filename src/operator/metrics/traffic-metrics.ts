import type { TrafficStats } from '../../session/worker-traffic.js';
import { counter, gauge, histogram, type Metric } from './metric-json.js';

/** One worker's traffic counters as metrics; docs/metrics.md describes each. */
export function trafficMetrics(stats: TrafficStats, worker: number): Metric[] {
  const { cache, bytes, pauses } = stats;
  return [
    gauge('pgfig_sessions', 'Client sessions that are open.', stats.sessions),
    counter(
      'pgfig_statements_total',
      'Statements routed, by database, kind of statement and domain of the first routed table.',
      stats.statements.map((s) => [{ database: s.database, kind: s.kind, domain: s.domain }, s.count]),
    ),
    counter(
      'pgfig_refusals_total',
      'Statements and clients that pgfig itself refused, by reason (code of the error table).',
      stats.refusals.map((r) => [{ reason: r.reason }, r.count]),
    ),
    counter('pgfig_opaque_statements_total', 'Statements that could not be seen through.', stats.opaque),
    counter(
      'pgfig_statement_mirror_statements_total',
      'Statements that were run on a new database too (capture: statement).',
      stats.mirrored,
    ),
    counter(
      'pgfig_statement_mirror_divergences_total',
      'Statements whose change the copy lacks (capture: statement), by domain and reason.',
      stats.divergences.map((d) => [{ domain: d.domain, reason: d.reason }, d.count]),
    ),
    counter('pgfig_auth_failures_total', 'Clients that failed to authenticate.', stats.authFailures),
    histogram('pgfig_proxy_seconds', "pgfig's own time for a statement, until it is handed to a backend.", [
      [{}, stats.proxySeconds],
    ]),
    histogram(
      'pgfig_backend_seconds',
      'Time from a statement sent to a backend until its first answer, by database.',
      stats.backendSeconds.map((b) => [{ database: b.database }, b.histogram]),
    ),
    gauge(
      'pgfig_backend_links',
      'Connections to backends that are open, by database.',
      stats.links.map((l) => [{ database: l.database }, l.open]),
    ),
    counter('pgfig_statement_cache_total', 'Look-ups in the cache of parsed statements, by result.', [
      [{ result: 'hit' }, cache.hits],
      [{ result: 'miss' }, cache.misses],
      [{ result: 'uncached' }, cache.uncached],
      [{ result: 'threaded' }, cache.threaded],
      [{ result: 'unparsable' }, cache.unparsable],
    ]),
    counter('pgfig_statement_cache_evictions_total', 'Entries that the cache gave up for newer ones.', cache.evictions),
    gauge('pgfig_statement_cache_entries', 'Entries in the caches of all workers.', cache.entries),
    gauge('pgfig_statement_cache_bytes', 'Size of the caches of all workers, estimated.', cache.bytes),
    counter('pgfig_network_bytes_total', 'Bytes received and sent, by peer.', [
      [{ peer: 'client', direction: 'received' }, bytes.fromClients],
      [{ peer: 'client', direction: 'sent' }, bytes.toClients],
      [{ peer: 'backend', direction: 'received' }, bytes.fromBackends],
      [{ peer: 'backend', direction: 'sent' }, bytes.toBackends],
    ]),
    counter('pgfig_backpressure_pauses_total', 'Times that reading stopped because the named peer was slow to read.', [
      [{ peer: 'client' }, pauses.client],
      [{ peer: 'backend' }, pauses.backend],
    ]),
    ...holdMetrics(stats.holds),
    gauge('pgfig_worker_rules_version', 'Version of the rules that a worker routes by.', [
      [{ worker: `${worker}` }, stats.rulesVersion],
    ]),
  ];
}

/** Commits that waited for the copies of mirrored domains (apply: sync). */
function holdMetrics(holds: TrafficStats['holds']): Metric[] {
  return [
    counter(
      'pgfig_apply_sync_total',
      'Commits held until the copy of a domain had them, by domain and by how the wait ended.',
      holds.flatMap(({ domain, outcomes }) =>
        Object.entries(outcomes).map(([outcome, count]) => [{ domain, outcome }, count] as const),
      ),
    ),
    histogram(
      'pgfig_apply_sync_seconds',
      'Time that commits were held, by domain.',
      holds.map(({ domain, seconds }) => [{ domain }, seconds]),
    ),
    gauge(
      'pgfig_apply_sync_waiting',
      'Commits that are held now, by domain.',
      holds.map(({ domain, waiting }) => [{ domain }, waiting]),
    ),
  ];
}
