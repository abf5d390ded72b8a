import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { loadConfig } from '../../src/config/load.js';
import { installMirror } from '../../src/mirror/capture/install.js';
import { DEFAULT_MIRROR } from '../../src/mirror/mirror.js';
import { writeConfig } from '../../test/support/pgfig.js';
import { startPostgres, type TestPostgres } from '../../test/support/postgres.js';

/**
 * What capture costs writers: pgbench against the same tables with and without triggers, in pairs of rounds that take
 * turns. `tpcb` is its TPC-B-like transaction with all four tables captured: four events. `single` is its first
 * statement alone: one row, one event. Beside the clock it gives the processor time of the server's backends, which
 * other work on the machine disturbs less.
 *
 *     node build/bench/mirror/writer-cost.js [--seconds 5] [--rounds 7] [--scale 20] [--fsync on|off|both]
 */

const run = promisify(execFile);
const PGBENCH = '/usr/lib/postgresql/15/bin/pgbench';
const TABLES = ['accounts', 'branches', 'tellers', 'history'].map((name) => `public.pgbench_${name}`);

/** The goals of issue 5: 25 % more time on one connection, 10 % lower throughput at 32. */
const GOALS: ReadonlyMap<number, number> = new Map([
  [1, 1.25],
  [32, 1 / 0.9],
]);

const option = (name: string, fallback: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
};

const seconds = Number(option('seconds', '5'));
const rounds = Number(option('rounds', '7'));
const SINGLE = path.join(tmpdir(), `pgfig-single-${process.pid}.sql`);
writeFileSync(
  SINGLE,
  `\\set aid random(1, 100000 * :scale)\n\\set delta random(-5000, 5000)
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;\n`,
);

type Workload = 'single' | 'tpcb';
const scale = option('scale', '20');
const fsync = option('fsync', 'both');

async function prepare(server: TestPostgres, dbname: string): Promise<void> {
  await server.query(`CREATE DATABASE ${dbname}`);
  await run(PGBENCH, ['-q', '-i', '-s', scale, server.url(dbname)]);
  await server.query('ALTER TABLE pgbench_history ADD id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY', dbname);
}

async function capture(server: TestPostgres, from: string, to: string): Promise<void> {
  const urls = { monolith: server.url(from), copy: server.url(to) };
  const config = loadConfig(await writeConfig({ databases: urls }, { listen: 1, admin: 2 }));
  const rule = { ...DEFAULT_MIRROR };
  const phase = 'dual-write';
  await installMirror(config, { domain: 'bench', phase, source: 'monolith', target: 'copy', tables: TABLES, rule });
}

interface Measured {
  /** Transactions a second. */
  readonly tps: number;
  /** Microseconds of processor time a transaction, of the backends that have served it. */
  readonly cpu: number;
}

async function measure(server: TestPostgres, dbname: string, clients: number, workload: Workload): Promise<Measured> {
  const jobs = String(Math.min(2, clients));
  const script = workload === 'single' ? ['-f', SINGLE, '-D', `scale=${scale}`] : [];
  const args = ['-n', '-M', 'prepared', '-c', String(clients), '-j', jobs, '-T', String(seconds), ...script];
  const before = ticksOfEnded(server);
  const { stdout } = await run(PGBENCH, [...args, server.url(dbname)]);
  const tps = Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
  const count = Number(/actually processed: (\d+)/.exec(stdout)?.[1]);
  if (!(tps > 0 && count > 0)) throw new Error(`pgbench said:\n${stdout}`);
  await endOfBackends(server, dbname);
  return { tps, cpu: ((ticksOfEnded(server) - before) * TICK_US) / count };
}

/** Linux counts processor time of ended children with their parent, in hundredths of a second. */
const TICK_US = 10_000;

function ticksOfEnded(server: TestPostgres): number {
  const pid = readFileSync(path.join(server.dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0];
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[13]) + Number(fields[14]);
}

async function endOfBackends(server: TestPostgres, dbname: string): Promise<void> {
  const left = `SELECT FROM pg_stat_activity WHERE datname = '${dbname}' AND application_name = 'pgbench'`;
  while (((await server.query(left)).rowCount ?? 0) > 0) await sleep(10);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function compare(fsyncOn: boolean): Promise<void> {
  const server = await startPostgres({
    version: 15,
    settings: {
      ...{ fsync: fsyncOn ? 'on' : 'off', full_page_writes: 'on', autovacuum: 'on', shared_buffers: '512MB' },
      ...{ max_wal_size: '8GB', checkpoint_timeout: '30min' },
    },
  });
  try {
    await prepare(server, 'bare');
    await prepare(server, 'captured');
    await server.query('CREATE DATABASE copy');
    await run('sh', [
      '-c',
      `/usr/lib/postgresql/15/bin/pg_dump -s '${server.url('captured')}' | psql -q '${server.url('copy')}'`,
    ]);
    await capture(server, 'captured', 'copy');
    for (const workload of ['single', 'tpcb'] as const)
      for (const [clients, goal] of GOALS) await pairs(server, fsyncOn, clients, goal, workload);
  } finally {
    await server.remove();
  }
}

async function pairs(
  server: TestPostgres,
  fsyncOn: boolean,
  clients: number,
  goal: number,
  workload: Workload,
): Promise<void> {
  const results: { readonly bare: Measured; readonly captured: Measured }[] = [];
  // The first pair warms up and does not count.
  for (let round = 0; round <= rounds; round++) {
    await server.query('TRUNCATE pgfig.outbox', 'captured');
    await server.query('CHECKPOINT');
    const one = (dbname: string): Promise<Measured> => measure(server, dbname, clients, workload);
    const first = await one(round % 2 === 0 ? 'bare' : 'captured');
    const second = await one(round % 2 === 0 ? 'captured' : 'bare');
    if (round > 0)
      results.push(round % 2 === 0 ? { bare: first, captured: second } : { bare: second, captured: first });
  }
  const of = (pick: (result: (typeof results)[number]) => number): string => median(results.map(pick)).toFixed(0);
  const ratios = results.map(({ bare, captured }) => bare.tps / captured.tps).toSorted((a, b) => a - b);
  const spread = `${ratios[0]?.toFixed(3)} to ${ratios.at(-1)?.toFixed(3)}`;
  const cpu = median(results.map(({ bare, captured }) => captured.cpu / bare.cpu));
  process.stdout.write(
    `${workload.padEnd(6)} fsync ${fsyncOn ? 'on ' : 'off'} clients ${String(clients).padStart(2)}  ` +
      `bare ${of(({ bare }) => bare.tps)} tps ${of(({ bare }) => bare.cpu)} us  captured ${of(({ captured }) => captured.tps)} tps ${of(({ captured }) => captured.cpu)} us  ` +
      `time x ${median(ratios).toFixed(3)} (${spread}), cpu x ${cpu.toFixed(3)}  goal x ${goal.toFixed(3)} ${median(ratios) <= goal ? 'met' : 'missed'}\n`,
  );
}

for (const on of fsync === 'both' ? [true, false] : [fsync === 'on']) await compare(on);
