import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { stringify } from 'yaml';
import { backfill } from '../../src/operator/cli/jobs.js';
import { until } from '../clients/conditions.js';
import { makePair } from '../mirror/capture-support.js';
import { startPostgres } from '../support/postgres.js';

const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
const TABLES = ['public.a'];
const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY)', TABLES);
await writeFile(
  path.join(path.dirname(pair.config.file), 'routing-rules', 'orders.yaml'),
  stringify({ domain: 'orders', database: 'orders_db', tables: TABLES, phase: 'dual-write' }),
);
await source.query('INSERT INTO a SELECT generate_series(1, 4000)', pair.from);
await pair.install();

t.test('a command that watches a job outlives a lost connection to the control database', async (t) => {
  const [output, progress] = [new PassThrough(), new PassThrough()];
  // About two seconds.
  const options = { config: pair.config.file, jobs: 1, rate: 2_000 };
  const running = backfill('orders', options, { output, progress });
  const state = "SELECT FROM pgfig.relay_tables WHERE state = 'backfill' AND backfill ->> 'rows' <> '0'";
  const begun = async (): Promise<boolean> => (await target.query(state, pair.to)).rowCount === 1;
  await Promise.race([until('the first chunk is there', begun), running]);
  const { rowCount: lost } = await source.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgfig jobs'`,
  );
  t.ok(Number(lost) > 0, `${lost} connections are lost`);
  t.equal(await running, 0, String(progress.read()));
  t.match(String(output.read()), /4000/);
});
