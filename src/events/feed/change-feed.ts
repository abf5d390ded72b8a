import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';
import { crashPoint } from '../../mirror/crash-points.js';
import type { Snapshot } from '../../mirror/position/snapshot.js';
import type { Envelope } from '../envelope.js';
import { type EventSink, type FeedStatus, SendFailure } from '../event.js';
import { type FeedOptions, LeasedFeed } from '../leased-feed.js';
import { ownerName } from '../owner.js';
import { type FeedTable, type FeedTables, readFeedTables } from './feed-table.js';
import { type PageNames, TableFailure } from './page.js';
import { forgetUncaptured, movePosition, moveTable, type Positions, readPositions, setApart } from './positions.js';
import { TablesUnknown, type TurnOutcome, type TurnScope, takeTurn } from './turn.js';
import { anyWaiting, countWaiting, type Since } from './waiting.js';

export interface ChangeFeedOptions extends FeedOptions {
  readonly domain: string;
  readonly envelope: Envelope;
  /** Whole name of a table's topic; several tables may share one. */
  topicOf(table: string): string;
  /** Whether tables share a topic, so that keys have to say of which table they are. */
  readonly shared: boolean;
}

/** Advisory lock on the source, (this, mirrors.id): whoever has it runs the feed. */
export const FEED_LOCK = 706_466_713;

/** No bitmap: it reads all entries of a backlog for the first few, whenever the outbox's statistics lag behind. */
export const FEED_SETTINGS = "SET IntervalStyle = 'iso_8601'; SET enable_bitmapscan = off";

const REFRESH_MS = 30_000;
/** Counting what waits takes a twentieth of the time at most. */
const MEASURE_MS = 2_000;
const MEASURE_SHARE = 20;

/**
 * The change feed of one mirrored domain: every changed key's state goes to Kafka. It has a position of its own, so it
 * holds up nothing but the collection of what it has not sent.
 */
export class ChangeFeed extends LeasedFeed<ChangeFeedOptions> {
  readonly #names: PageNames;
  #tables: FeedTables | null = null;
  #positions: Positions | null = null;
  /** Tables with their own position that have sent all that waited: they may go with the others again. */
  readonly #joining = new Set<string>();
  #refreshAt = 0;
  #measureAt = 0;
  #clearAt = 0;

  constructor(options: ChangeFeedOptions) {
    super(options);
    const { domain, shared } = options;
    this.#names = {
      domain,
      topicOf: options.topicOf,
      keyOf: (table, key) => (shared ? `{"table":${JSON.stringify(table)},"key":${key}}` : key),
    };
  }

  get status(): FeedStatus {
    const known = this.loop.state !== 'standby';
    const since = Math.max(this.#positions?.at.getTime() ?? 0, this.#clearAt);
    const lag = this.waiting === 0 ? 0 : (Date.now() - since) / 1_000;
    return {
      domain: this.options.domain,
      kind: 'changes',
      ...this.common,
      waiting: known ? this.waiting : null,
      lag: known && this.waiting !== null && since > 0 ? Math.max(lag, 0) : null,
      warnings: [],
    };
  }

  async elect(client: pg.Client): Promise<string | null> {
    const { domain } = this.options;
    const { rows } = await client.query<{ leads: boolean }>(
      'SELECT pg_try_advisory_lock($1, id) AS leads FROM pgfig.mirrors WHERE domain = $2',
      [FEED_LOCK, domain],
    );
    const [row] = rows;
    if (row === undefined) throw notCaptured(domain);
    return row.leads ? ownerName(client, 'changes', domain) : null;
  }

  async begin(client: pg.Client): Promise<void> {
    this.#refreshAt = 0;
    this.#joining.clear();
    await client.query(FEED_SETTINGS);
    await this.#refresh(client);
  }

  async measure(client: pg.Client): Promise<void> {
    const began = Date.now();
    if (began < this.#measureAt) return;
    const { tables, positions } = await this.#refresh(client);
    this.waiting = await countWaiting(client, [...this.#since(tables, positions)]);
    this.#measureAt = Date.now() + Math.max(MEASURE_MS, MEASURE_SHARE * (Date.now() - began));
  }

  async turn(client: pg.Client, sink: EventSink): Promise<boolean> {
    const { tables, positions } = await this.#refresh(client);
    for (const table of tables.tables) {
      const own = positions.apart.get(table.name);
      if (own !== undefined && !this.#joining.has(table.name) && this.stalls.due(table.name)) {
        await this.#turnApart(client, sink, table, own);
      }
    }
    return this.#turnTogether(client, sink);
  }

  /** @returns whether more waits */
  async #turnTogether(client: pg.Client, sink: EventSink): Promise<boolean> {
    const { tables, positions } = await this.#refresh(client);
    const steady = tables.tables.filter(({ name }) => !positions.apart.has(name));
    const joining = tables.tables.filter(({ name }) => this.#joining.has(name));
    if (steady.length === 0 && joining.length === 0) return false;
    const { mirror } = tables;
    const asked = Date.now();
    if (joining.length === 0 && !(await anyWaiting(client, [sinceOf(mirror, steady, positions.position)]))) {
      this.#clearAt = asked;
      this.waiting = 0;
      return false;
    }
    const scope = {
      tables: [...steady, ...joining],
      since: sinceOf(mirror, steady, positions.position),
      joining: joining.map((table) => sinceOf(mirror, [table], positions.apart.get(table.name) ?? positions.position)),
    };
    const taken = await this.#guarded(client, () => this.#take(client, sink, scope));
    if (taken === null) return true;
    const joined = taken.whole ? joining.map(({ name }) => name) : [];
    if (taken.whole) this.#clearAt = taken.moment.getTime();
    crashPoint('kafka-before-position');
    await movePosition(client, positions, taken.to, joined, taken.whole ? taken.moment : null);
    for (const name of joined) this.#joining.delete(name);
    this.#positions = null;
    return true;
  }

  async #turnApart(client: pg.Client, sink: EventSink, table: FeedTable, own: Snapshot): Promise<void> {
    const { tables, positions } = await this.#refresh(client);
    const scope = { tables: [table], since: sinceOf(tables.mirror, [table], own), joining: [] };
    const taken = await this.#guarded(client, () => this.#take(client, sink, scope));
    if (taken === null) return;
    await moveTable(client, positions, table.name, taken.to);
    this.#positions = null;
    this.stalls.end(table.name);
    if (taken.whole) this.#joining.add(table.name);
  }

  async #take(
    client: pg.Client,
    sink: EventSink,
    scope: Pick<TurnScope, 'tables' | 'since' | 'joining'>,
  ): Promise<TurnOutcome> {
    const { envelope } = this.options;
    const taken = await takeTurn(client, sink, { ...scope, known: oidsOf(this.#tables), names: this.#names, envelope });
    this.sent += taken.messages;
    return taken;
  }

  /** What is wrong with single tables stalls these. @returns null: the turn is to be taken anew without them */
  async #guarded<T>(client: pg.Client, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof TableFailure) {
        await client.query('ROLLBACK');
        await client.query('CLOSE ALL');
        this.#refreshAt = 0;
        await this.#stall(client, [error.table], error.message);
        return null;
      }
      if (error instanceof TablesUnknown) {
        await client.query('ROLLBACK');
        this.#refreshAt = 0;
        return null;
      }
      if (!(error instanceof SendFailure)) throw error;
      await client.query('CLOSE ALL');
      if (error.kind !== 'refused') throw error;
      await this.#stall(client, error.tables, error.message);
      throw new SendFailure('at-once', error.message, { cause: error });
    }
  }

  async #stall(client: pg.Client, tables: readonly string[], reason: string): Promise<void> {
    const positions = this.#positions ?? (await readPositions(client, (await this.#refresh(client)).tables.mirror));
    const fresh = tables.filter((table) => !positions.apart.has(table));
    await setApart(client, positions, fresh);
    this.#positions = null;
    for (const table of tables) {
      this.#joining.delete(table);
      this.stalls.begin(table, reason);
    }
  }

  /** @throws PgfigError EVENTS_NOT_CAPTURED */
  async #refresh(client: pg.Client): Promise<{ tables: FeedTables; positions: Positions }> {
    const { domain } = this.options;
    if (this.#tables === null || Date.now() > this.#refreshAt) {
      this.#tables = await readFeedTables(client, domain);
      if (this.#tables === null) throw notCaptured(domain);
      this.#refreshAt = Date.now() + REFRESH_MS;
      this.#positions = await readPositions(client, this.#tables.mirror);
      await this.#settle(client, this.#tables);
    }
    this.#positions ??= await readPositions(client, this.#tables.mirror);
    return { tables: this.#tables, positions: this.#positions };
  }

  /** Tables that are captured no longer need no position; those that no feed can be made of keep theirs. */
  async #settle(client: pg.Client, { mirror, tables, unfit }: FeedTables): Promise<void> {
    const known = new Set([...tables, ...unfit].map(({ name }) => name));
    await forgetUncaptured(client, mirror);
    for (const { table } of this.stalls.list()) if (!known.has(table)) this.stalls.end(table);
    for (const { name, problem } of unfit) await this.#stall(client, [name], problem);
  }

  *#since({ mirror, tables, unfit }: FeedTables, { position, apart }: Positions): Iterable<Since> {
    const all = [...tables, ...unfit];
    const steady = all.filter(({ name }) => !apart.has(name));
    if (steady.length > 0) yield sinceOf(mirror, steady, position);
    for (const one of all) {
      const own = apart.get(one.name);
      if (own !== undefined) yield sinceOf(mirror, [one], own);
    }
  }
}

const sinceOf = (mirror: number, tables: readonly { readonly oid: number }[], position: Snapshot): Since => ({
  mirror,
  oids: tables.map(({ oid }) => oid),
  position,
});

const oidsOf = (known: FeedTables | null): ReadonlySet<number> =>
  new Set(known === null ? [] : [...known.tables, ...known.unfit].map(({ oid }) => oid));

const notCaptured = (domain: string): PgfigError =>
  new PgfigError('EVENTS_NOT_CAPTURED', `no changes of domain ${domain} are captured, so there are none to send`);
