import { runProgram } from './child.js';
import type { Login } from './wire-client.js';
import type { Outcome, RunSettings, Workload } from './workload.js';

type Protocol = 'simple' | 'extended' | 'prepared';

interface PgbenchRun {
  readonly protocol: Protocol;
  readonly clients: number;
  readonly script: 'select-only' | 'tpcb-like';
  /** -C: a new connection for every transaction. */
  readonly reconnect: boolean;
}

const CLIENTS = [1, 8, 32] as const;

/** `pgbench -S` in all three protocols, TPC-B in two, and connection churn. */
export const PGBENCH_WORKLOADS: readonly Workload[] = [
  ...(['simple', 'extended', 'prepared'] as const).flatMap((protocol) =>
    CLIENTS.map((clients) => workload(`select/${protocol}/${clients}`, { protocol, clients, script: 'select-only' })),
  ),
  ...(['simple', 'prepared'] as const).flatMap((protocol) =>
    CLIENTS.map((clients) => workload(`tpcb/${protocol}/${clients}`, { protocol, clients, script: 'tpcb-like' })),
  ),
  workload('churn/8', { protocol: 'simple', clients: 8, script: 'select-only', reconnect: true }),
];

function workload(name: string, run: Omit<PgbenchRun, 'reconnect'> & { reconnect?: boolean }): Workload {
  const reconnect = run.reconnect ?? false;
  return {
    name,
    unit: reconnect ? 'connections/s' : 'transactions/s',
    counted: reconnect ? 'connection' : 'transaction',
    run: (through, settings) => pgbench({ ...run, reconnect }, through, settings),
  };
}

async function pgbench(run: PgbenchRun, through: Login, settings: RunSettings): Promise<Outcome> {
  const output = await runProgram(settings.pgbench, pgbenchArguments(run, through, settings), settings.signal);
  return readOutput(output);
}

function pgbenchArguments(run: PgbenchRun, through: Login, settings: RunSettings): string[] {
  return [
    ...['-h', through.host, '-p', String(through.port), '-U', through.user],
    ...['-b', run.script, '-M', run.protocol, '-c', String(run.clients), '-j', '1'],
    ...['-T', String(settings.seconds), '-n', ...(run.reconnect ? ['-C'] : [])],
    through.database,
  ];
}

/**
 * pgbench goes on when some of its clients have been aborted, and ends with 2; what it says then is no result.
 * @throws Error when its output has no rate
 */
export function readOutput(output: string): Outcome {
  const rate = /^tps = ([\d.]+)/m.exec(output)?.[1];
  const done = /^number of transactions actually processed: (\d+)/m.exec(output)?.[1];
  if (rate === undefined || done === undefined) throw new Error(`pgbench printed no result: ${output.slice(-600)}`);
  return { value: Number(rate), units: Number(done) };
}
