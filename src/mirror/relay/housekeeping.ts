import type { Config } from '../../config/config.js';
import type { Mirror } from '../mirror.js';
import type { Snapshot } from '../position/snapshot.js';
import { ASIDE, closeAtOnce, openSource } from './connections.js';
import { eventsSince } from './events-sql.js';
import { type Swept, sweep } from './garbage.js';
import type { Backlog, RelayEvents } from './relay-events.js';
import type { RelayTable } from './relay-table.js';
import type { SourceSide } from './source-side.js';

const SWEEP_MS = 1_000;
const LOOK_MS = 5_000;
/** Counting further than this would be work for the monolith; that there are more is told. */
const MOST_COUNTED = 100_000;

/**
 * What a leader does beside its turns, on a connection of its own so that no turn waits for it: deletes garbage from
 * the outbox, and looks how much waits. A failure of it is told, once, and it is tried again; turns do
 * not depend on it.
 */
export class Housekeeping {
  readonly #config: Config;
  readonly #mirror: Mirror;
  readonly #id: number;
  readonly #events: Pick<RelayEvents, 'onError'>;
  #source: SourceSide | null = null;
  readonly #swept: Swept = new Map();
  #sweptAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #working = false;
  #closed = false;
  /** What was told last; null: it goes well. */
  #failure: string | null = null;
  #failedAt = 0;
  #backlog: Backlog = { changes: 0, more: false, bytes: 0 };

  /** @param id pgfig.mirrors.id */
  constructor(config: Config, mirror: Mirror, id: number, events: Pick<RelayEvents, 'onError'>) {
    this.#config = config;
    this.#mirror = mirror;
    this.#id = id;
    this.#events = events;
  }

  get backlog(): Backlog {
    return this.#backlog;
  }

  /** Begins what is due, and does not wait for it. @param position what is in the target for good */
  due(tables: readonly RelayTable[], position: Snapshot): void {
    const now = performance.now();
    if (this.#working || this.#closed) return;
    if (now - this.#sweptAt < SWEEP_MS && now - this.#lookedAt < LOOK_MS) return;
    this.#working = true;
    void this.#work(tables, position, now)
      .then(
        () => {
          // Either of the two alone may go well.
          if (performance.now() - this.#failedAt > 2 * LOOK_MS) this.#failure = null;
        },
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.#working = false;
      });
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  /** The connection is in doubt. */
  #failed(error: unknown): void {
    this.#drop();
    this.#failedAt = performance.now();
    const failure = error instanceof Error ? error.message : String(error);
    if (this.#closed || failure === this.#failure) return;
    this.#failure = failure;
    const text = `domain ${this.#mirror.domain}: the outbox was not swept or counted: ${failure}`;
    this.#events.onError(this.#mirror, new Error(text, { cause: error }));
  }

  #drop(): void {
    if (this.#source !== null) closeAtOnce(this.#source.client);
    this.#source = null;
  }

  async #work(tables: readonly RelayTable[], position: Snapshot, now: number): Promise<void> {
    this.#source ??= await openSource(this.#config, this.#mirror, ASIDE);
    if (this.#closed) return this.#drop();
    if (now - this.#sweptAt >= SWEEP_MS) {
      this.#sweptAt = now;
      await sweep(this.#source, this.#id, tables, position, this.#swept);
    }
    if (now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now;
      this.#backlog = await this.#look(this.#source, tables, position);
    }
  }

  async #look(source: SourceSide, tables: readonly RelayTable[], position: Snapshot): Promise<Backlog> {
    const since = tables.flatMap(({ shape, position: own, state }) =>
      shape === null || state === 'new' ? [] : [{ oid: shape.oid, position: own ?? position }],
    );
    const counted =
      since.length === 0 ? "'0'" : `(SELECT count(*) FROM (${eventsSince(since, null)} LIMIT ${MOST_COUNTED}) e)`;
    const [row] = await source.rows(`SELECT ${counted}, pg_total_relation_size('pgfig.outbox')`);
    const changes = Number(row?.[0] ?? 0);
    return { changes, more: changes === MOST_COUNTED, bytes: Number(row?.[1] ?? 0) };
  }
}
