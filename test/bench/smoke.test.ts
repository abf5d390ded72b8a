import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { findProgram } from '../../bench/harness/programs.js';
import type { Results } from '../../bench/report/results.js';
import { leftRunning, runBench } from './run-bench.js';

const CPU_IS_COUNTED = process.platform === 'linux';
const WORKLOADS = ['select/simple/8', 'select/prepared/1', 'churn/8', 'copy-out', 'select-rows'];

t.test('a smoke run measures every target that is installed, and leaves nothing behind', async (t) => {
  const pgbouncer = (await findProgram('pgbouncer')) !== null;
  const targets = ['direct', ...(pgbouncer ? ['pgbouncer'] : []), 'pgfig'];
  const out = t.testdir({});
  const ran = await runBench(['--smoke', '--targets', 'direct,pgbouncer,pgfig', '--out', out, '--save-baseline']);
  t.teardown(() => rm(ran.folder, { recursive: true, force: true }));
  if (!t.equal(ran.code, 0, 'it succeeds')) t.comment(ran.output);

  const results = JSON.parse(readFileSync(path.join(out, 'latest.json'), 'utf8')) as Results;
  t.same(
    results.throughput.map(({ name }) => name),
    WORKLOADS,
  );
  for (const workload of results.throughput) {
    t.same(Object.keys(workload.targets), targets, `${workload.name}: a result for each target`);
    for (const [name, result] of Object.entries(workload.targets)) {
      t.ok(result.value.median > 0, `${workload.name}: ${name} did something`);
      t.equal(result.cpuMicros === null, name === 'direct', `${workload.name}: CPU of ${name}`);
      if (CPU_IS_COUNTED && name !== 'direct') t.ok((result.peakMiB ?? 0) > 1, `${workload.name}: memory of ${name}`);
    }
  }
  t.same(
    results.latency.map(({ protocol }) => protocol),
    ['simple', 'extended', 'prepared'],
  );
  for (const { protocol, targets: measured } of results.latency) {
    t.same(Object.keys(measured).sort(), [...targets].sort(), `latency/${protocol}: a result for each target`);
    for (const [name, at] of Object.entries(measured)) t.ok(at.p50.median > 0, `latency/${protocol}: ${name}`);
  }

  t.match(readFileSync(path.join(out, 'latest.md'), 'utf8'), /\| select\/simple\/8 \| .*\d/);
  t.match(readFileSync(path.join(out, 'latest.svg'), 'utf8'), /^<svg [\s\S]*select\/simple\/8[\s\S]*<\/svg>\n$/);
  t.equal(
    readFileSync(path.join(out, 'baseline.json'), 'utf8'),
    readFileSync(path.join(out, 'latest.json'), 'utf8'),
    'the baseline is this run',
  );
  t.same(readdirSync(ran.folder), [], 'no folder is left');
  t.same(leftRunning(ran.folder), [], 'no process is left');
});

t.test('Ctrl-C in mid-run stops everything that was started', async (t) => {
  const args = ['--smoke', '--targets', 'direct,pgbouncer', '--only', 'select/simple/8,copy-out', '--seconds', '2'];
  const out = t.testdir({});
  const ran = await runBench([...args, '--rounds', '1', '--out', out], 'select/simple/8:');
  t.teardown(() => rm(ran.folder, { recursive: true, force: true }));
  if (!t.equal(ran.code, 130, 'it says that it was interrupted')) t.comment(ran.output);
  t.same(readdirSync(ran.folder), [], 'no folder is left');
  t.same(leftRunning(ran.folder), [], 'no process is left');
  t.same(readdirSync(out), [], 'half a run is no result');
});

t.test('idle clients are counted, whoever holds them', async (t) => {
  const pgbouncer = (await findProgram('pgbouncer')) !== null;
  const out = t.testdir({});
  const ran = await runBench([
    '--smoke',
    '--targets',
    'pgbouncer,pgfig',
    '--only',
    'idle',
    '--idle',
    '60',
    '--out',
    out,
  ]);
  t.teardown(() => rm(ran.folder, { recursive: true, force: true }));
  if (!t.equal(ran.code, 0, 'it succeeds')) t.comment(ran.output);
  const { idle } = JSON.parse(readFileSync(path.join(out, 'latest.json'), 'utf8')) as Results;
  t.equal(idle?.clients, 60);
  t.same(Object.keys(idle?.targets ?? {}), [...(pgbouncer ? ['pgbouncer'] : []), 'pgfig']);
  for (const [name, memory] of Object.entries(idle?.targets ?? {}))
    t.ok(memory.withClientsMiB > memory.beforeMiB, `${name} needs memory for its clients`);
});
