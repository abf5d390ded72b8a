import { readFileSync } from 'node:fs';
import { Kafka } from 'kafkajs';
import { pino } from 'pino';
import t from 'tap';
import { AccessLog } from '../../src/operator/access-log/access-log.js';
import { MatrixTopic } from '../../src/operator/matrix/matrix-topic.js';
import { metricsText, sumMetrics } from '../../src/operator/metrics/aggregate.js';
import { controlMetrics } from '../../src/operator/metrics/control-metrics.js';
import { eventMetrics } from '../../src/operator/metrics/event-metrics.js';
import { jobMetrics } from '../../src/operator/metrics/job-metrics.js';
import { MetricsLedger } from '../../src/operator/metrics/ledger.js';
import { matrixMetrics } from '../../src/operator/metrics/matrix-metrics.js';
import { counter, gauge, histogram, type Metric } from '../../src/operator/metrics/metric-json.js';
import { mirrorMetrics, outboxMetrics } from '../../src/operator/metrics/mirror-metrics.js';
import { ProcessMetrics } from '../../src/operator/metrics/process-metrics.js';
import { trafficMetrics } from '../../src/operator/metrics/traffic-metrics.js';
import { RelayTallies } from '../../src/operator/mirror/relay-tallies.js';
import type { TrafficStats } from '../../src/session/worker-traffic.js';

const stats = (factor: number): TrafficStats => ({
  sessions: factor,
  sessionsByUser: { ann: factor },
  statements: [
    { database: 'monolith', kind: 'select', domain: '', count: 10 * factor },
    { database: 'orders_db', kind: 'insert', domain: 'orders', count: factor },
  ],
  refusals: [{ reason: 'NO_COMMON_HOME', count: factor }],
  cache: {
    hits: factor,
    misses: 2 * factor,
    uncached: 0,
    threaded: 0,
    unparsable: 0,
    evictions: 0,
    entries: 5,
    bytes: 1000,
  },
  bytes: { fromClients: factor, toClients: 2 * factor, fromBackends: 3 * factor, toBackends: 4 * factor },
  pauses: { client: factor, backend: 0 },
  authFailures: factor,
  proxySeconds: { boundaries: [0.001, 0.01], counts: [2 * factor, factor, factor], sum: factor, count: 4 * factor },
  backendSeconds: [
    { database: 'monolith', histogram: { boundaries: [0.001], counts: [factor, 0], sum: factor, count: factor } },
  ],
  holds: [
    {
      domain: 'orders',
      outcomes: { applied: 3 * factor, stalled: 0, failed: factor, timeout: 2 * factor, canceled: 0 },
      seconds: { boundaries: [0.001], counts: [factor, 5 * factor], sum: factor, count: 6 * factor },
      waiting: factor,
    },
  ],
  links: [{ database: 'monolith', open: factor }],
  opaque: factor,
  mirrored: factor,
  divergences: [{ domain: 'orders', reason: 'timeout', count: factor }],
  rulesVersion: 7,
});

const value = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

t.test('the workers add up, series by series', async (t) => {
  const text = await metricsText([trafficMetrics(stats(1), 1), trafficMetrics(stats(2), 2)]);
  t.equal(value(text, 'pgfig_sessions'), 3);
  t.equal(value(text, 'pgfig_statements_total{database="monolith",kind="select",domain=""}'), 30);
  t.equal(value(text, 'pgfig_statements_total{database="orders_db",kind="insert",domain="orders"}'), 3);
  t.equal(value(text, 'pgfig_refusals_total{reason="NO_COMMON_HOME"}'), 3);
  t.equal(value(text, 'pgfig_network_bytes_total{peer="backend",direction="sent"}'), 12);
  t.equal(value(text, 'pgfig_apply_sync_total{domain="orders",outcome="timeout"}'), 6);
  t.equal(value(text, 'pgfig_apply_sync_seconds_count{domain="orders"}'), 18);
  t.equal(value(text, 'pgfig_apply_sync_waiting{domain="orders"}'), 3);
  t.equal(value(text, 'pgfig_worker_rules_version{worker="2"}'), 7, 'not added up');
  t.match(text, /# HELP pgfig_sessions \w+/);
  t.match(text, /# TYPE pgfig_statements_total counter/);
});

t.test('histograms are cumulative and end with +Inf', async (t) => {
  const text = await metricsText([trafficMetrics(stats(1), 1), trafficMetrics(stats(1), 2)]);
  t.equal(value(text, 'pgfig_proxy_seconds_bucket{le="0.001"}'), 4);
  t.equal(value(text, 'pgfig_proxy_seconds_bucket{le="0.01"}'), 6);
  t.equal(value(text, 'pgfig_proxy_seconds_bucket{le="+Inf"}'), 8);
  t.equal(value(text, 'pgfig_proxy_seconds_count'), 8);
  t.equal(value(text, 'pgfig_proxy_seconds_sum'), 2);
  t.equal(value(text, 'pgfig_backend_seconds_bucket{le="+Inf",database="monolith"}'), 2);
});

t.test('a worker that is gone leaves its counters and takes its gauges along', async (t) => {
  const ledger = new MetricsLedger();
  const total = async (): Promise<string> => metricsText((await ledger.parts()).map((part) => JSON.parse(part)));
  const report = (slot: number, factor: number) =>
    ledger.report(slot, JSON.stringify(trafficMetrics(stats(factor), slot)));
  const series = 'pgfig_statements_total{database="monolith",kind="select",domain=""}';
  report(1, 3);
  report(2, 1);
  report(1, 4);
  t.equal(value(await total(), series), 50, 'a later report takes the place of the earlier');
  ledger.retire(1);
  ledger.retire(1);
  t.equal(value(await total(), series), 50);
  t.equal(value(await total(), 'pgfig_proxy_seconds_count'), 20);
  t.equal(value(await total(), 'pgfig_sessions'), 1);
  report(1, 1);
  t.equal(value(await total(), series), 60, 'its replacement counts on top');
  ledger.retire(1);
  ledger.retire(2);
  t.equal(value(await total(), series), 60);
  t.equal(value(await total(), 'pgfig_sessions'), undefined);
});

t.test('adding up keeps what each metric is', async (t) => {
  const parts: Metric[][] = [
    [counter('c_total', 'c', 1), gauge('g', 'g', 2, 'max')],
    [counter('c_total', 'c', 2), gauge('g', 'g', 5, 'max')],
  ];
  const [c, g] = await sumMetrics([await sumMetrics(parts), parts[0] ?? []]);
  t.match(c, { type: 'counter', values: [{ value: 4 }] });
  t.match(g, { type: 'gauge', values: [{ value: 5 }] });
});

t.test('a histogram without observations has all its buckets', async (t) => {
  const none = { boundaries: [1], counts: [0, 0], sum: 0, count: 0 };
  t.equal(histogram('h', 'h', [[{}, none]]).values.length, 4);
});

t.test('docs/metrics.md describes every metric, and no other', async (t) => {
  const process = new ProcessMetrics('worker-1');
  const rules = { current: { version: 1, loadedAt: new Date() }, error: null, errors: 0, pending: [] };
  const all = [
    ...trafficMetrics(stats(1), 1),
    ...process.collect(),
    ...controlMetrics(rules as never, { sights: new Map() }, new Map()),
    ...new AccessLog({ sample: 100, services: {} }, 1, []).metrics(),
    ...matrixMetrics({ pending: 0, dropped: 0, error: null, flushedAt: null }),
    ...eventMetrics([]),
    ...jobMetrics({ open: [], schema: [] }),
    ...mirrorMetrics({ all: [], tallies: new RelayTallies() }),
    ...outboxMetrics(null),
    ...new MatrixTopic(new Kafka({ brokers: ['127.0.0.1:1'] }), 't', pino()).metrics(),
  ].map((metric) => metric.name);
  process.stop();
  const source = ['worker-pool', 'control-child'].map((name) =>
    readFileSync(new URL(`../../../src/operator/processes/${name}.ts`, import.meta.url), 'utf8'),
  );
  const supervised = [...source.join('').matchAll(/'(pgfig_\w+)'/g)].map(([, name]) => String(name));
  const docs = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const described = [...docs.matchAll(/^\| `(pgfig_\w+)`/gm)].map(([, name]) => String(name));
  t.strictSame(described.toSorted(), [...all, ...supervised].toSorted());
});
