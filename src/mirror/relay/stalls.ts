import type { Config } from '../../config/config.js';
import { openMirrorClient } from '../connection.js';
import type { Mirror } from '../mirror.js';
import { snapshotText } from '../position/snapshot.js';
import { literal } from '../shape/table-shape.js';
import { ASIDE, closeAtOnce, RELAY_NAME } from './connections.js';
import type { RelayEvents } from './relay-events.js';
import type { RelayRow, RelayTable, Remedy } from './relay-table.js';
import { tableSql } from './target-store.js';

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 5 * 60_000;

/** When a table that was stalled is tried again. */
export interface Retry {
  readonly at: number;
  readonly pause: number;
}

/**
 * Tables to which nothing is applied until somebody has mended what is wrong with them: the others of the domain go on,
 * and their own changes wait in the outbox behind a position of their own.
 */
export class Stalls {
  readonly #config: Config;
  readonly #mirror: Mirror;
  readonly #owner: string;
  readonly #events: RelayEvents;
  readonly #retries: Map<string, Retry>;

  constructor(config: Config, mirror: Mirror, owner: string, retries: Map<string, Retry>, events: RelayEvents) {
    this.#retries = retries;
    this.#config = config;
    this.#mirror = mirror;
    this.#owner = owner;
    this.#events = events;
  }

  /**
   * Stalls a table, where the domain stands now; not one that has left the rule since the tables were read: its triggers
   * are being dropped. On a connection of its own: that of the turn may be in a COPY.
   * @throws what the driver throws
   */
  async stall(
    tables: readonly RelayTable[],
    { position }: RelayRow,
    name: string,
    reason: string,
    remedy: Remedy,
  ): Promise<void> {
    const { domain } = this.#mirror;
    const before = tables.find((table) => table.name === name);
    if (before === undefined) return;
    const own = before.position ?? position;
    const after: RelayTable = { ...before, state: 'stalled', reason, remedy, position: own, backfill: null };
    const known = await this.#update(
      name,
      `SELECT 1 FROM pgfig.relay WHERE domain = ${literal(domain)} AND owner = '${this.#owner}' ` +
        `AND position::text = '${snapshotText(position)}' FOR UPDATE`,
      tableSql(domain, before, after),
    );
    if (!known) return;
    const pause = Math.min((this.#retries.get(name)?.pause ?? FIRST_RETRY_MS / 2) * 2, LONGEST_RETRY_MS);
    this.#retries.set(name, { at: performance.now() + pause, pause });
    this.#events.onStalled(this.#mirror, name, reason);
  }

  /** Tables as they are, but that those go on whose next try is due. */
  async retried(tables: readonly RelayTable[]): Promise<readonly RelayTable[]> {
    return Promise.all(
      tables.map(async (table) => {
        if (table.state !== 'stalled') {
          if (table.position === null) this.#retries.delete(table.name);
          return table;
        }
        if (table.remedy !== 'retry' || !this.#due(table.name)) return table;
        return this.#goOn(table);
      }),
    );
  }

  #due(name: string): boolean {
    const retry = this.#retries.get(name);
    return retry === undefined || performance.now() >= retry.at;
  }

  async #goOn(table: RelayTable): Promise<RelayTable> {
    const after: RelayTable = { ...table, state: 'in-step', reason: null, remedy: null };
    if (!(await this.#update(table.name, tableSql(this.#mirror.domain, table, after)))) return table;
    this.#events.onGoesOn(this.#mirror, table.name);
    return after;
  }

  /** @returns false: the table is none of the domain's any more */
  async #update(table: string, ...statements: readonly string[]): Promise<boolean> {
    const { domain, target } = this.#mirror;
    const client = await openMirrorClient(this.#config, target, `${RELAY_NAME} of ${domain}`, ASIDE);
    try {
      await client.query('BEGIN');
      const known = 'SELECT FROM pgfig.relay_tables WHERE domain = $1 AND table_name = $2';
      if ((await client.query(known, [domain, table])).rowCount === 0) return false;
      for (const sql of statements) {
        const { rowCount } = await client.query(sql);
        if (rowCount !== 1) throw new Error(`domain ${domain} has changed under the relay`);
      }
      await client.query('COMMIT');
      return true;
    } finally {
      closeAtOnce(client);
    }
  }
}
