import { makePair, type Pair } from '../../test/mirror/capture-support.js';
import type { TestPostgres } from '../../test/support/postgres.js';
import { fill, schemaOf } from './support/backlog.js';
import { pipeCopy, UNPACED, writeSteadily } from './support/copying.js';
import { numberOption } from './support/options.js';
import { drained, leadingRelay, median, openServer, report, spreadText, stage } from './support/stage.js';
import { ownCpu, serverCpu } from './support/usage.js';

/**
 * How fast a table is backfilled, against `COPY TO STDOUT | COPY FROM STDIN` of the same table into an empty one with
 * the same indexes, in pairs that take turns; and both again while pgbench writes to the table. The goal is 0.7 of
 * COPY's speed.
 *
 *     node build/bench/mirror/backfill-rate.js [--rows 2000000] [--rounds 5] [--writes 500] [--fsync on|off] [--out FILE]
 */

const GOAL = 0.7;
const rows = numberOption('rows', 2_000_000);
const rounds = numberOption('rounds', 5);
/** Writes a second of the second part; 0: there is none. */
const writes = numberOption('writes', 500);
const schema = schemaOf('t', true);

interface Copied {
  readonly seconds: number;
  readonly rate: number;
  /** Microseconds of the processor time of both servers and this process for each row; psql's own is not in it. */
  readonly cpu: number;
}

async function timed(pair: Pair, work: () => Promise<void>): Promise<Copied> {
  const cpu = async (): Promise<number> =>
    (await serverCpu(pair.source)).server + (await serverCpu(pair.target)).server + ownCpu();
  await Promise.all([pair.source.query('CHECKPOINT'), pair.target.query('CHECKPOINT')]);
  const before = await cpu();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  return { seconds, rate: rows / seconds, cpu: (((await cpu()) - before) * 1e6) / rows };
}

async function plain(pair: Pair): Promise<Copied> {
  const { target, to } = pair;
  const dbname = `plain_${to}`;
  await target.query(`CREATE DATABASE ${dbname}`);
  await target.query(schema, dbname);
  const copied = await timed(pair, () => pipeCopy(pair.source.url(pair.from), target.url(dbname), 't'));
  await target.query(`DROP DATABASE ${dbname} WITH (FORCE)`);
  return copied;
}

async function backfill(pair: Pair): Promise<Copied> {
  await pair.install();
  const relay = await leadingRelay(pair);
  try {
    const copied = await timed(pair, () => relay.backfill('public.t', UNPACED));
    await drained(relay);
    return copied;
  } finally {
    await relay.close();
  }
}

/** @throws Error when the copy is not whole: its speed would mean nothing */
async function compareCopies({ source, target, from, to }: Pair): Promise<void> {
  const sum = async (server: TestPostgres, dbname: string): Promise<string> => {
    const { rows } = await server.query<{ sum: string }>(
      "SELECT count(*) || ' rows, sum ' || sum(hashtextextended(id || ' ' || amount, 0)) AS sum FROM t",
      dbname,
    );
    return rows[0]?.sum ?? '';
  };
  const [there, here] = [await sum(source, from), await sum(target, to)];
  if (there !== here) throw new Error(`the copy has ${here}, the source ${there}`);
}

async function pairOf(source: TestPostgres, target: TestPostgres, first: 'plain' | 'backfill', perSecond: number) {
  const pair = await makePair(source, target, schema, ['public.t']);
  await fill(source, pair.from, 't', rows);
  // Writers pay for capture in both halves.
  await pair.install();
  const stop = perSecond === 0 ? async () => {} : await writeSteadily(pair, 't', rows, perSecond);
  try {
    const early = first === 'plain' ? await plain(pair) : null;
    const filled = await backfill(pair);
    return { filled, copied: early ?? (await plain(pair)), pair };
  } finally {
    await stop();
  }
}

async function compare(source: TestPostgres, target: TestPostgres, perSecond: number): Promise<void> {
  const when = perSecond === 0 ? 'no writes' : `${perSecond} writes a second`;
  const ratios: number[] = [];
  const rates: number[] = [];
  // The first pair warms up and does not count.
  for (let round = 0; round <= rounds; round++) {
    const { filled, copied, pair } = await pairOf(source, target, round % 2 === 0 ? 'plain' : 'backfill', perSecond);
    if (perSecond === 0) await compareCopies(pair);
    const ratio = filled.rate / copied.rate;
    report(
      `${when}, round ${round}${round === 0 ? ' (warms up)' : ''}: backfill ${filled.rate.toFixed(0)} rows/s ${filled.cpu.toFixed(1)} us, ` +
        `COPY ${copied.rate.toFixed(0)} rows/s ${copied.cpu.toFixed(1)} us: ratio ${ratio.toFixed(2)}`,
      { when, round, filled, copied, ratio },
    );
    await source.query(`DROP DATABASE ${pair.from} WITH (FORCE)`);
    await target.query(`DROP DATABASE ${pair.to} WITH (FORCE)`);
    if (round === 0) continue;
    ratios.push(ratio);
    rates.push(filled.rate);
  }
  report(
    `backfill-rate, ${when}: ${spreadText(rates)} rows a second, ${spreadText(ratios, 2)} of COPY; ` +
      `goal ${GOAL} ${median(ratios) >= GOAL ? 'met' : 'NOT MET'}`,
    { when, rate: median(rates), ratio: median(ratios), goal: GOAL },
  );
}

await stage('backfill-rate', async (scope) => {
  const [source, target] = await Promise.all([openServer(scope, 15), openServer(scope, 18)]);
  await compare(source, target, 0);
  if (writes > 0) await compare(source, target, writes);
});
