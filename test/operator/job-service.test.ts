import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import t from 'tap';
import { jobMetrics } from '../../src/operator/metrics/job-metrics.js';
import { JobService } from '../../src/operator/mirror/job-service.js';
import { Mirrors } from '../../src/operator/mirror/mirrors.js';
import { SyncSources } from '../../src/operator/mirror/sync-source.js';
import { buildRuleSet } from '../../src/rules/build.js';
import type { Domain } from '../../src/rules/rule-set.js';
import { makePair } from '../mirror/capture-support.js';
import { inStep } from '../mirror/relay-support.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';

const SCHEMA = "CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TABLE a (id int PRIMARY KEY, v text, m mood)";

t.test('the schedule verifies what is led from here, tells of divergences and of definitions', async (t) => {
  const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  const pair = await makePair(source, target, SCHEMA, ['public.a']);
  await pair.install();
  await inStep(pair);
  const paper = new PassThrough();
  let lines = '';
  paper.on('data', (chunk) => {
    lines += String(chunk);
  });
  const log = pino({ level: 'info' }, paper);
  const mirrors = new Mirrors(pair.config, log, new SyncSources(() => {}));
  const config = { ...pair.config, verify: { schedule: '0 3 * * *', sample: 100 } };
  const jobs = new JobService(config, log, mirrors);
  await onTeardown(async () => {
    await jobs.close();
    await mirrors.close();
  });
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    const deadline = Date.now() + 30_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not in time: ${what}\n${lines}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await jobs.verifyNow();
  t.same(jobs.schema, [], 'nothing is led yet');
  const domain: Domain = {
    ...{ name: 'orders', database: 'orders_db', tables: ['public.a'], phase: 'dual-write', owner: null },
    ...{ crossDatabase: 'refuse', file: 'orders.yaml' },
  };
  mirrors.update(buildRuleSet([domain], { defaultDatabase: 'monolith', version: 1 }));
  await until(() => mirrors.all[0]?.relay.leader != null, 'it leads');
  await target.query(
    "BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL ROLE pgfig_relay; INSERT INTO a VALUES (7, 'x'); COMMIT",
    pair.to,
  );
  await target.query('ALTER TABLE a ALTER v SET NOT NULL', pair.to);
  await jobs.verifyNow();
  t.same(jobs.schema, [{ domain: 'orders', table: 'public.a', count: 1 }]);
  t.match(lines, /the definitions of source and target differ/);
  await source.query("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", pair.from);
  await jobs.verifyNow();
  t.same(jobs.schema, [{ domain: 'orders', table: 'public.a', count: 2 }], 'a label that the relay sees no change of');
  t.match(lines, /enum public.mood has 'blue' where the target has 'sad'/);
  await until(() => (jobs.open[0]?.count ?? 0) === 1, 'the divergence is counted');
  t.match(lines, /"level":50.*"divergences":1.*the copies diverge/);
  t.match(jobMetrics(jobs)[0], {
    name: 'pgfig_divergences_open',
    values: [{ value: 1, labels: { domain: 'orders', table: 'public.a' } }],
  });
});
