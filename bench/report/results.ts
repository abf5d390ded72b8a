/** The shape of bench/results/latest.json and baseline.json. */

/** One run of one workload on one target. */
export interface Sample {
  /** In the workload's unit; more is better. */
  readonly value: number;
  readonly units: number;
  /** CPU time of the proxy's processes during the run, in seconds; null for `direct`. */
  readonly cpu: { readonly user: number; readonly system: number } | null;
  readonly peakBytes: number | null;
}

/** Median with the least and the greatest of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface TargetResult {
  readonly samples: readonly Sample[];
  readonly value: Spread;
  /** Of each round's value to the same round's of `direct`; null without it. */
  readonly toDirect: Spread | null;
  readonly toPgbouncer: Spread | null;
  /** CPU of the proxy per one of what the workload counts, microseconds. */
  readonly cpuMicros: Spread | null;
  readonly peakMiB: number | null;
}

export interface WorkloadResult {
  readonly name: string;
  readonly unit: string;
  readonly counted: string;
  readonly targets: Readonly<Record<string, TargetResult>>;
}

/** Microseconds that one client waits for a statement. */
export interface LatencyResult {
  readonly protocol: string;
  readonly targets: Readonly<Record<string, LatencyOfTarget>>;
}

export interface LatencyOfTarget {
  readonly p50: Spread;
  readonly p99: Spread;
  /** More than `direct` in the same round; null for `direct` and without it. */
  readonly addedP50: Spread | null;
  readonly addedP99: Spread | null;
}

export interface IdleResult {
  readonly clients: number;
  readonly targets: Readonly<Record<string, { readonly beforeMiB: number; readonly withClientsMiB: number }>>;
}

export interface MicroResult {
  readonly name: string;
  /** Nanoseconds of one operation. */
  readonly nanos: Spread;
}

export interface TargetInfo {
  readonly name: string;
  readonly what: string;
  readonly version: string | null;
  /** Why it was not measured, or not everywhere. */
  readonly problems: readonly string[];
}

export interface Results {
  readonly takenAt: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryMiB: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly options: { readonly rounds: number; readonly seconds: number; readonly scale: number };
  readonly targets: readonly TargetInfo[];
  readonly throughput: readonly WorkloadResult[];
  readonly latency: readonly LatencyResult[];
  readonly idle: IdleResult | null;
  readonly micro: readonly MicroResult[];
}
