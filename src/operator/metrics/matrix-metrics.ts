import type { MatrixKeeper } from '../matrix/matrix-keeper.js';
import { counter, gauge, type Metric } from './metric-json.js';

export function matrixMetrics(matrix: Pick<MatrixKeeper, 'pending' | 'dropped' | 'error' | 'flushedAt'>): Metric[] {
  return [
    gauge('pgfig_matrix_pending', 'Cells and pairs of the matrix that are not stored yet.', matrix.pending),
    gauge(
      'pgfig_matrix_broken',
      '1 while the control database does not take the matrix.',
      matrix.error === null ? 0 : 1,
    ),
    gauge(
      'pgfig_matrix_flushed_timestamp_seconds',
      'When the matrix was last stored; 0: not yet.',
      (matrix.flushedAt?.getTime() ?? 0) / 1_000,
    ),
    counter('pgfig_matrix_dropped_total', 'Cells and pairs that there was no room for in memory.', matrix.dropped),
  ];
}
