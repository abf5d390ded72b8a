import type pg from 'pg';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import type { Divergence } from '../../src/jobs/verify/divergence.js';
import { TableVerify } from '../../src/jobs/verify/table-verify.js';
import type { VerifyOptions, VerifyState } from '../../src/jobs/verify/verify-state.js';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { readShapes } from '../../src/mirror/shape/read-shapes.js';
import { writeConfig } from '../support/pgfig.js';
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';

/** A source and a target of different versions, at rest: what one transaction sees on both is one moment. */
export interface ServerPair {
  readonly source: TestPostgres;
  readonly target: TestPostgres;
  readonly config: Config;
  readonly configFile: string;
  /** Runs the SQL on both. */
  both(sql: string): Promise<void>;
  /** Both connections in a transaction each, as in a turn of the relay; ended afterwards. */
  inTurn<T>(work: (sides: { source: pg.Client; target: pg.Client }) => Promise<T>): Promise<T>;
}

export async function startPair(rules: Record<string, Record<string, unknown>> = {}): Promise<ServerPair> {
  const [source, target] = await Promise.all([startPostgres({ version: hasPostgres(15) ? 15 : 18 }), startPostgres()]);
  const databases = { monolith: source.url(), new_db: target.url() };
  const configFile = await writeConfig({ databases, rules }, { listen: 1, admin: 2 });
  const config = loadConfig(configFile);
  const clients = await Promise.all(['monolith', 'new_db'].map((name) => openMirrorClient(config, name, 'test')));
  const [here, there] = clients as [pg.Client, pg.Client];
  await onTeardown(async () => void (await Promise.all(clients.map((client) => client.end()))));
  await here.query('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off');
  return {
    source,
    target,
    config,
    configFile,
    both: async (sql) => void (await Promise.all([source.query(sql), target.query(sql)])),
    inTurn: async (work) => {
      await here.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await there.query('BEGIN');
      try {
        return await work({ source: here, target: there });
      } finally {
        await Promise.all(clients.map((client) => client.query('ROLLBACK')));
      }
    },
  };
}

export interface Verified {
  /** By kind and key. */
  readonly found: readonly Divergence[];
  readonly states: readonly VerifyState[];
}

/** Verifies a table in steps of so many milliseconds, each in a turn of its own. */
export async function verified(
  pair: ServerPair,
  table: string,
  options: Partial<VerifyOptions> & { readonly budget?: number } = {},
): Promise<Verified> {
  const { budget = 1_000, ...rest } = options;
  const verify = new TableVerify(table, { sample: 100, seed: 'test', values: false, most: 10_000, ...rest });
  const found: Divergence[] = [];
  const states: VerifyState[] = [];
  while (!verify.done) {
    const more = await pair.inTurn(async (sides) => {
      const [here, there] = [await readShapes(sides.source, [table]), await readShapes(sides.target, [table])];
      const [mine, theirs] = [here.get(table), there.get(table)];
      if (mine === undefined || theirs === undefined) throw new Error(`${table} is not on both sides`);
      return verify.step(sides, mine, theirs, budget);
    });
    verify.took(more);
    found.push(...more.found);
    states.push(verify.state);
  }
  return { found: found.toSorted((a, b) => order(a, b)), states };
}

const order = (a: Divergence, b: Divergence): number =>
  a.kind === b.kind ? (a.key < b.key ? -1 : 1) : a.kind < b.kind ? -1 : 1;

/** 'kind key columns' */
export const brief = ({ found }: Verified): string[] =>
  found.map(({ kind, key, columns }) => [kind, key, ...columns].join(' '));
