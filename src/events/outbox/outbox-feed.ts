import pg from 'pg';
import { ensureSchemaPart } from '../../backend/schema-steps.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { OutboxRule } from '../../rules/rule-set.js';
import { type EventSink, type FeedStatus, SendFailure } from '../event.js';
import { type FeedOptions, LeasedFeed } from '../leased-feed.js';
import { ownerName } from '../owner.js';
import { type OutboxNames, outboxMessage } from './outbox-message.js';
import { type OutboxTable, readOutboxTable } from './outbox-table.js';
import { type OutboxTurn, takeOutboxTurn } from './outbox-turn.js';
import { PUBLISH_SCHEMA, PUBLISHED, PUBLISHED_COLUMNS } from './publish-schema.js';

export interface OutboxFeedOptions extends FeedOptions {
  readonly rule: OutboxRule;
  readonly names: OutboxNames;
}

/** Second half of the hash that makes the advisory lock on a domain's outbox tables. */
const OUTBOX_LOCK = 706_466_714;
const REFRESH_MS = 30_000;
/** Looking for events, and counting those that wait, each take a twentieth of the time at most. */
const MEASURE_MS = 5_000;
const SHARE = 20;
/** What costs less is never put off. */
const CHEAP_MS = 50;
/** A turn that sends so many is worth its price. */
const WORTH_ROWS = 100;

/** Relays the outbox tables of one domain: every event that has committed, in order for each aggregate. */
export class OutboxFeed extends LeasedFeed<OutboxFeedOptions> {
  readonly #tables = new Map<string, OutboxTable>();
  /** When a table that is slow to read may be read again. */
  readonly #readAt = new Map<string, number>();
  /** Warnings that were told, by table. */
  readonly #warned = new Map<string, string>();
  #refreshAt = 0;
  #measureAt = 0;
  #clearAt = Date.now();

  get status(): FeedStatus {
    const known = this.loop.state !== 'standby' && this.waiting !== null;
    return {
      domain: this.options.names.domain,
      kind: 'outbox',
      ...this.common,
      waiting: known ? this.waiting : null,
      lag: known ? (this.waiting === 0 ? 0 : (Date.now() - this.#clearAt) / 1_000) : null,
      warnings: [...this.#warned].map(([table, warning]) => ({ table, warning })),
    };
  }

  /** What is stalled is tried again now; its definition is read anew, too. */
  override retry(): void {
    this.#refreshAt = 0;
    super.retry();
  }

  async elect(client: pg.Client): Promise<string | null> {
    const { domain } = this.options.names;
    const { rows } = await client.query<{ leads: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, $2)) AS leads',
      [`pgfig outbox ${domain}`, OUTBOX_LOCK],
    );
    return rows[0]?.leads === true ? ownerName(client, 'outbox', domain) : null;
  }

  async begin(client: pg.Client): Promise<void> {
    await client.query("SET IntervalStyle = 'iso_8601'");
    this.#refreshAt = 0;
  }

  async measure(client: pg.Client): Promise<void> {
    await this.#refresh(client);
    const began = performance.now();
    if (began < this.#measureAt) return;
    let waiting = 0;
    for (const { name, countSql } of this.#tables.values()) {
      const found = await this.#ofTable(client, name, () => client.query<{ count: string }>(countSql));
      waiting += Number(found?.rows[0]?.count ?? 0);
    }
    this.#note(waiting);
    const now = performance.now();
    this.#measureAt = now + Math.max(MEASURE_MS, SHARE * (now - began));
  }

  async turn(client: pg.Client, sink: EventSink): Promise<boolean> {
    let any = false;
    let all = true;
    for (const table of this.#tables.values()) {
      if (!this.stalls.due(table.name)) continue;
      if (performance.now() < (this.#readAt.get(table.name) ?? 0)) {
        all = false;
        continue;
      }
      const taken = await this.#ofTable(client, table.name, () => this.#take(client, sink, table));
      if (taken === null) continue;
      this.stalls.end(table.name);
      this.sent += taken.sent;
      const slow = taken.read > CHEAP_MS && taken.sent < WORTH_ROWS;
      this.#readAt.set(table.name, slow ? performance.now() + SHARE * taken.read : 0);
      any ||= taken.more;
    }
    if (all && !any && this.stalls.list().length === 0) this.#note(0);
    return any;
  }

  #take(client: pg.Client, sink: EventSink, table: OutboxTable): Promise<OutboxTurn> {
    const { names } = this.options;
    return takeOutboxTurn(client, sink, table, (event, from, moment) => outboxMessage(event, from, moment, names));
  }

  #note(waiting: number): void {
    this.waiting = waiting;
    if (waiting === 0) this.#clearAt = Date.now();
  }

  async #refresh(client: pg.Client): Promise<void> {
    if (Date.now() < this.#refreshAt) return;
    const { rule } = this.options;
    this.#tables.clear();
    if (rule.publish) {
      await this.#ofTable(client, PUBLISHED, async () => {
        await ensureSchemaPart(client, PUBLISH_SCHEMA);
        this.#tables.set(PUBLISHED, await readOutboxTable(client, PUBLISHED, PUBLISHED_COLUMNS, 'delete'));
      });
    }
    for (const name of rule.tables) {
      await this.#ofTable(client, name, async () => {
        const table = await readOutboxTable(client, name, rule.columns, rule.after);
        this.#tables.set(name, table);
        this.#warn(table);
      });
    }
    this.#refreshAt = Date.now() + REFRESH_MS;
  }

  #warn({ name, warning }: OutboxTable): void {
    if (warning === null) this.#warned.delete(name);
    else if (this.#warned.get(name) !== warning) {
      this.#warned.set(name, warning);
      this.options.listener.onWarning(name, warning);
    }
  }

  /** What is wrong with one table stalls that one. @returns null: it does */
  async #ofTable<T>(client: pg.Client, table: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SendFailure) {
        if (error.kind !== 'refused') throw error;
        this.stalls.begin(table, error.message);
        throw new SendFailure('at-once', error.message, { cause: error });
      }
      if (!isOfTheTable(error)) throw error;
      await client.query('ROLLBACK');
      this.stalls.begin(table, reasonOf(error));
      return null;
    }
  }
}

/** SQLSTATE classes of what is wrong with the connection, the server or the moment, and not with a table. */
const NOT_OF_THE_TABLE = /^(?:08|25|40|53|55|57|58|XX)/;

function isOfTheTable(error: unknown): boolean {
  if (error instanceof PgfigError) return error.code === 'OUTBOX_UNFIT';
  return error instanceof pg.DatabaseError && error.code !== undefined && !NOT_OF_THE_TABLE.test(error.code);
}

function reasonOf(error: unknown): string {
  if (error instanceof PgfigError && error.hint !== undefined) return `${error.message}. ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}
