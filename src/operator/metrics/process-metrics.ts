import { monitorEventLoopDelay } from 'node:perf_hooks';
import { counter, gauge, type Metric } from './metric-json.js';

const RESOLUTION_MS = 20;

/** Process metrics of one of pgfig's own processes ('primary', 'control', 'worker-1'). */
export class ProcessMetrics {
  readonly #process: string;
  /** The histogram holds the time between its ticks, so the resolution is taken off what it shows. */
  readonly #lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor(process: string) {
    this.#process = process;
    this.#lag.enable();
  }

  /** Reads the values and begins the next window of the event loop lag. */
  collect(): Metric[] {
    const label = { process: this.#process };
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    const lag = (ns: number): number => Math.max(0, ns / 1e9 - RESOLUTION_MS / 1e3) || 0;
    const metrics = [
      counter('pgfig_process_cpu_seconds_total', 'CPU time of each of the processes.', [
        [{ ...label, mode: 'user' }, cpu.user / 1e6],
        [{ ...label, mode: 'system' }, cpu.system / 1e6],
      ]),
      gauge('pgfig_process_resident_memory_bytes', 'Resident memory.', [[label, memory.rss]]),
      gauge('pgfig_process_heap_used_bytes', 'JavaScript heap in use.', [[label, memory.heapUsed]]),
      gauge('pgfig_process_external_memory_bytes', 'Buffers outside the JavaScript heap.', [[label, memory.external]]),
      gauge('pgfig_process_uptime_seconds', 'Age of the process.', [[label, process.uptime()]]),
      gauge('pgfig_event_loop_lag_seconds', 'Delay of the event loop since the last scrape.', [
        [{ ...label, quantile: '0.5' }, lag(this.#lag.percentile(50))],
        [{ ...label, quantile: '0.99' }, lag(this.#lag.percentile(99))],
        [{ ...label, quantile: '1' }, lag(this.#lag.max)],
      ]),
    ];
    this.#lag.reset();
    return metrics;
  }

  stop(): void {
    this.#lag.disable();
  }
}
