import type { LatencyOfTarget, Results, Spread, TargetResult, WorkloadResult } from './results.js';

/** bench/results/latest.md: what was measured, as tables. */
export function markdown(results: Results): string {
  return [
    '# Benchmark results',
    '',
    `Taken ${results.takenAt} on ${results.machine.cores} cores (${results.machine.cpu}), ` +
      `${results.machine.memoryMiB} MiB, Linux ${results.machine.kernel}, Node ${results.machine.node}; ` +
      `${results.options.rounds} rounds of ${results.options.seconds} s, pgbench scale ${results.options.scale}. ` +
      'Postgres, the clients and the proxy share the cores. How it is measured: docs/benchmarks.md.',
    '',
    ...targetTable(results),
    ...throughputTables(results),
    ...latencyTables(results),
    ...idleTable(results),
    ...microTable(results),
  ].join('\n');
}

function targetTable(results: Results): string[] {
  const rows = results.targets.map((target) => [
    target.name,
    target.what,
    target.version ?? 'not installed',
    target.problems.length === 0 ? '' : target.problems.join('; '),
  ]);
  return table(['target', 'what', 'version', 'notes'], rows);
}

function throughputTables(results: Results): string[] {
  if (results.throughput.length === 0) return [];
  const names = targetNames(results.throughput);
  const head = ['workload', ...names];
  const cells = (cell: (result: TargetResult, workload: WorkloadResult) => string): string[][] =>
    results.throughput.map((workload) => [
      `${workload.name}`,
      ...names.map((name) => {
        const result = workload.targets[name];
        return result === undefined ? '-' : cell(result, workload);
      }),
    ]);
  return [
    '## Throughput, ratio to PgBouncer',
    '',
    'Median of the rounds (least to greatest); above 1 is faster than PgBouncer.',
    '',
    ...table(
      head,
      cells((result) => ratioCell(result.toPgbouncer)),
    ),
    '## Throughput, ratio to a direct connection',
    '',
    ...table(
      head,
      cells((result) => ratioCell(result.toDirect)),
    ),
    '## Throughput, median',
    '',
    ...table(
      head,
      cells((result, workload) => `${round(result.value.median)} ${workload.unit}`),
    ),
    '## CPU of the proxy, microseconds each',
    '',
    'User and system time of all of its processes, for each transaction, connection, MB or row.',
    '',
    ...table(
      head,
      cells((result) => (result.cpuMicros === null ? '-' : round(result.cpuMicros.median))),
    ),
    '## Peak memory of the proxy, MiB',
    '',
    'Resident memory of all of its processes, summed: pages that they share count more than once.',
    '',
    ...table(
      head,
      cells((result) => (result.peakMiB === null ? '-' : round(result.peakMiB))),
    ),
  ];
}

function latencyTables(results: Results): string[] {
  if (results.latency.length === 0) return [];
  const row = (protocol: string, name: string, at: LatencyOfTarget): string[] => [
    protocol,
    name,
    round(at.p50.median),
    microsCell(at.addedP50),
    round(at.p99.median),
    microsCell(at.addedP99),
  ];
  const rows = results.latency.flatMap(({ protocol, targets }) =>
    Object.entries(targets).map(([name, at]) => row(protocol, name, at)),
  );
  return [
    '## Latency of one client, microseconds',
    '',
    ...table(['protocol', 'target', 'p50', 'p50 added', 'p99', 'p99 added'], rows),
  ];
}

function idleTable(results: Results): string[] {
  const idle = results.idle;
  if (idle === null) return [];
  const rows = Object.entries(idle.targets).map(([name, memory]) => [
    name,
    round(memory.beforeMiB),
    round(memory.withClientsMiB),
    round(memory.withClientsMiB - memory.beforeMiB),
    round(((memory.withClientsMiB - memory.beforeMiB) * 1024) / idle.clients),
  ]);
  return [
    `## Memory of ${idle.clients} idle clients, MiB`,
    '',
    ...table(['target', 'without', 'with', 'more', 'KiB per client'], rows),
  ];
}

function microTable(results: Results): string[] {
  if (results.micro.length === 0) return [];
  const rows = results.micro.map(({ name, nanos }) => [
    name,
    round(nanos.median),
    `${round(nanos.min)} to ${round(nanos.max)}`,
  ]);
  return ['## Single parts, nanoseconds', '', ...table(['part', 'median', 'spread'], rows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

/** Every target that has a result, in the order in which they come up. */
export function targetNames(workloads: readonly WorkloadResult[]): string[] {
  return [...new Set(workloads.flatMap((workload) => Object.keys(workload.targets)))];
}

const ratioCell = (at: Spread | null): string =>
  at === null ? '-' : `${at.median.toFixed(2)} (${at.min.toFixed(2)} to ${at.max.toFixed(2)})`;

const microsCell = (at: Spread | null): string =>
  at === null ? '-' : `${round(at.median)} (${round(at.min)} to ${round(at.max)})`;

/** Three figures are more than a shared machine can keep. */
export function round(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1000) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}
