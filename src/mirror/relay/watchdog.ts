import type pg from 'pg';
import type { Config } from '../../config/config.js';
import { openMirrorClient } from '../connection.js';
import type { Mirror } from '../mirror.js';
import { closeAtOnce, RELAY_NAME } from './connections.js';

/** Milliseconds. */
export interface WatchLimits {
  /** Between two looks at the sockets. */
  readonly look: number;
  /** No byte has moved for so long: the servers are asked what the backends do. */
  readonly silent: number;
  /** What a server that is asked has for its answer. */
  readonly answer: number;
  /** The target has not moved for so long although it says that it works, and nothing shows that it does. */
  readonly stuck: number;
  /** Nothing is silent for longer, whatever it says. */
  readonly longest: number;
}

export const WATCH_LIMITS: WatchLimits = {
  ...{ look: 1_000, silent: 30_000, answer: 5_000, stuck: 60_000, longest: 600_000 },
};

/** A server that works on one long statement (the DELETE that repeats a TRUNCATE) writes more between two looks. */
const WORK_BYTES = 65_536;

type Side = 'source' | 'target';

/** What a server says of one of the relay's backends. */
interface Seen {
  readonly works: boolean;
  readonly inTransaction: boolean;
  /** Where the server's WAL ends. */
  readonly wal: bigint;
}

const SEEN = `
SELECT coalesce(a.state = 'active' AND a.wait_event_type IS DISTINCT FROM 'Client', false) AS works,
       coalesce(a.state LIKE 'idle in transaction%', false) AS "inTransaction",
       (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text AS wal
  FROM (VALUES (1)) one LEFT JOIN pg_stat_activity a ON a.pid = $1`;

/** One side of the relay, and when it has last moved a byte. */
class Watched {
  readonly side: Side;
  readonly client: pg.Client;
  movedAt = performance.now();
  wal: bigint | null = null;
  workedAt = Number.NEGATIVE_INFINITY;
  #bytes: number;

  constructor(side: Side, client: pg.Client) {
    this.side = side;
    this.client = client;
    this.#bytes = this.#count();
  }

  look(now: number): void {
    const bytes = this.#count();
    if (bytes !== this.#bytes) this.movedAt = now;
    this.#bytes = bytes;
  }

  /** What has moved since the last look does not count. */
  forget(): void {
    this.#bytes = this.#count();
  }

  #count(): number {
    const { stream } = (
      this.client as unknown as { connection: { stream: { bytesRead: number; bytesWritten: number } } }
    ).connection;
    return stream.bytesRead + stream.bytesWritten;
  }
}

/**
 * Ends a turn that hangs. A backend that is stopped, or a server that has no disk any more, answers neither with an
 * error nor at all, keepalives go on, and until somebody ends the turn it holds the source's snapshot, its locks, and the
 * election.
 *
 * Neither socket has moved for half a minute: each server is asked, by a connection of its own, whether the relay's
 * backend works. Where neither does, or a server does not answer, both connections are closed at once, so that the
 * leader fails and another one is elected. A backend that was stopped in the middle of a statement says that it works:
 * so a target that has moved no byte for a minute must also have written WAL since the last look, and after ten minutes
 * it is the end whatever is said. That other sessions may have written that WAL lets a hang last ten minutes in place of
 * one; that a statement which takes longer than a minute and writes nothing is ended costs a repeated turn.
 */
export class Watchdog {
  readonly #config: Config;
  readonly #mirror: Mirror;
  readonly #sides: readonly [source: Watched, target: Watched];
  readonly #limits: WatchLimits;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(config: Config, mirror: Mirror, source: pg.Client, target: pg.Client, limits = WATCH_LIMITS) {
    this.#config = config;
    this.#mirror = mirror;
    this.#sides = [new Watched('source', source), new Watched('target', target)];
    this.#limits = limits;
  }

  /**
   * Runs `work`, which uses both connections.
   * @throws what `work` throws; Error when it hangs: both connections are closed then
   */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    const now = performance.now();
    for (const side of this.#sides) {
      side.movedAt = now;
      side.wal = null;
      side.workedAt = Number.NEGATIVE_INFINITY;
    }
    let hangs: Error | null = null;
    let looking = false;
    let over = false;
    let end: (error: Error) => void = () => {};
    const ended = new Promise<never>((_, reject) => {
      end = reject;
    });
    const timer = setInterval(() => {
      if (looking || hangs !== null) return;
      looking = true;
      void this.#look().then((found) => {
        looking = false;
        if (found === null || over) return;
        hangs = new Error(`domain ${this.#mirror.domain}: ${found}; both connections are closed`);
        for (const { client } of this.#sides) closeAtOnce(client);
        end(hangs);
      });
    }, this.#limits.look);
    timer.unref();
    try {
      return await Promise.race([work(), ended]);
    } catch (error) {
      throw hangs ?? error;
    } finally {
      over = true;
      clearInterval(timer);
    }
  }

  /** @returns what is wrong; null: nothing. Never rejects */
  async #look(): Promise<string | null> {
    const now = performance.now();
    for (const side of this.#sides) side.look(now);
    const [source, target] = this.#sides;
    const silent = now - Math.max(source.movedAt, target.movedAt);
    if (silent < this.#limits.silent) return null;
    if (silent >= this.#limits.longest) return `no byte has moved for ${seconds(silent)}`;
    if (now - this.#askedAt < this.#limits.answer) return null;
    this.#askedAt = now;
    const [here, there] = await Promise.all(this.#sides.map((side) => this.#ask(side)));
    // It has gone on, or has ended, while they were asked.
    for (const side of this.#sides) side.look(performance.now());
    if (this.#sides.some(({ movedAt }) => movedAt > now)) return null;
    if (here === undefined || there === undefined) return null;
    if (here === null) return `the source does not answer, and no byte has moved for ${seconds(silent)}`;
    if (there === null) return `the target does not answer, and no byte has moved for ${seconds(silent)}`;
    const verdict = this.#judge(silent, here, there);
    if (verdict === null && here.inTransaction) this.#keepAwake(source);
    return verdict;
  }

  #judge(silent: number, here: Seen, there: Seen): string | null {
    const [source, target] = this.#sides;
    if (!here.works && !there.works) {
      return `the ${this.#owes(source, target)} stood still: nothing has moved for ${seconds(silent)}, and neither backend works`;
    }
    if (!there.works) return null;
    const before = target.wal;
    target.wal = there.wal;
    if (before !== null && there.wal - before >= BigInt(WORK_BYTES)) target.workedAt = performance.now();
    if (silent < this.#limits.stuck || performance.now() - target.workedAt < this.#limits.silent) return null;
    // The source works too: what is slow may be that.
    if (here.works) return null;
    return `the target stood still: it says that it works, but has moved and written nothing for ${seconds(silent)}`;
  }

  /** Who was asked last, and owes an answer. */
  #owes(source: Watched, target: Watched): Side {
    return source.movedAt > target.movedAt ? 'source' : 'target';
  }

  /** The source's idle_in_transaction_session_timeout is for a pgfig that hangs, not for a target that works. */
  #keepAwake(source: Watched): void {
    const done = (): void => source.forget();
    source.client.query('SELECT').then(done, done);
  }

  /** @returns null: no answer */
  async #ask({ side, client }: Watched): Promise<Seen | null> {
    const { domain, source, target } = this.#mirror;
    const { answer } = this.#limits;
    let asked: pg.Client | null = null;
    let late = false;
    const looks = async (): Promise<Seen | null> => {
      const name = `${RELAY_NAME} of ${domain}, watching`;
      asked = await openMirrorClient(this.#config, side === 'source' ? source : target, name, { statement: answer });
      if (late) closeAtOnce(asked);
      const pid = (client as unknown as { processID: number }).processID;
      const { rows } = await asked.query<{ works: boolean; inTransaction: boolean; wal: string }>(SEEN, [pid]);
      const [row] = rows;
      return row === undefined ? null : { ...row, wal: BigInt(row.wal) };
    };
    let timer: NodeJS.Timeout | undefined;
    const given = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, answer, null);
    });
    const seen = await Promise.race([looks().catch(() => null), given]);
    late = true;
    clearTimeout(timer);
    if (asked !== null) closeAtOnce(asked);
    return seen;
  }
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
