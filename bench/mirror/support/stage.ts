import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { DomainRelay } from '../../../src/mirror/relay/domain-relay.js';
import type { RelayEvents } from '../../../src/mirror/relay/relay-events.js';
import type { Pair } from '../../../test/mirror/capture-support.js';
import { type PostgresVersion, startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { closeOnSignals, Scope } from '../../harness/scope.js';
import { option } from './options.js';

/** As in production, but for the size; `--fsync off` takes the disk out of the figures. */
const SETTINGS = {
  fsync: option('fsync', 'on'),
  full_page_writes: 'on',
  autovacuum: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  work_mem: '16MB',
};

/** What the run consists of, for the JSON of `--out FILE`. */
const lines: object[] = [];

/** One result: a line for people, and its values for `--out`. */
export function report(line: string, values: object): void {
  process.stdout.write(`${line}\n`);
  lines.push(values);
}

/** Runs a benchmark: whatever it has started ends with it. */
export async function stage(name: string, work: (scope: Scope) => Promise<void>): Promise<void> {
  const scope = new Scope();
  closeOnSignals(scope);
  const began = { at: new Date().toISOString(), cpus: cpus().length, load: loadavg()[0] };
  process.stdout.write(`${name}: fsync ${SETTINGS.fsync}, ${began.cpus} cores, load ${began.load?.toFixed(1)}\n`);
  try {
    await work(scope);
    const out = option('out', '');
    const run = { name, ...began, loadAfter: loadavg()[0], options: process.argv.slice(2), results: lines };
    if (out !== '') writeFileSync(out, `${JSON.stringify(run, null, 2)}\n`);
  } finally {
    await scope.close();
  }
}

/** A server of the benchmark's own: PostgreSQL 15 for sources, 18 for targets. `--log-plans 100`: of slower statements. */
export async function openServer(scope: Scope, version: PostgresVersion): Promise<TestPostgres> {
  const slower = option('log-plans', '');
  const plans: Record<string, string> =
    slower === ''
      ? {}
      : {
          session_preload_libraries: 'auto_explain',
          'auto_explain.log_min_duration': slower,
          'auto_explain.log_analyze': 'on',
          'auto_explain.log_buffers': 'on',
        };
  const server = await startPostgres({ version, settings: { ...SETTINGS, ...plans } });
  scope.defer(() => server.remove());
  if (slower !== '') process.stdout.write(`PostgreSQL ${version}: ${server.dataFolder}\n`);
  return server;
}

/** Tables count as copied: the benchmark has filled both sides alike. */
export async function inStep({ target, to }: Pair): Promise<void> {
  await target.query("UPDATE pgfig.relay_tables SET state = 'in-step'", to);
}

/** Starts the relay of a pair in this process, and waits until it leads. */
export async function leadingRelay(pair: Pair, onTurn: RelayEvents['onTurn'] = () => {}): Promise<DomainRelay> {
  const relay = new DomainRelay(pair.config, pair.mirror, {
    onRole: () => {},
    onTurn,
    onStalled: (_, table, reason) => console.error(`stalled: ${table}: ${reason}`),
    onGoesOn: () => {},
    onError: (_, error) => console.error(`relay: ${error.message}`),
  });
  await until(() => relay.leader !== null, 'the relay leads');
  return relay;
}

/** All that waits has been applied. @throws Error where a table is stalled, or the relay has failed */
export async function drained(relay: DomainRelay): Promise<void> {
  for (let tries = 0; ; tries++) {
    const outcome = (await relay.turnAfterNow()) ?? 'failed';
    if (outcome === 'applied') return;
    if (outcome === 'stalled' || tries > 20) throw new Error(`the relay: ${outcome}, ${relay.status.error}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** @throws Error after a minute */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** `1234 (1200 to 1300)` */
export function spreadText(values: readonly number[], digits = 0): string {
  const sorted = values.toSorted((a, b) => a - b);
  const text = (value: number | undefined): string => (value ?? Number.NaN).toFixed(digits);
  return `${text(median(values))} (${text(sorted[0])} to ${text(sorted.at(-1))})`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}
