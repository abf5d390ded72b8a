import { sumMetrics } from './aggregate.js';
import type { Metric } from './metric-json.js';

/**
 * The last metrics of each worker, and the totals of those that are gone. It lives in the primary, so
 * that no counter goes backwards when a worker is replaced or does not answer a scrape in time, nor
 * when the control process is.
 */
export class MetricsLedger {
  readonly #last = new Map<number, string>();
  #departed: Promise<string | null> = Promise.resolve(null);

  /** `metrics`: JSON text of a Metric[]. */
  report(slot: number, metrics: string): void {
    this.#last.set(slot, metrics);
  }

  /** The worker at `slot` is gone: its counters and histograms stay, its gauges go. */
  retire(slot: number): void {
    const last = this.#last.get(slot);
    if (last === undefined) return;
    this.#last.delete(slot);
    this.#departed = this.#departed.then(async (before) => {
      const parts: Metric[][] = before === null ? [] : [JSON.parse(before)];
      const metrics: Metric[] = JSON.parse(last);
      parts.push(metrics.filter((metric) => metric.type !== 'gauge'));
      return JSON.stringify(await sumMetrics(parts));
    });
  }

  /** JSON texts of Metric[]s whose sum is the state of the whole pool. */
  async parts(): Promise<string[]> {
    const departed = await this.#departed;
    return departed === null ? [...this.#last.values()] : [departed, ...this.#last.values()];
  }
}
