import t from 'tap';
import { readOptions, wanted } from '../../bench/harness/options.js';
import { cpuTime, processTree, residentBytes } from '../../bench/harness/process-tree.js';
import { changes } from '../../bench/report/baseline.js';
import { goalLines } from '../../bench/report/goals.js';
import { markdown } from '../../bench/report/markdown.js';
import type { Results, Sample } from '../../bench/report/results.js';
import { pairwise, quantile, spread } from '../../bench/report/statistics.js';
import { summariseLatency, summariseWorkload } from '../../bench/report/summarise.js';
import { WORKLOADS } from '../../bench/workloads/index.js';
import { readOutput } from '../../bench/workloads/pgbench.js';

t.test('quantiles and spreads', (t) => {
  t.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  t.equal(quantile([5], 0.99), 5);
  t.equal(quantile([0, 100], 0.99), 99);
  t.same(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
  t.end();
});

t.test('ratios are taken within a round, so that drift cancels', (t) => {
  const ratio = pairwise([50, 500], [100, 1000], (value, reference) => value / reference);
  t.same(ratio, { median: 0.5, min: 0.5, max: 0.5 });
  t.equal(
    pairwise([1], undefined, () => 1),
    null,
  );
  t.end();
});

t.test('a workload is summed up by target', (t) => {
  const result = summariseWorkload(first(), rates({ pgbouncer: [100, 200], pgfig: [90, 220] }));
  t.same(result.targets.pgfig?.toPgbouncer, { median: 1, min: 0.9, max: 1.1 });
  t.equal(result.targets.pgfig?.toDirect, null, 'there was no direct run');
  t.equal(Math.round(result.targets.pgfig?.cpuMicros?.median ?? 0), 3000, '0.3 s for 100 units');
  t.equal(result.targets.pgfig?.peakMiB, 2);
  t.end();
});

t.test('added latency is taken within a round', (t) => {
  const result = summariseLatency('simple', [
    { direct: [100, 100], pgfig: [130, 130] },
    { direct: [200, 200], pgfig: [240, 240] },
  ]);
  t.same(result.targets.pgfig?.addedP50, { median: 35, min: 30, max: 40 });
  t.equal(result.targets.direct?.addedP50, null);
  t.end();
});

t.test('a change is one only when the spreads do not touch', (t) => {
  const before = results({ pgbouncer: [100, 100], pgfig: [90, 100] });
  const noise = changes(results({ pgbouncer: [100, 100], pgfig: [95, 105] }), before);
  t.match(noise, [/ratio to PgBouncer: 1\.00, baseline 0\.95 \(\+5 %, within the spread\)/]);
  t.match(changes(results({ pgbouncer: [100, 100], pgfig: [120, 130] }), before), [/BETTER/]);
  t.match(changes(results({ pgbouncer: [100, 100], pgfig: [50, 60] }), before), [/WORSE/]);
  t.end();
});

t.test('goals are told only where they were measured', (t) => {
  t.same(goalLines(results({ pgbouncer: [100], pgfig: [101] })), [
    'met     select/simple/8, ratio to PgBouncer: 1.01 (at least 1)',
  ]);
  t.match(goalLines(results({ pgbouncer: [100], pgfig: [99] })), [/^NOT MET/]);
  t.match(markdown(results({ pgbouncer: [100], pgfig: [99] })), /\| select\/simple\/8 \| 1\.00 .* \| 0\.99 /);
  t.end();
});

t.test('what pgbench prints', (t) => {
  const output =
    'number of transactions actually processed: 1234/5678\ntps = 617.5 (without initial connection time)\n';
  t.same(readOutput(output), { value: 617.5, units: 1234 });
  t.throws(() => readOutput('pgbench: error: connection failed'), /printed no result: pgbench: error/);
  t.end();
});

t.test('the command line', (t) => {
  const options = readOptions(['--smoke', '--targets', 'direct,pgfig', '--idle']);
  t.match(options, { rounds: 1, seconds: 1, targets: ['direct', 'pgfig'], idleClients: 5000 });
  t.match(readOptions(['--idle', '70', '--only', 'tpcb', '--rounds', '9']), {
    idleClients: 70,
    rounds: 9,
    only: ['tpcb'],
  });
  t.equal(readOptions(['--help']), null);
  t.throws(() => readOptions(['--targets', 'odyssey']), /unknown target odyssey/);
  t.throws(() => readOptions(['--rounds', 'many']), /--rounds must be a whole number above 0, not 'many'/);
  t.throws(() => readOptions(['--fast']), /Unknown option '--fast'/);
  const names = WORKLOADS.map(({ name }) => name).filter((name) =>
    wanted({ ...must(options), only: ['tpcb/simple'] }, name),
  );
  t.same(names, ['tpcb/simple/1', 'tpcb/simple/8', 'tpcb/simple/32']);
  t.end();
});

t.test('the process tree', { skip: process.platform !== 'linux' }, (t) => {
  t.equal(processTree(process.pid)[0], process.pid);
  t.ok(residentBytes(process.pid) > 10 * 1024 * 1024);
  const { user, system } = cpuTime(process.pid);
  t.ok(user + system > 0);
  t.same(processTree(2 ** 22 + 1), [], 'a process that is gone');
  t.end();
});

function first() {
  return must(WORKLOADS.find(({ name }) => name === 'select/simple/8'));
}

function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('missing');
  return value;
}

function rates(values: Readonly<Record<string, readonly number[]>>): Map<string, Sample[]> {
  const sample = (value: number): Sample => ({
    value,
    units: 100,
    cpu: { user: 0.1, system: 0.2 },
    peakBytes: 2 * 1024 * 1024,
  });
  return new Map(Object.entries(values).map(([name, of]) => [name, of.map(sample)]));
}

function results(values: Readonly<Record<string, readonly number[]>>): Results {
  return {
    takenAt: '2026-01-01T00:00:00.000Z',
    machine: { cpu: 'any', cores: 2, memoryMiB: 1024, kernel: '6', node: 'v20' },
    options: { rounds: 1, seconds: 1, scale: 1 },
    targets: Object.keys(values).map((name) => ({ name, what: name, version: '1', problems: [] })),
    throughput: [summariseWorkload(first(), rates(values))],
    latency: [],
    idle: null,
    micro: [],
  };
}
