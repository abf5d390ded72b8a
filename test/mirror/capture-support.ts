import pg from 'pg';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import { freePort } from '../../src/embedded/postgres-server.js';
import { type Installed, type InstallOptions, installMirror } from '../../src/mirror/capture/install.js';
import { DEFAULT_MIRROR, type Mirror } from '../../src/mirror/mirror.js';
import { writeConfig } from '../support/pgfig.js';
import type { TestPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';

export interface OutboxRow {
  readonly op: string;
  readonly table: string;
  readonly key: string | null;
}

/** A source and a target with the same tables, and what a test asks of them. */
export interface Pair {
  readonly config: Config;
  readonly mirror: Mirror;
  readonly source: TestPostgres;
  readonly target: TestPostgres;
  /** Names of their databases. */
  readonly from: string;
  readonly to: string;
  install(options?: InstallOptions & { readonly mirror?: Partial<Mirror> }): Promise<Installed>;
  /** A connection of its own, ended by the test's teardown. */
  connect(side: 'source' | 'target', user?: string): Promise<pg.Client>;
  /** What the statements recorded, in order; the outbox is empty afterwards. */
  recorded(work: string | (() => Promise<unknown>)): Promise<readonly OutboxRow[]>;
}

let pairs = 0;

/**
 * Makes two databases of their own with the schema.
 * @param users in the urls of source and target, in place of the superuser
 */
export async function makePair(
  source: TestPostgres,
  target: TestPostgres,
  schema: string,
  tables: readonly string[],
  users: { readonly source?: string; readonly target?: string } = {},
): Promise<Pair> {
  pairs += 1;
  const [from, to] = [`from_${process.pid}_${pairs}`, `to_${process.pid}_${pairs}`];
  await source.query(`CREATE DATABASE ${from}`);
  await target.query(`CREATE DATABASE ${to}`);
  await source.query(schema, from);
  await target.query(schema, to);
  const urlOf = (server: TestPostgres, dbname: string, user = 'postgres'): string =>
    server.url(dbname).replace('//postgres:postgres@', `//${user}:postgres@`);
  const config = loadConfig(
    await writeConfig(
      { databases: { monolith: urlOf(source, from, users.source), orders_db: urlOf(target, to, users.target) } },
      { listen: await freePort(), admin: await freePort() },
    ),
  );
  const mirror: Mirror = {
    domain: 'orders',
    phase: 'dual-write',
    source: 'monolith',
    target: 'orders_db',
    tables,
    rule: DEFAULT_MIRROR,
  };
  const pair: Pair = {
    ...{ config, mirror, source, target, from, to },
    install: ({ mirror: changed = {}, ...options } = {}) => installMirror(config, { ...mirror, ...changed }, options),
    connect: async (side, user) => {
      const url = side === 'source' ? urlOf(source, from, user) : urlOf(target, to, user);
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect();
      await onTeardown(() => client.end().catch(() => undefined));
      return client;
    },
    recorded: async (work) => {
      await source.query('DELETE FROM pgfig.outbox', from);
      if (typeof work === 'string') await source.query(work, from);
      else await work();
      const { rows } = await source.query<OutboxRow>(
        'SELECT op::text, tbl::regclass::text AS "table", key FROM pgfig.outbox ORDER BY id',
        from,
      );
      return rows;
    },
  };
  return pair;
}

/** 'U orders 1', in order. */
export const texts = (rows: readonly OutboxRow[]): readonly string[] =>
  rows.map(({ op, table, key }) => `${op} ${table} ${key ?? '-'}`);
