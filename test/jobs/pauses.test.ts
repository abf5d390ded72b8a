import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import pg from 'pg';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { PostgresServer } from '../../src/embedded/postgres-server.js';
import { programsIn } from '../../src/embedded/programs.js';
import { sourceLoad } from '../../src/jobs/backfill/source-load.js';
import { type BackfillOptions, backfill } from '../../src/operator/cli/jobs.js';
import { until } from '../clients/conditions.js';
import { makePair, type Pair } from '../mirror/capture-support.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';

/** What holds a backfill back, by the command, the real relay, real sessions and a real standby. */
const DEBIAN = '/usr/lib/postgresql/15/bin';
const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);

/** A pair whose table has rows; both are removed with the servers. */
async function filled(users: { readonly source?: string } = {}): Promise<Pair> {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY)', ['public.a'], users);
  await writeFile(
    path.join(path.dirname(pair.config.file), 'routing-rules', 'orders.yaml'),
    stringify({ domain: 'orders', database: 'orders_db', tables: ['public.a'], phase: 'dual-write' }),
  );
  await source.query('INSERT INTO a SELECT generate_series(1, 3000)', pair.from);
  return pair;
}

function begin(pair: Pair, options: Partial<BackfillOptions>) {
  const [output, progress] = [new PassThrough(), new PassThrough()];
  const ended = backfill('orders', { config: pair.config.file, jobs: 1, ...options }, { output, progress });
  return { ended, said: () => String(output.read() ?? '') + String(progress.read() ?? '') };
}

/** The reason why the job pauses, as it is stored; null: it does not. */
async function pauseOf(pair: Pair): Promise<string | null> {
  const { rows } = await source.query<{ paused: string | null }>(
    "SELECT progress->>'paused' AS paused FROM pgfig.jobs WHERE kind = 'backfill' ORDER BY id DESC LIMIT 1",
    pair.from,
  );
  return rows[0]?.paused ?? null;
}

const copied = async (pair: Pair): Promise<number> => (await target.query('SELECT FROM a', pair.to)).rowCount ?? 0;

async function pausesFor(t: Test, pair: Pair, options: Partial<BackfillOptions>, why: RegExp, end: () => unknown) {
  const { ended, said } = begin(pair, options);
  await until('it pauses', async () => why.test((await pauseOf(pair).catch(() => null)) ?? ''), 60_000);
  t.equal(await copied(pair), 0, 'nothing is copied meanwhile');
  await end();
  t.equal(await ended, 0, said());
  t.equal(await copied(pair), 3_000);
  t.equal(await pauseOf(pair), null, 'it goes on');
}

/** Sessions that are active until the function that comes back is called. */
async function busySessions(pair: Pair, count: number): Promise<() => Promise<unknown>> {
  const holder = await pair.connect('source');
  await holder.query('SELECT pg_advisory_lock(1)');
  const waiting = Array.from({ length: count }, async () =>
    (await pair.connect('source')).query('SELECT pg_advisory_lock_shared(1)'),
  );
  const seen = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%lock_shared(1)' AND datname = $1";
  await until('they wait', async () => (await source.query(seen, pair.from, [pair.from])).rowCount === count);
  return async () => {
    await holder.query('SELECT pg_advisory_unlock(1)');
    await Promise.all(waiting);
  };
}

t.test('a backfill pauses while more sessions are active than it may meet', async (t) => {
  const pair = await filled();
  await pair.install();
  const end = await busySessions(pair, 3);
  await pausesFor(t, pair, { maxLoad: 2 }, /^\d active sessions on the source, more than 2$/, end);
});

t.test('what counts as load', async (t) => {
  const pair = await filled();
  const client = await pair.connect('source');
  const other = await filled();
  const [end, elsewhere] = [await busySessions(pair, 2), await busySessions(other, 2)];
  t.equal(await sourceLoad(client, 2), null, 'not what is idle, nor another database, nor itself');
  t.match(await sourceLoad(client, 1), /^2 active sessions/);
  t.equal(await sourceLoad(client, null), null, 'unless it was asked for');
  const own = await pair.connect('source');
  await own.query("SET application_name = 'pgfig relay of orders'");
  const lock = own.query('SELECT pg_advisory_lock_shared(1)');
  await until('it waits', async () => {
    const { rows } = await source.query(
      "SELECT FROM pg_stat_activity WHERE state = 'active' AND application_name ~ '^pgfig'",
    );
    return rows.length === 1;
  });
  t.equal(await sourceLoad(client, 2), null, 'nor what is of pgfig');
  await end();
  await lock;
  await elsewhere();
});

t.test('a user that may not see the sessions of others is told so, and none is taken for no load', async (t) => {
  await source.query('CREATE ROLE plain LOGIN');
  const pair = await filled({ source: 'plain' });
  await source.query(
    `GRANT CREATE ON DATABASE ${pair.from} TO plain; ALTER TABLE a OWNER TO plain; GRANT CREATE ON SCHEMA public TO plain`,
    pair.from,
  );
  await pair.install();
  const refused = begin(pair, { maxLoad: 5 });
  t.equal(await refused.ended, 1);
  t.match(refused.said(), /user plain may not see those of others\. A DBA runs: GRANT pg_read_all_stats TO plain/);
  t.equal(await copied(pair), 0);
  await source.query('GRANT pg_read_all_stats TO plain');
  const allowed = begin(pair, { maxLoad: 5 });
  t.equal(await allowed.ended, 0, allowed.said());
});

/** A standby of the source, by pg_basebackup. */
async function startStandby(): Promise<pg.Client> {
  const programs = await programsIn(DEBIAN);
  const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-test-'));
  await chmod(folder, 0o755);
  if (programs.runAs !== null) await chown(folder, programs.runAs.uid, programs.runAs.gid);
  const template = path.join(folder, 'base');
  const dsn = `host=127.0.0.1 port=${source.port} user=postgres application_name=standby`;
  const args = ['-D', template, '-R', '-X', 'stream', '-c', 'fast', '-d', dsn];
  await promisify(execFile)(path.join(DEBIAN, 'pg_basebackup'), args, { ...programs.runAs, cwd: folder });
  const server = await PostgresServer.create({
    ...{ programs, folder, port: null, password: '', hba: null, template, keep: false },
    settings: { max_connections: '300', shared_buffers: '16MB', wal_receiver_status_interval: '1s' },
  });
  await onTeardown(() => server.remove());
  await server.start();
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'postgres', password: 'x' });
  client.on('error', () => undefined);
  await client.connect();
  await onTeardown(() => client.end().catch(() => undefined));
  return client;
}

t.test('a backfill pauses while a standby is behind', async (t) => {
  const pair = await filled();
  await pair.install();
  const standby = await startStandby();
  const far = 'SELECT FROM pg_stat_replication WHERE replay_lag > $1::interval';
  const behind = async (): Promise<boolean> => {
    // Something to be behind with.
    await source.query('SELECT pg_logical_emit_message(false, $1, $1)', pair.from, ['pgfig test']);
    return (await source.query(far, pair.from, ['10.5 s'])).rowCount === 1;
  };
  await until('the standby follows', async () => {
    await source.query('SELECT pg_logical_emit_message(false, $1, $1)', pair.from, ['pgfig test']);
    return (await source.query(far, pair.from, ['0 s'])).rowCount === 1;
  });
  t.equal(await sourceLoad(await pair.connect('source'), null), null, 'one that follows is no reason');
  await standby.query('SELECT pg_wal_replay_pause()');
  await until('the standby is behind', behind, 60_000);
  const resume = (): unknown => standby.query('SELECT pg_wal_replay_resume()');
  await pausesFor(t, pair, {}, /^a standby of the source is \d+ s behind$/, resume);
});
