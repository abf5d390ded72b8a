import type { Results, WorkloadResult } from './results.js';
import { pairwise } from './statistics.js';

/** What pgfig is meant to reach on two cores that Postgres, the clients and the proxy share. */
interface Goal {
  readonly what: string;
  /** Measured value, or null when the run did not measure it. */
  readonly measured: number | null;
  readonly limit: number;
  readonly better: 'higher' | 'lower';
}

/** One line for each goal that this run can tell about. */
export function goalLines(results: Results): string[] {
  return goals(results).flatMap(({ what, measured, limit, better }) => {
    if (measured === null || !Number.isFinite(measured)) return [];
    const met = better === 'higher' ? measured >= limit : measured <= limit;
    const sign = better === 'higher' ? 'at least' : 'at most';
    return [`${met ? 'met    ' : 'NOT MET'} ${what}: ${measured.toFixed(2)} (${sign} ${limit})`];
  });
}

function goals(results: Results): Goal[] {
  const protocols = ['simple', 'extended', 'prepared'] as const;
  const throughput = protocols.flatMap((protocol) =>
    [8, 32].map((clients): Goal => {
      const name = `select/${protocol}/${clients}`;
      return higher(`${name}, ratio to PgBouncer`, ratioToPgbouncer(results, name), 1);
    }),
  );
  const latency = protocols.map((protocol): Goal => {
    const targets = results.latency.find((one) => one.protocol === protocol)?.targets;
    const own = targets?.pgfig?.addedP50?.median;
    const reference = targets?.pgbouncer?.addedP50?.median;
    const ratio = own === undefined || reference === undefined || reference <= 0 ? null : own / reference;
    return lower(`latency/${protocol}, added p50 to what PgBouncer adds`, ratio, 1.5);
  });
  const counting = results.throughput.map(({ name, targets }): Goal => {
    return higher(`${name}, ratio with the matrix to without`, ratioToUncounted(targets), 0.97);
  });
  const idle = results.idle?.targets.pgfig;
  const idleMiB = idle === undefined ? null : idle.withClientsMiB - idle.beforeMiB;
  const scale = results.idle === null ? 1 : 5000 / results.idle.clients;
  return [
    ...throughput,
    ...latency,
    ...counting,
    higher('copy-out, ratio to HAProxy', toHaproxy(results, 'copy-out'), 0.8),
    higher('10,000 statement shapes, ratio to one', toOneShape(results), 0.7),
    lower('memory of 5,000 idle clients, MiB', idleMiB === null ? null : idleMiB * scale, 250),
    lower('route-cache hit of a short statement, microseconds', microsOf(results, 'route/cache-hit'), 2),
  ];
}

const higher = (what: string, measured: number | null, limit: number): Goal => ({
  what,
  measured,
  limit,
  better: 'higher',
});
const lower = (what: string, measured: number | null, limit: number): Goal => ({
  what,
  measured,
  limit,
  better: 'lower',
});

function ratioToPgbouncer(results: Results, workload: string): number | null {
  return results.throughput.find(({ name }) => name === workload)?.targets.pgfig?.toPgbouncer?.median ?? null;
}

/** Round by round, as what the machine does otherwise falls on both. */
function ratioToUncounted(targets: WorkloadResult['targets']): number | null {
  const valuesOf = (target: string): number[] | undefined => targets[target]?.samples.map(({ value }) => value);
  return (
    pairwise(valuesOf('pgfig') ?? [], valuesOf('pgfig-uncounted'), (value, other) => value / other)?.median ?? null
  );
}

function toHaproxy(results: Results, workload: string): number | null {
  const targets = results.throughput.find(({ name }) => name === workload)?.targets;
  const own = targets?.pgfig?.value.median;
  const reference = targets?.haproxy?.value.median;
  return own === undefined || reference === undefined ? null : own / reference;
}

function toOneShape(results: Results): number | null {
  const rate = (workload: string): number | undefined =>
    results.throughput.find(({ name }) => name === workload)?.targets.pgfig?.value.median;
  const [many, one] = [rate('shapes/10000'), rate('shapes/1')];
  return many === undefined || one === undefined ? null : many / one;
}

function microsOf(results: Results, part: string): number | null {
  const nanos = results.micro.find(({ name }) => name === part)?.nanos.median;
  return nanos === undefined ? null : nanos / 1000;
}
