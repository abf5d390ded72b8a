import type { Login } from './wire-client.js';

/** What holds for all runs of one benchmark. */
export interface RunSettings {
  /** Absolute path of pgbench. */
  readonly pgbench: string;
  /** Length of a timed run. */
  readonly seconds: number;
  /** pgbench's scale: 100,000 accounts each. */
  readonly scale: number;
  /** Size of the COPY, in megabytes of 1,000,000 bytes. */
  readonly copyMegabytes: number;
  /** Rows of the large SELECT. */
  readonly rows: number;
  /** Aborted when the benchmark is stopped: nothing that a run starts may outlive it. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** In the workload's unit; more is better. */
  readonly value: number;
  /** How many of `counted` were done in the run: CPU time is given per one of them. */
  readonly units: number;
}

/** Something that clients do, as fast as they can, through one target. */
export interface Workload {
  /** Unique, and what --only is compared with: 'select/simple/8'. */
  readonly name: string;
  readonly unit: 'transactions/s' | 'connections/s' | 'MB/s' | 'rows/s';
  readonly counted: 'transaction' | 'connection' | 'MB' | 'row';
  /** @throws Error when a client failed: a number from a run with errors means nothing */
  run(through: Login, settings: RunSettings): Promise<Outcome>;
}
