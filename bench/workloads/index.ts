import { PGBENCH_WORKLOADS } from './pgbench.js';
import { SHAPE_WORKLOADS } from './shapes.js';
import { STREAM_WORKLOADS } from './stream.js';
import type { Workload } from './workload.js';

/** In the order of the report. */
export const WORKLOADS: readonly Workload[] = [...PGBENCH_WORKLOADS, ...SHAPE_WORKLOADS, ...STREAM_WORKLOADS];
