import type { Lead } from './lease.js';
import { Prepared } from './prepared.js';
import type { RelayRow, RelayTable, Remedy } from './relay-table.js';
import { isConflict, isLost, isOfTable, sqlstateOf } from './sqlstate.js';
import type { Retry, Stalls } from './stalls.js';
import { TableRefused, TablesChanged } from './turn.js';
import { unreadable } from './unreadable.js';

/** What is known of the next turn, also by a relay with new connections. */
export interface RelayMemory {
  /** It takes the path that can tell which table is refused. */
  streaming: boolean;
  /** It takes all that waits: a part of it conflicts with rows that the rest changes. */
  all: boolean;
  /** When tables that were stalled are tried again, by name. */
  readonly retries: Map<string, Retry>;
}

/** Where the relay stood when its turn failed. */
export interface Stood {
  readonly row: RelayRow;
  readonly tables: readonly RelayTable[];
}

/** What a turn that has failed leads to: tables that are stalled, another path of the next turn, or new connections. */
export class FailedTurn {
  readonly #lead: Lead;
  readonly #memory: RelayMemory;
  readonly #stalls: Stalls;

  constructor(lead: Lead, memory: RelayMemory, stalls: Stalls) {
    this.#lead = lead;
    this.#memory = memory;
    this.#stalls = stalls;
  }

  /**
   * Mends what another turn on the same connections can mend. Tables' rows may have changed afterwards.
   * @throws the error where it takes new connections
   */
  async mend(error: unknown, stood: Stood): Promise<void> {
    const state = sqlstateOf(error);
    if (error instanceof TableRefused) {
      await this.#refused(error, state, stood);
      // In the middle of a COPY neither connection answers anything else any more.
      throw error;
    }
    if (isLost(state)) throw error;
    const { source, target } = this.#lead;
    await target.query('ROLLBACK');
    await source.client.query('ROLLBACK');
    for (const client of [source.client, target]) await Prepared.of(client).forget();
    if (error instanceof TablesChanged) {
      for (const [table, reason] of error.reasons) await this.#stall(stood, table, reason, 'backfill');
    } else if (isOfTable(state)) {
      const mended = await this.#stallUnreadable(stood);
      if (!mended && this.#memory.streaming) throw error;
      this.#memory.streaming = true;
    } else throw error;
  }

  async #refused(error: TableRefused, state: string, stood: Stood): Promise<void> {
    if (!isOfTable(state)) return;
    // Rows of different moments may collide where those of one moment do not.
    if (isConflict(state) && !this.#memory.all) this.#memory.all = true;
    else await this.#stall(stood, error.table, error.message, 'retry');
  }

  /** A table that cannot be read must not hold up the others. @returns whether there was one */
  async #stallUnreadable(stood: Stood): Promise<boolean> {
    const inStep = stood.tables.filter(({ state }) => state === 'in-step');
    const refused = await unreadable(this.#lead.source.client, inStep);
    for (const { table, reason, remedy } of refused) await this.#stall(stood, table, reason, remedy);
    return refused.length > 0;
  }

  async #stall({ tables, row }: Stood, table: string, reason: string, remedy: Remedy): Promise<void> {
    await this.#stalls.stall(tables, row, table, reason, remedy);
  }
}
