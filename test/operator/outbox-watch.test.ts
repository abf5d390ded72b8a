import { pino } from 'pino';
import t from 'tap';
import { metricsText } from '../../src/operator/metrics/aggregate.js';
import { outboxMetrics } from '../../src/operator/metrics/mirror-metrics.js';
import { OutboxWatch } from '../../src/operator/mirror/outbox-watch.js';
import { makePair } from '../mirror/capture-support.js';
import { startPostgres } from '../support/postgres.js';

t.test('the outbox is looked at whether anybody reads it or not', async (t) => {
  const server = await startPostgres();
  const pair = await makePair(server, server, 'CREATE TABLE a (id int PRIMARY KEY)', ['public.a']);
  const lines: { level: number; msg: string; domain?: string; database?: string }[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  let mirrored = ['orders'];
  const watch = new OutboxWatch(pair.config, log, { mirrored: () => mirrored, limit: 300_000 });
  t.teardown(() => watch.close());
  await watch.look();
  t.equal(watch.sight, null, 'nothing is installed');

  await pair.install();
  await watch.look();
  t.match(watch.sight, { database: 'monolith', abandoned: [] });
  t.same(lines, []);

  await server.query('INSERT INTO a SELECT generate_series(1, 10000)', pair.from);
  await watch.look();
  await watch.look();
  t.ok((watch.sight?.bytes ?? 0) > 300_000);
  t.match(lines, [{ level: 40, database: 'monolith', msg: /the outbox is big/ }], 'said once a minute');

  mirrored = [];
  await watch.look();
  await watch.look();
  t.match(lines.slice(1), [{ level: 40, domain: 'orders', msg: /nobody reads them.*pgfig mirror remove orders/ }]);
  const text = await metricsText([outboxMetrics(watch.sight)]);
  t.match(text, 'pgfig_mirror_abandoned{domain="orders"} 1');
  t.match(text, /pgfig_mirror_outbox_bytes\{database="monolith"\} \d{6}/);

  await server.stop();
  await watch.look();
  t.equal(watch.sight, null, 'what is not known is not told');
});
