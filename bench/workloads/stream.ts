import { runClient } from './child.js';
import type { StreamTask, StreamTimes } from './stream-client.js';
import type { Login } from './wire-client.js';
import type { Outcome, RunSettings, Workload } from './workload.js';

const COPY_ROW = 1000;

/** One client reads a large result as fast as it comes: COPY out, and a SELECT of pgbench's accounts. */
export const STREAM_WORKLOADS: readonly Workload[] = [
  {
    name: 'copy-out',
    unit: 'MB/s',
    counted: 'MB',
    run: async (through, settings) => {
      const rows = Math.round((settings.copyMegabytes * 1e6) / COPY_ROW);
      const sql = `COPY (SELECT repeat('x', ${COPY_ROW}) FROM generate_series(1, ${rows})) TO STDOUT`;
      const { bytes, seconds } = await stream(sql, through, settings);
      return { value: bytes / 1e6 / seconds, units: bytes / 1e6 };
    },
  },
  {
    name: 'select-rows',
    unit: 'rows/s',
    counted: 'row',
    run: async (through, settings): Promise<Outcome> => {
      const { seconds } = await stream(`SELECT * FROM pgbench_accounts LIMIT ${settings.rows}`, through, settings);
      return { value: settings.rows / seconds, units: settings.rows };
    },
  },
];

function stream(sql: string, through: Login, settings: RunSettings): Promise<StreamTimes> {
  const task: StreamTask = { through, sql };
  return runClient<StreamTimes>('./stream-client.js', task, settings.signal);
}
