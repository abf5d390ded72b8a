import type { LatencyTimes } from '../workloads/latency-client.js';
import type { Workload } from '../workloads/workload.js';
import type { LatencyOfTarget, LatencyResult, Sample, TargetResult, WorkloadResult } from './results.js';
import { pairwise, quantile, spread } from './statistics.js';

const MIB = 1024 * 1024;
const ratio = (value: number, reference: number): number => value / reference;
const difference = (value: number, reference: number): number => value - reference;

export function summariseWorkload(workload: Workload, taken: ReadonlyMap<string, readonly Sample[]>): WorkloadResult {
  const valuesOf = (target: string): number[] | undefined => taken.get(target)?.map((sample) => sample.value);
  const direct = valuesOf('direct');
  const pgbouncer = valuesOf('pgbouncer');
  const targets: Record<string, TargetResult> = {};
  for (const [name, samples] of taken) {
    const values = samples.map((sample) => sample.value);
    if (values.length === 0) continue;
    targets[name] = {
      samples,
      value: spread(values),
      toDirect: pairwise(values, direct, ratio),
      toPgbouncer: pairwise(values, pgbouncer, ratio),
      cpuMicros: cpuPerUnit(samples),
      peakMiB: peak(samples),
    };
  }
  return { name: workload.name, unit: workload.unit, counted: workload.counted, targets };
}

function cpuPerUnit(samples: readonly Sample[]): TargetResult['cpuMicros'] {
  const micros = samples.flatMap(({ cpu, units }) =>
    cpu === null || units === 0 ? [] : [((cpu.user + cpu.system) * 1e6) / units],
  );
  return micros.length === 0 ? null : spread(micros);
}

function peak(samples: readonly Sample[]): number | null {
  const bytes = samples.flatMap(({ peakBytes }) => (peakBytes === null ? [] : [peakBytes]));
  return bytes.length === 0 ? null : Math.max(...bytes) / MIB;
}

/** @param rounds of one protocol; what a target adds is taken within each round */
export function summariseLatency(protocol: string, rounds: readonly LatencyTimes[]): LatencyResult {
  const names = Object.keys(rounds[0] ?? {});
  const at = (name: string, q: number): number[] => rounds.map((times) => quantile(times[name] ?? [], q));
  const direct = names.includes('direct') ? { p50: at('direct', 0.5), p99: at('direct', 0.99) } : undefined;
  const targets: Record<string, LatencyOfTarget> = {};
  for (const name of names) {
    const p50 = at(name, 0.5);
    const p99 = at(name, 0.99);
    const self = name === 'direct';
    targets[name] = {
      p50: spread(p50),
      p99: spread(p99),
      addedP50: self ? null : pairwise(p50, direct?.p50, difference),
      addedP99: self ? null : pairwise(p99, direct?.p99, difference),
    };
  }
  return { protocol, targets };
}
