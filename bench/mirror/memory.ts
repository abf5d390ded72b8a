import { makePair, type Pair } from '../../test/mirror/capture-support.js';
import type { TestPostgres } from '../../test/support/postgres.js';
import type { Scope } from '../harness/scope.js';
import { fill, makeBacklog, schemaOf } from './support/backlog.js';
import { UNPACED } from './support/copying.js';
import { numberOption } from './support/options.js';
import { drained, inStep, leadingRelay, openServer, report, stage } from './support/stage.js';
import { memoryText, traceMemory } from './support/usage.js';

/**
 * Resident memory of the process that relays: while a big table is backfilled, and while a long backlog drains. It
 * should be flat: neither depends on how much there is.
 *
 *     node build/bench/mirror/memory.js [--gigabytes 2] [--changes 5000000] [--fsync on|off] [--out FILE]
 */

const gigabytes = numberOption('gigabytes', 2);
const changes = numberOption('changes', 5_000_000);
/** A wide row is a kilobyte. */
const wide = Math.round((gigabytes * 1024 ** 3) / 1024);
const rows = 10 ** Math.max(3, Math.ceil(Math.log10(changes)) - 1);

async function measured(what: string, work: () => Promise<void>): Promise<void> {
  const end = traceMemory();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  const trace = end();
  report(`${what} in ${seconds.toFixed(0)} s: ${memoryText(trace)}`, { what, seconds, ...trace });
}

async function backfill(source: TestPostgres, target: TestPostgres): Promise<void> {
  const schema = 'CREATE TABLE wide (id bigint PRIMARY KEY, body text NOT NULL)';
  const pair = await makePair(source, target, schema, ['public.wide']);
  const body = "repeat(md5(i::text), 31) || 'xxx'";
  await source.query(`INSERT INTO wide SELECT i, ${body} FROM generate_series(1, ${wide}) i`, pair.from);
  await source.query('VACUUM ANALYZE wide', pair.from);
  await pair.install();
  const relay = await leadingRelay(pair);
  try {
    await measured(`backfill of ${gigabytes} GB`, () => relay.backfill('public.wide', UNPACED));
  } finally {
    await relay.close();
  }
  await drop(pair);
}

async function backlog(source: TestPostgres, target: TestPostgres): Promise<void> {
  const pair = await makePair(source, target, schemaOf('t'), ['public.t']);
  await Promise.all([fill(source, pair.from, 't', rows), fill(target, pair.to, 't', rows)]);
  await pair.install();
  await inStep(pair);
  const waiting = await makeBacklog(source, pair.from, { table: 't', rows, changes });
  await measured(`backlog of ${waiting} changes`, async () => {
    const relay = await leadingRelay(pair);
    try {
      await drained(relay);
    } finally {
      await relay.close();
    }
  });
  await drop(pair);
}

async function drop({ source, target, from, to }: Pair): Promise<void> {
  await source.query(`DROP DATABASE ${from} WITH (FORCE)`);
  await target.query(`DROP DATABASE ${to} WITH (FORCE)`);
}

await stage('memory', async (scope: Scope) => {
  const [source, target] = await Promise.all([openServer(scope, 15), openServer(scope, 18)]);
  if (gigabytes > 0) await backfill(source, target);
  if (changes > 0) await backlog(source, target);
});
