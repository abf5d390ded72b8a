import { AggregatorRegistry } from 'prom-client';
import type { Metric } from './metric-json.js';

/** Adds up the metrics of several processes, series by series. */
export async function sumMetrics(parts: readonly (readonly Metric[])[]): Promise<Metric[]> {
  const registry = AggregatorRegistry.aggregate(parts as object[][] as object[]);
  return (await registry.getMetricsAsJSON()) as unknown as Metric[];
}

/** The text that Prometheus reads (exposition format 0.0.4). */
export async function metricsText(parts: readonly (readonly Metric[])[]): Promise<string> {
  return AggregatorRegistry.aggregate(parts as object[][] as object[]).metrics();
}

export const METRICS_CONTENT_TYPE = AggregatorRegistry.PROMETHEUS_CONTENT_TYPE;
