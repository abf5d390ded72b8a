import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { loadConfig } from '../../src/config/load.js';
import { installMirror } from '../../src/mirror/capture/install.js';
import { DEFAULT_MIRROR, type Mirror } from '../../src/mirror/mirror.js';
import { DomainRelay } from '../../src/mirror/relay/domain-relay.js';
import { writeConfig } from '../../test/support/pgfig.js';
import { startPostgres, type TestPostgres } from '../../test/support/postgres.js';

/**
 * A target that was down while millions of changes gathered: how long the relay takes to drain them, how big the outbox
 * is, how much memory the relay takes; with a snapshot that is held open on the source from before the first change
 * until all is drained, unless `--snapshot off`.
 *
 *     node build/bench/mirror/backlog.js [--events 5000000] [--transaction 50000] [--snapshot on|off]
 */

const option = (name: string, fallback: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
};
const events = Number(option('events', '5000000'));
const each = Number(option('transaction', '50000'));
const held = option('snapshot', 'on') === 'on';
const MIB = 1_048_576;

const say = (text: string): boolean => process.stdout.write(`${new Date().toISOString()} ${text}\n`);
const seconds = (since: number): string => ((performance.now() - since) / 1_000).toFixed(1);

async function sizes(server: TestPostgres): Promise<string> {
  const { rows } = await server.query<{ heap: number; index: number }>(
    `SELECT pg_table_size('pgfig.outbox')::float8 AS heap, pg_indexes_size('pgfig.outbox')::float8 AS index`,
    'shop',
  );
  const { heap = 0, index = 0 } = rows[0] ?? {};
  return `outbox ${(heap / MIB).toFixed(0)} MiB, its indexes ${(index / MIB).toFixed(0)} MiB`;
}

async function mirrorOf(source: TestPostgres, target: TestPostgres): Promise<[ReturnType<typeof loadConfig>, Mirror]> {
  await source.query('CREATE DATABASE shop');
  await target.query('CREATE DATABASE orders');
  const schema = 'CREATE TABLE a (id int PRIMARY KEY, v text, n int)';
  await source.query(schema, 'shop');
  await target.query(schema, 'orders');
  const databases = { monolith: source.url('shop'), copy: target.url('orders') };
  const config = loadConfig(await writeConfig({ databases }, { listen: 1, admin: 2 }));
  const sides = { domain: 'bench', phase: 'dual-write', source: 'monolith', target: 'copy' } as const;
  const mirror: Mirror = { ...sides, tables: ['public.a'], rule: DEFAULT_MIRROR };
  await installMirror(config, mirror);
  await target.query("UPDATE pgfig.relay_tables SET state = 'in-step'", 'orders');
  return [config, mirror];
}

async function hold(server: TestPostgres): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url('shop') });
  client.on('error', () => {});
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pgfig.outbox');
  return client;
}

async function drain(config: ReturnType<typeof loadConfig>, mirror: Mirror): Promise<void> {
  const began = performance.now();
  let [turns, changes, slowest, memory] = [0, 0, 0, process.memoryUsage.rss()];
  const watch = setInterval(() => {
    memory = Math.max(memory, process.memoryUsage.rss());
  }, 50);
  const relay = new DomainRelay(config, mirror, {
    onRole: () => {},
    onTurn: (_, turn) => {
      turns += 1;
      changes += turn.changes;
      slowest = Math.max(slowest, turn.seconds);
      if (turns % 10 === 0) say(`  ${changes} changes in ${seconds(began)} s`);
    },
    onStalled: (_, table, reason) => say(`stalled: ${table}: ${reason}`),
    onGoesOn: () => {},
    onError: (_, error) => say(`failed: ${error.message}`),
  });
  while ((await relay.turnAfterNow()) !== 'applied' || changes < events) await sleep(20);
  clearInterval(watch);
  const took = (performance.now() - began) / 1_000;
  say(
    `drained: ${changes} changes in ${took.toFixed(1)} s (${Math.round(changes / took)} a second), ${turns} turns, the ` +
      `slowest ${slowest.toFixed(1)} s; resident memory at most ${(memory / MIB).toFixed(0)} MiB`,
  );
  const quick: number[] = [];
  for (let i = 0; i < 200; i++) {
    const at = performance.now();
    await relay.turnAfterNow();
    quick.push(performance.now() - at);
  }
  say(`an idle turn afterwards, with the dead entries there: ${quick.toSorted((a, b) => a - b)[100]?.toFixed(1)} ms`);
  await relay.close();
}

const settings = { max_wal_size: '8GB', checkpoint_timeout: '30min', autovacuum: 'on', shared_buffers: '512MB' };
const [source, target] = await Promise.all([startPostgres({ version: 15, settings }), startPostgres({ settings })]);
try {
  const [config, mirror] = await mirrorOf(source, target);
  const holder = held ? await hold(source) : null;
  const began = performance.now();
  // Half of it are rows that come, half changes of the same rows.
  for (let at = 0; at < events; at += 2 * each) {
    await source.query(`INSERT INTO a SELECT i, 'v' || i, i FROM generate_series(${at + 1}, ${at + each}) i`, 'shop');
    await source.query(`UPDATE a SET n = n + 1 WHERE id BETWEEN ${at + 1} AND ${at + each}`, 'shop');
  }
  say(`${events} changes written in ${seconds(began)} s; ${await sizes(source)}; snapshot held: ${held}`);
  await drain(config, mirror);
  const sums = 'SELECT count(*)::int4 AS n, sum(hashtextextended(a::text, 0))::text AS h FROM a';
  const [here, there] = [await source.query(sums, 'shop'), await target.query(sums, 'orders')];
  say(`both copies: ${JSON.stringify(here.rows)} ${JSON.stringify(there.rows)}`);
  if (JSON.stringify(here.rows) !== JSON.stringify(there.rows)) process.exitCode = 1;
  await holder?.end();
  await source.query('VACUUM (TRUNCATE) pgfig.outbox', 'shop');
  say(`after the snapshot has ended, and VACUUM (TRUNCATE): ${await sizes(source)}`);
} finally {
  await source.remove();
  await target.remove();
}
