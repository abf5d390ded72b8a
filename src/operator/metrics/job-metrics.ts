import type { JobService, TableCounts } from '../mirror/job-service.js';
import { gauge, type Metric } from './metric-json.js';

export function jobMetrics({ open, schema }: Pick<JobService, 'open' | 'schema'>): Metric[] {
  return [
    gauge(
      'pgfig_divergences_open',
      'Rows that are proven to differ between the copies and are not repaired.',
      series(open),
    ),
    gauge(
      'pgfig_mirror_schema_problems',
      'Differences of definition that would refuse or change rows, as of the last scheduled look.',
      series(schema),
    ),
  ];
}

const series = (counts: TableCounts): [{ domain: string; table: string }, number][] =>
  counts.map(({ domain, table, count }) => [{ domain, table }, count]);
