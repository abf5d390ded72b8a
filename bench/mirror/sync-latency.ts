import { loadConfig } from '../../src/config/load.js';
import { installMirror } from '../../src/mirror/capture/install.js';
import { DEFAULT_MIRROR } from '../../src/mirror/mirror.js';
import { startPgfig, type TestPgfig, writeConfig } from '../../test/support/pgfig.js';
import type { TestPostgres } from '../../test/support/postgres.js';
import type { Scope } from '../harness/scope.js';
import { fill, makeBacklog, schemaOf } from './support/backlog.js';
import { Committers, rowsFor } from './support/commits.js';
import { added, modesFigures, modesText, slots, type Times, warmUp } from './support/modes.js';
import { listOption, numberOption } from './support/options.js';
import { median, openServer, report, spreadText, stage, until } from './support/stage.js';

/**
 * What a client waits for the commit of one row through `pgfig serve`, in turns on three domains: in phase monolith, in
 * dual-write with `apply: async`, and with `apply: sync`. Then again, while the backlog of a fourth domain drains into
 * another database. The goal is that sync adds at most 3 ms to the median of the monolith's.
 *
 *     node build/bench/mirror/sync-latency.js [--clients 1,8,32] [--seconds 1] [--rounds 9] [--backlog 5000000]
 *       [--fsync on|off] [--out FILE]
 */

const GOAL_MS = 3;
const MODES = ['monolith', 'async', 'sync'] as const;
type Mode = (typeof MODES)[number];

const counts = listOption('clients', '1,8,32').map(Number);
const seconds = numberOption('seconds', 1);
const rounds = numberOption('rounds', 9);
const backlog = numberOption('backlog', 5_000_000);
const most = Math.max(...counts);

const SMALL = MODES.map((mode) => `CREATE TABLE ${mode}_t (id int PRIMARY KEY, n int NOT NULL, note text);`).join('');
const FILL = MODES.map(
  (mode) => `INSERT INTO ${mode}_t SELECT i, 0, repeat('x', 80) FROM generate_series(0, ${rowsFor(most) - 1}) i;`,
).join('');

const bigRule = { database: 'copy_big', tables: ['public.big'], phase: 'dual-write', mirror: { apply: 'async' } };
const rules = {
  one: { database: 'copy', tables: ['public.monolith_t'], phase: 'monolith' },
  two: { database: 'copy', tables: ['public.async_t'], phase: 'dual-write', mirror: { apply: 'async' } },
  // Long enough that none of the waits ends early.
  three: { database: 'copy', tables: ['public.sync_t'], phase: 'dual-write', mirror: { syncTimeout: '60s' } },
};

interface Status {
  readonly domain: string;
  readonly role: string;
  readonly whole?: boolean;
  readonly changes?: number;
  readonly tables?: readonly { readonly state: string }[];
}

async function statuses(pgfig: TestPgfig): Promise<readonly Status[]> {
  const answer = await fetch(`http://127.0.0.1:${pgfig.adminPort}/api/mirrors`);
  return ((await answer.json()) as { mirrors: Status[] }).mirrors;
}

/** Domain `big` is captured already, and its changes wait, before any relay knows of it. */
async function prepareBacklog(source: TestPostgres, target: TestPostgres): Promise<void> {
  const rows = 10 ** Math.max(3, Math.ceil(Math.log10(backlog)) - 1);
  await Promise.all([fill(source, 'shop', 'big', rows), fill(target, 'copy_big', 'big', rows)]);
  const urls = { monolith: source.url('shop'), copy_big: target.url('copy_big') };
  const config = loadConfig(await writeConfig({ databases: urls }, { listen: 1, admin: 2 }));
  const tables = ['public.big'];
  const mirror = { domain: 'big', phase: 'dual-write', source: 'monolith', target: 'copy_big', tables } as const;
  await installMirror(config, { ...mirror, rule: DEFAULT_MIRROR });
  await target.query("UPDATE pgfig.relay_tables SET state = 'in-step'", 'copy_big');
  const waiting = await makeBacklog(source, 'shop', { table: 'big', rows, changes: backlog });
  process.stdout.write(`${waiting} changes of another domain wait\n`);
}

async function serve(scope: Scope, source: TestPostgres, target: TestPostgres): Promise<TestPgfig> {
  const databases = {
    monolith: source.url('shop'),
    copy: target.url('copy'),
    copy_big: target.url('copy_big'),
  };
  const pgfig = await startPgfig({ databases, rules, config: { listen: { workers: 2 } } });
  scope.defer(async () => {
    await pgfig.stop();
  });
  const all = async (holds: (status: Status) => boolean): Promise<boolean> => {
    const found = await statuses(pgfig);
    return found.length === 2 && found.every(holds);
  };
  await until(() => all(({ role }) => role === 'leading'), 'both relays lead');
  await target.query("UPDATE pgfig.relay_tables SET state = 'in-step'", 'copy');
  await until(() => all(({ tables }) => tables?.[0]?.state === 'in-step'), 'both tables are in step');
  return pgfig;
}

/** @param goesOn asked after each round */
async function measure(committers: Committers, when: string, goesOn: () => Promise<boolean>): Promise<void> {
  const found = new Map<number, Times<Mode>[]>(counts.map((clients) => [clients, []]));
  for (let round = 0; round < rounds; round++) {
    for (const clients of counts) found.get(clients)?.push(await slots(committers, MODES, { clients, seconds, round }));
    if (!(await goesOn())) break;
  }
  for (const [clients, times] of found) tell(when, clients, times);
}

function tell(when: string, clients: number, times: readonly Times<Mode>[]): void {
  const sync = added(times, 'sync', 'monolith');
  report(
    `${when}, ${String(clients).padStart(2)} clients, ms: ${modesText(MODES, times)}; sync adds ${spreadText(sync, 2)} to monolith, ` +
      `${spreadText(added(times, 'sync', 'async'), 2)} to async; goal ${GOAL_MS} ${median(sync) <= GOAL_MS ? 'met' : 'NOT MET'}`,
    {
      ...{
        when,
        clients,
        rounds: times.length,
        goal: GOAL_MS,
        added: sync,
        addedToAsync: added(times, 'sync', 'async'),
      },
      ...modesFigures(MODES, times),
    },
  );
}

/** The waits have to have ended well, or the figures are of something else. */
async function outcomes(pgfig: TestPgfig): Promise<void> {
  const text = await (await fetch(`http://127.0.0.1:${pgfig.adminPort}/metrics`)).text();
  const found = text.match(/^pgfig_apply_sync_total\{.*$/gm) ?? [];
  const counted = found.map((line) => line.replace(/^.*outcome="(\w+)".*\} (\d+)$/, '$1 $2'));
  report(`waits for the copy: ${counted.join(', ')}`, { outcomes: counted });
}

await stage('sync-latency', async (scope) => {
  const [source, target] = await Promise.all([openServer(scope, 15), openServer(scope, 18)]);
  await source.query('CREATE DATABASE shop');
  await source.query(`${SMALL}${FILL}${schemaOf('big')}`, 'shop');
  for (const copy of ['copy', 'copy_big']) await target.query(`CREATE DATABASE ${copy}`);
  await target.query(`${SMALL}${FILL}`, 'copy');
  await target.query(schemaOf('big'), 'copy_big');
  if (backlog > 0) await prepareBacklog(source, target);
  const pgfig = await serve(scope, source, target);
  const committers = await Committers.connect('127.0.0.1', pgfig.port, 'shop', most);
  scope.defer(() => committers.end());
  await warmUp(committers, MODES, most);
  await measure(committers, 'quiet', async () => true);
  if (backlog > 0) {
    await pgfig.writeRule('big', bigRule);
    const big = async (): Promise<Status | undefined> => (await statuses(pgfig)).find(({ domain }) => domain === 'big');
    await until(async () => ((await big())?.changes ?? 0) > 0, 'the backlog drains');
    await measure(committers, 'while a backlog drains', async () => (await big())?.whole === false);
    const left = await big();
    report(`the backlog: ${left?.changes} changes applied, ${left?.whole === false ? 'more waits' : 'none waits'}`, {
      applied: left?.changes,
      whole: left?.whole,
    });
  }
  await outcomes(pgfig);
});
