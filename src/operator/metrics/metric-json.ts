/**
 * Metrics as plain values in the shape of prom-client's `getMetricsAsJSON`, so that they can cross a
 * pipe, be added up by its AggregatorRegistry and be written out by it. They are built from the
 * traffic's counters only when somebody scrapes: nothing on the statements' path knows of them.
 */
export type Labels = Readonly<Record<string, string | number>>;

export interface MetricValue {
  readonly value: number;
  readonly labels: Labels;
  /** Histograms: name_bucket, name_sum or name_count. */
  readonly metricName?: string;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** How prom-client adds up the same series of several processes. */
  readonly aggregator: 'sum' | 'max';
  readonly values: readonly MetricValue[];
}

/** `counts` per bucket, not cumulative; the last one is +Inf. `sum` in the unit of the boundaries. */
export interface Histogram {
  readonly boundaries: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

export type Series = readonly (readonly [Labels, number])[];

const values = (series: Series | number): MetricValue[] =>
  typeof series === 'number' ? [{ value: series, labels: {} }] : series.map(([labels, value]) => ({ value, labels }));

export function counter(name: string, help: string, series: Series | number): Metric {
  return { name, help, type: 'counter', aggregator: 'sum', values: values(series) };
}

export function gauge(name: string, help: string, series: Series | number, aggregator: 'sum' | 'max' = 'sum'): Metric {
  return { name, help, type: 'gauge', aggregator, values: values(series) };
}

/** Turns counts per bucket into the cumulative ones of the exposition format. */
export function histogram(name: string, help: string, series: readonly (readonly [Labels, Histogram])[]): Metric {
  const out: MetricValue[] = [];
  for (const [labels, data] of series) {
    let cumulative = 0;
    data.boundaries.forEach((le, index) => {
      cumulative += data.counts[index] ?? 0;
      out.push({ value: cumulative, labels: { le, ...labels }, metricName: `${name}_bucket` });
    });
    out.push({ value: data.count, labels: { le: '+Inf', ...labels }, metricName: `${name}_bucket` });
    out.push({ value: data.sum, labels, metricName: `${name}_sum` });
    out.push({ value: data.count, labels, metricName: `${name}_count` });
  }
  return { name, help, type: 'histogram', aggregator: 'sum', values: out };
}
