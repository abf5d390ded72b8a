import { makePair, type Pair } from '../../test/mirror/capture-support.js';
import type { TestPostgres } from '../../test/support/postgres.js';
import { fill, makeBacklog, schemaOf } from './support/backlog.js';
import { numberOption, option } from './support/options.js';
import { drained, inStep, leadingRelay, median, openServer, report, spreadText, stage } from './support/stage.js';
import { memoryText, minus, ownCpu, serverCpu, traceMemory } from './support/usage.js';

/**
 * Changed rows a second that the relay applies: a backlog waits, a relay starts and drains it. The goal is 30,000 a
 * second. Beside the clock it gives processor time for each changed row, which other work on the machine disturbs less.
 *
 *     node build/bench/mirror/relay-rate.js [--changes 300000] [--transaction 200] [--rounds 5] [--index off|on]
 *       [--fsync on|off] [--log-plans MS] [--out FILE]
 */

const GOAL = 30_000;
const changes = numberOption('changes', 300_000);
const perTransaction = numberOption('transaction', 200);
const rounds = numberOption('rounds', 5);
const index = option('index', 'off') === 'on';
/** Every key is changed about once, beside the hot ones. */
const rows = 10 ** Math.max(3, Math.ceil(Math.log10(changes)));

interface Drain {
  readonly changes: number;
  readonly turns: number;
  readonly seconds: number;
  readonly rate: number;
  /** Microseconds of processor time for each changed row: backends of the relay, this process. */
  readonly source: number;
  readonly target: number;
  readonly node: number;
  /** With all else that the two servers did meanwhile: garbage, vacuum, checkpoints. */
  readonly all: number;
}

async function prepared(source: TestPostgres, target: TestPostgres): Promise<Pair> {
  const pair = await makePair(source, target, schemaOf('t', index), ['public.t']);
  await Promise.all([fill(source, pair.from, 't', rows), fill(target, pair.to, 't', rows)]);
  await pair.install();
  await inStep(pair);
  return pair;
}

async function drain(pair: Pair): Promise<Drain> {
  const { source, target } = pair;
  const waiting = await makeBacklog(source, pair.from, { table: 't', rows, changes, perTransaction });
  await Promise.all([source.query('CHECKPOINT'), target.query('CHECKPOINT')]);
  let turns = 0;
  const before = { source: await serverCpu(source), target: await serverCpu(target), node: ownCpu() };
  const began = performance.now();
  const relay = await leadingRelay(pair, () => {
    turns += 1;
  });
  try {
    await drained(relay);
    const seconds = (performance.now() - began) / 1_000;
    const at = minus(await serverCpu(source), before.source);
    const to = minus(await serverCpu(target), before.target);
    const micros = (cpu: number): number => (cpu * 1e6) / waiting;
    const node = micros(ownCpu() - before.node);
    const cpu = { source: micros(at.relay), target: micros(to.relay), node };
    return {
      ...{ changes: waiting, turns, seconds, rate: waiting / seconds },
      ...cpu,
      all: micros(at.server + to.server) + node,
    };
  } finally {
    await relay.close();
  }
}

await stage('relay-rate', async (scope) => {
  const [source, target] = await Promise.all([openServer(scope, 15), openServer(scope, 18)]);
  const results: Drain[] = [];
  const memory = traceMemory();
  // The first one warms up and does not count.
  for (let round = 0; round <= rounds; round++) {
    const pair = await prepared(source, target);
    const done = await drain(pair);
    if (round > 0) results.push(done);
    const us = [done.source, done.target, done.node, done.all].map((value) => value.toFixed(1));
    report(
      `round ${round}${round === 0 ? ' (warms up)' : ''}: ${done.changes} changes in ${done.seconds.toFixed(1)} s, ${done.turns} turns: ` +
        `${done.rate.toFixed(0)} a second; us of CPU each: source ${us[0]}, target ${us[1]}, node ${us[2]}, all ${us[3]}`,
      { round, ...done },
    );
    await source.query(`DROP DATABASE ${pair.from} WITH (FORCE)`);
    await target.query(`DROP DATABASE ${pair.to} WITH (FORCE)`);
  }
  const { samples, ...trace } = memory();
  const of = (pick: (result: Drain) => number): number[] => results.map(pick);
  report(`memory of the process: ${memoryText({ ...trace, samples })}`, { memory: trace, samples });
  const rates = of(({ rate }) => rate);
  report(
    `relay-rate: ${spreadText(rates)} changed rows a second; us of CPU each: source ${spreadText(
      of((one) => one.source),
      1,
    )}, target ${spreadText(
      of((one) => one.target),
      1,
    )}, node ${spreadText(
      of((one) => one.node),
      1,
    )}; goal ${GOAL} ${median(rates) >= GOAL ? 'met' : 'NOT MET'}`,
    { rate: median(rates), goal: GOAL },
  );
});
