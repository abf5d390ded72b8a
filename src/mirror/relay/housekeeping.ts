import type { Config } from '../../config/config.js';
import type { Mirror } from '../mirror.js';
import type { Snapshot } from '../position/snapshot.js';
import { closeAtOnce, openSource } from './connections.js';
import { eventsSince } from './events-sql.js';
import { type Swept, sweep } from './garbage.js';
import type { Backlog } from './relay-events.js';
import type { RelayTable } from './relay-table.js';
import type { SourceSide } from './source-side.js';

const SWEEP_MS = 1_000;
const LOOK_MS = 5_000;
/** Counting further than this would be work for the monolith; that there are more is told. */
const MOST_COUNTED = 100_000;

/**
 * What a leader does beside its turns, on a connection of its own so that no turn waits for it: deletes garbage from
 * the outbox, and looks how much waits. A failure of it is tried again; turns do not depend on it.
 */
export class Housekeeping {
  readonly #config: Config;
  readonly #mirror: Mirror;
  readonly #id: number;
  #source: SourceSide | null = null;
  readonly #swept: Swept = new Map();
  #sweptAt = 0;
  #lookedAt = 0;
  #working = false;
  #closed = false;
  #backlog: Backlog = { changes: 0, more: false, bytes: 0 };

  /** @param id pgfig.mirrors.id */
  constructor(config: Config, mirror: Mirror, id: number) {
    this.#config = config;
    this.#mirror = mirror;
    this.#id = id;
  }

  get backlog(): Backlog {
    return this.#backlog;
  }

  /** Begins what is due, and does not wait for it. @param position what is in the target for good */
  due(tables: readonly RelayTable[], position: Snapshot): void {
    const now = Date.now();
    if (this.#working || this.#closed) return;
    if (now - this.#sweptAt < SWEEP_MS && now - this.#lookedAt < LOOK_MS) return;
    this.#working = true;
    void this.#work(tables, position, now)
      .catch(() => this.#drop())
      .finally(() => {
        this.#working = false;
      });
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #drop(): void {
    if (this.#source !== null) closeAtOnce(this.#source.client);
    this.#source = null;
  }

  async #work(tables: readonly RelayTable[], position: Snapshot, now: number): Promise<void> {
    this.#source ??= await openSource(this.#config, this.#mirror);
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
