import { DomainRelay } from '../../src/mirror/relay/domain-relay.js';
import type { RelayEvents } from '../../src/mirror/relay/relay-events.js';
import type { TestPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import type { Pair } from './capture-support.js';

/** What a relay has told of itself. */
export interface Told {
  readonly roles: string[];
  readonly stalled: string[];
  readonly errors: string[];
  changes: number;
  turns: number;
}

export interface TestRelay {
  readonly relay: DomainRelay;
  readonly told: Told;
  /** Polls until the condition holds; rejects with what the relay has told after 20 s. */
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** A turn that began after now has been applied. */
  caughtUp(): Promise<void>;
}

/** Starts a relay in this process; closed by the test's teardown. */
export async function startRelay(pair: Pair, events: Partial<RelayEvents> = {}): Promise<TestRelay> {
  const told: Told = { roles: [], stalled: [], errors: [], changes: 0, turns: 0 };
  const relay = new DomainRelay(pair.config, pair.mirror, {
    onRole: (_, role) => told.roles.push(role),
    onTurn: (_, { changes }) => {
      told.changes += changes;
      told.turns += 1;
    },
    onStalled: (_, table, reason) => told.stalled.push(`${table}: ${reason}`),
    onGoesOn: () => {},
    onError: (_, error) => told.errors.push(error.message),
    ...events,
  });
  await onTeardown(() => relay.close());
  const until: TestRelay['until'] = async (condition, what) => {
    const deadline = Date.now() + 20_000;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`${what}: not in 20 s; ${JSON.stringify(told)} ${relay.status.error}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return {
    ...{ relay, told, until },
    caughtUp: () => until(async () => (await relay.turnAfterNow()) === 'applied', 'the relay catches up'),
  };
}

/** As after a backfill of tables that are empty. */
export async function inStep({ target, to }: Pair): Promise<void> {
  await target.query("UPDATE pgfig.relay_tables SET state = 'in-step'", to);
}

const EXACT =
  "SET extra_float_digits = 3; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; ";

/** All rows of a table as text, in an order of their own. */
export async function rowsOf(server: TestPostgres, dbname: string, table: string): Promise<string[]> {
  const answer: unknown = await server.query(
    `${EXACT} SELECT t::text AS row FROM ${table} t ORDER BY t::text COLLATE "C"`,
    dbname,
  );
  const results = answer as { rows: { row: string }[] }[];
  return results.at(-1)?.rows.map(({ row }) => row) ?? [];
}

/** Both copies of a table. */
export async function bothOf(pair: Pair, table: string): Promise<{ source: string[]; target: string[] }> {
  return {
    source: await rowsOf(pair.source, pair.from, table),
    target: await rowsOf(pair.target, pair.to, table),
  };
}
