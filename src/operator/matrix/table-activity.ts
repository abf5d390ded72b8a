import type pg from 'pg';
import { connectPg } from '../../backend/pg-client.js';
import type { Config, DatabaseConfig } from '../../config/config.js';
import type { Activity, TableCounters } from './activity.js';
import { readActivities, writeActivities } from './activity-rows.js';
import { judged } from './judge-activity.js';
import { ensureMatrixSchema } from './matrix-schema.js';
import { type OwnCounts, readOwnCounts, workOn } from './own-work.js';
import { hasSettled, readServerCounters, type ServerCounters, serverTime } from './server-counters.js';

/** Any numbers that nothing else of pgfig's locks. */
const STORE_LOCK = 7_064_667_102;
const ONCE_LOCK = 7_064_667_103;
const LOCK_TIMEOUT = '5s';
const POLL_MS = 250;

export interface Comparison {
  readonly activities: readonly Activity[];
  /** Databases whose counters could not be read. */
  readonly failures: ReadonlyMap<string, Error>;
}

export interface CompareOptions {
  /** Has what all of pgfig has counted until now stored. @throws Error where it cannot be */
  flush(): Promise<void>;
  /** How long to wait for connections to hand over what they have counted, so that a baseline can be taken; ms. */
  readonly patience: number;
  /** Between reading the servers' counters and the last flush: an answer needs its time to reach pgfig; ms. */
  readonly lag: number;
  /** Whether tables that have a baseline get a new one. */
  readonly renew: boolean;
  /** Calls it off: nothing is stored then. */
  readonly signal?: AbortSignal;
}

interface Look {
  readonly counters: ServerCounters;
  readonly settled: boolean;
}

/**
 * Holds what the servers count of their tables (pg_stat_user_tables) against what pgfig has counted, for all tables of
 * all databases, and stores what cannot be pgfig's in `pgfig.table_activity`.
 *
 * The order is all: pgfig's counts, the servers', pgfig's again. What the servers have then and had not at the last
 * look, pgfig has counted between its first reading of then and its second of now, if it passed through pgfig at all.
 * Nothing is locked for that but a row of pgfig's own; instances of a fleet that look at once store one after the other.
 */
export class TableActivity {
  readonly #config: Config;

  constructor(config: Config) {
    this.#config = config;
  }

  /** @throws what the driver throws where the control database fails, and what `flush` throws */
  compare(options: CompareOptions): Promise<Comparison> {
    return this.#withControl((control) => this.#compare(control, options));
  }

  /**
   * The same, once in a fleet.
   * @param within milliseconds
   * @returns null: another does it now, or has taken a baseline within that time
   * @throws as compare
   */
  compareOnce(options: CompareOptions, within: number): Promise<Comparison | null> {
    return this.#withControl(async (control) => {
      const lock = await control.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [ONCE_LOCK]);
      if (lock.rows[0]?.mine !== true) return null;
      const since = Date.now() - within;
      const lately = (await readActivities(control)).some(({ baseline }) => (baseline?.at ?? 0) > since);
      return lately ? null : this.#compare(control, options);
    });
  }

  async #withControl<T>(work: (control: pg.Client) => Promise<T>): Promise<T> {
    const control = await this.#connect(this.#config.control);
    try {
      await ensureMatrixSchema(control);
      return await work(control);
    } finally {
      await control.end().catch(() => {});
    }
  }

  async #compare(control: pg.Client, options: CompareOptions): Promise<Comparison> {
    await options.flush();
    const before = await readOwnCounts(control);
    const looks = new Map<string, Look>();
    const failures = new Map<string, Error>();
    await Promise.all(
      [...this.#config.databases.values()].map(async (database) => {
        try {
          looks.set(database.name, await this.#look(database, options));
        } catch (error) {
          failures.set(database.name, error instanceof Error ? error : new Error(String(error)));
        }
      }),
    );
    await pause(options.lag, options.signal);
    // Without the time that answers need, it could tell what is not so.
    if (options.signal?.aborted === true) throw new Error('the comparison was called off');
    await options.flush();
    const after = await readOwnCounts(control);
    return { activities: await store(control, { looks, before, after, renew: options.renew }), failures };
  }

  async #look(database: DatabaseConfig, { patience, signal }: CompareOptions): Promise<Look> {
    const client = await this.#connect(database);
    try {
      const began = await serverTime(client);
      const deadline = Date.now() + patience;
      let settled = await hasSettled(client, began);
      while (!settled && Date.now() < deadline && signal?.aborted !== true) {
        await pause(POLL_MS, signal);
        settled = await hasSettled(client, began);
      }
      return { settled, counters: await readServerCounters(client) };
    } finally {
      await client.end().catch(() => {});
    }
  }

  async #connect(database: DatabaseConfig): Promise<pg.Client> {
    const client = await connectPg(this.#config, database, 'pgfig activity');
    try {
      await client.query('SET search_path = pg_catalog');
      await client.query(`SET lock_timeout = '${LOCK_TIMEOUT}'`);
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }
}

interface Looks {
  readonly looks: ReadonlyMap<string, Look>;
  readonly before: OwnCounts;
  readonly after: OwnCounts;
  readonly renew: boolean;
}

async function store(control: pg.ClientBase, found: Looks): Promise<readonly Activity[]> {
  await control.query('BEGIN');
  try {
    await control.query('SELECT pg_advisory_xact_lock($1)', [STORE_LOCK]);
    const known = await readActivities(control);
    const all = new Map(known.map((activity) => [placeOf(activity.database, activity.table), activity]));
    const changed: Activity[] = [];
    for (const [database, look] of found.looks) {
      for (const [table, counters] of look.counters.tables) {
        const place = placeOf(database, table);
        const before = all.get(place) ?? null;
        const now = judged(before, momentOf(found, database, look, table, counters));
        if (now === before) continue;
        changed.push(now);
        all.set(place, now);
      }
    }
    await writeActivities(
      control,
      changed.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    );
    await control.query('COMMIT');
    return [...all.values()];
  } catch (error) {
    await control.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

const placeOf = (database: string, table: string): string => `${database}\0${table}`;
const keyOf = ({ database, table }: Activity): string => placeOf(database, table);

function momentOf(
  { before, after, renew }: Looks,
  database: string,
  { counters: server, settled }: Look,
  table: string,
  counters: TableCounters,
): Parameters<typeof judged>[1] {
  const partitions = server.partitions.get(table) ?? [];
  const related = counters.related.filter((other) => other !== table);
  return {
    ...{ database, table, at: server.at, server: server.server, settled, renew, counters },
    relatedWrites: related.reduce((sum, other) => sum + (server.tables.get(other)?.writes ?? 0), 0),
    ownBefore: workOn(before.tables.get(database), table, partitions),
    ownAfter: workOn(after.tables.get(database), table, partitions),
    unseenBefore: before.unseen.get(database) ?? 0,
    unseenAfter: after.unseen.get(database) ?? 0,
  };
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
