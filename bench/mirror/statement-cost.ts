import { startPgfig, type TestPgfig } from '../../test/support/pgfig.js';
import type { TestPostgres } from '../../test/support/postgres.js';
import type { Scope } from '../harness/scope.js';
import { quantile } from '../report/statistics.js';
import { Committers, rowsFor } from './support/commits.js';
import { listOption, numberOption } from './support/options.js';
import { median, openServer, report, spreadText, stage, until } from './support/stage.js';

/**
 * What the statement mirror adds to the commit of one row through `pgfig serve`: in turns on three domains, in phase
 * monolith, in dual-write with `capture: outbox, apply: async`, and with `capture: statement`. An UPDATE that comes alone
 * gets a transaction of pgfig's own there, on both databases. The program fails where the copy lacks any of it.
 *
 *     node build/bench/mirror/statement-cost.js [--clients 1,8] [--seconds 1] [--rounds 9] [--fsync on|off] [--out FILE]
 */

/** A thousand commits: the engine has compiled what they run. */
const WARM_UP_SECONDS = 4;
const MODES = ['monolith', 'outbox', 'statement'] as const;
type Mode = (typeof MODES)[number];

const counts = listOption('clients', '1,8').map(Number);
const seconds = numberOption('seconds', 1);
const rounds = numberOption('rounds', 9);
const most = Math.max(...counts);

const TABLES = MODES.map(
  (mode) =>
    `CREATE TABLE ${mode}_t (id int PRIMARY KEY, n int NOT NULL, note text);
     INSERT INTO ${mode}_t SELECT i, 0, repeat('x', 80) FROM generate_series(0, ${rowsFor(most) - 1}) i;`,
).join('');

const rules = {
  one: { database: 'copy', tables: ['public.monolith_t'], phase: 'monolith' },
  two: { database: 'copy', tables: ['public.outbox_t'], phase: 'dual-write', mirror: { apply: 'async' } },
  three: {
    ...{ database: 'copy', tables: ['public.statement_t'], phase: 'dual-write' },
    // Long enough that a slow moment of the disk is measured, and not given up.
    mirror: { capture: 'statement', statementTimeout: '60s' },
  },
};

interface Status {
  readonly domain: string;
  readonly tables?: readonly { readonly state: string }[];
}

async function serve(scope: Scope, source: TestPostgres, target: TestPostgres): Promise<TestPgfig> {
  const databases = { monolith: source.url('shop'), copy: target.url('copy') };
  const pgfig = await startPgfig({ databases, rules, config: { listen: { workers: 2 } } });
  scope.defer(async () => {
    await pgfig.stop();
  });
  const tables = async (): Promise<Status['tables']> => {
    const answer = await fetch(`http://127.0.0.1:${pgfig.adminPort}/api/mirrors`);
    const { mirrors } = (await answer.json()) as { mirrors: Status[] };
    return mirrors.find(({ domain }) => domain === 'two')?.tables;
  };
  await until(async () => (await tables())?.[0] !== undefined, 'the relay leads');
  await target.query("UPDATE pgfig.relay_tables SET state = 'in-step'", 'copy');
  await until(async () => (await tables())?.[0]?.state === 'in-step', 'its table is in step');
  return pgfig;
}

type Times = Record<Mode, readonly number[]>;

/** One slot for each mode, beginning with another one each round. */
async function slots(committers: Committers, clients: number, round: number): Promise<Times> {
  const times: Times = { monolith: [], outbox: [], statement: [] };
  for (let at = 0; at < MODES.length; at++) {
    const mode = MODES[(at + round) % MODES.length] ?? 'statement';
    times[mode] = (await committers.run(`${mode}_t`, clients, seconds)).times;
  }
  return times;
}

function tell(clients: number, times: readonly Times[]): void {
  const at = (mode: Mode, q: number): number[] => times.map((one) => quantile(one[mode], q));
  const added = (to: Mode): number[] => times.map((one) => quantile(one.statement, 0.5) - quantile(one[to], 0.5));
  const parts = MODES.map((mode) => `${mode} ${spreadText(at(mode, 0.5), 2)} p99 ${median(at(mode, 0.99)).toFixed(1)}`);
  report(
    `${String(clients).padStart(2)} clients, ms: ${parts.join(', ')}; ` +
      `statement adds ${spreadText(added('monolith'), 2)} to monolith, ${spreadText(added('outbox'), 2)} to outbox`,
    {
      ...{ clients, rounds: times.length, added: added('monolith'), addedToOutbox: added('outbox') },
      ...Object.fromEntries(MODES.map((mode) => [mode, { p50: at(mode, 0.5), p99: at(mode, 0.99) }])),
    },
  );
}

/** Each commit must be in the copy too, or the figures are of something else. @throws Error */
async function compareCopies(source: TestPostgres, target: TestPostgres): Promise<void> {
  const sum = async (server: TestPostgres, database: string): Promise<number> =>
    Number((await server.query('SELECT sum(n) AS sum FROM statement_t', database)).rows[0]?.sum);
  const [here, there] = [await sum(source, 'shop'), await sum(target, 'copy')];
  if (here !== there || here === 0) throw new Error(`of ${here} changes the copy has ${there}`);
  report(`the copy has all ${here} changes of the statement mirror`, { changes: here });
}

await stage('statement-cost', async (scope) => {
  const [source, target] = await Promise.all([openServer(scope, 15), openServer(scope, 18)]);
  await source.query('CREATE DATABASE shop');
  await target.query('CREATE DATABASE copy');
  await source.query(TABLES, 'shop');
  await target.query(TABLES, 'copy');
  const pgfig = await serve(scope, source, target);
  const committers = await Committers.connect('127.0.0.1', pgfig.port, 'shop', most);
  scope.defer(() => committers.end());
  for (const mode of MODES) {
    await committers.run(`${mode}_t`, most, 1);
    await committers.run(`${mode}_t`, 1, WARM_UP_SECONDS);
  }
  const found = new Map<number, Times[]>(counts.map((clients) => [clients, []]));
  for (let round = 0; round < rounds; round++) {
    for (const clients of counts) found.get(clients)?.push(await slots(committers, clients, round));
  }
  for (const [clients, times] of found) tell(clients, times);
  await compareCopies(source, target);
});
