import type { LimitsConfig } from '../config/config.js';
import { PgfigError } from '../errors/pgfig-error.js';
import { sameSecret } from './login/cancel-keys.js';
import type { SessionInfo } from './traffic-events.js';

/** What the registry can do with a session. */
export interface Registered {
  readonly info: SessionInfo;
  readonly secret: Buffer;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** What it does now, in the words of pg_stat_activity where they fit, and the database that it logged in to. */
  look(): { readonly state: string; readonly home: string | null };
  /** Resolves when the backend has the request, or there was nothing to cancel. */
  cancel(): Promise<void>;
  drain(): void;
  close(): void;
  /** Open links. */
  links(): LinkSight[];
}

/** The backend that a session holds by one of its links. */
export interface BackendSight {
  readonly database: string;
  /** Its process, as it said at login. */
  readonly pid: number;
  /** The session is passed through: nothing of it is read, routed or counted. */
  readonly passedThrough: boolean;
}

/** One open link of a session. */
export interface LinkSight extends BackendSight {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A session as people are shown it. */
export interface SessionSight {
  readonly pid: number;
  readonly user: string;
  readonly service: string;
  readonly database: string;
  readonly peer: string;
  readonly tls: boolean;
  readonly state: string;
  readonly home: string | null;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
}

/** The sessions of one worker: limits, cancel keys, drain. */
export class SessionRegistry {
  /** Sessions of the other workers. */
  others: { readonly total: number; readonly byUser: Readonly<Record<string, number>> } = { total: 0, byUser: {} };
  readonly #limits: LimitsConfig;
  readonly #sessions = new Map<number, Registered>();
  readonly #byUser = new Map<string, number>();
  #onEmpty: (() => void) | null = null;

  constructor(limits: LimitsConfig) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get byUser(): ReadonlyMap<string, number> {
    return this.#byUser;
  }

  /** How many sessions asked for this dbname; counts them: not for every statement. */
  of(database: string): number {
    let count = 0;
    for (const { info } of this.#sessions.values()) if (info.database === database) count++;
    return count;
  }

  get all(): Iterable<Registered> {
    return this.#sessions.values();
  }

  /** The sessions that have been open longest, `most` of them. */
  sights(most: number): SessionSight[] {
    const sights: SessionSight[] = [];
    for (const session of this.#sessions.values()) {
      if (sights.length >= most) break;
      const { pid, user, service, database, peer, tls } = session.info;
      sights.push({ pid, user, service, database, peer, tls, openedAt: session.openedAt, ...session.look() });
    }
    return sights;
  }

  /** The backends that sessions hold now. */
  backends(): BackendSight[] {
    return [...this.#sessions.values()].flatMap((session) =>
      session.links().map(({ database, pid, passedThrough }) => ({ database, pid, passedThrough })),
    );
  }

  /** @throws PgfigError TOO_MANY_CLIENTS, TOO_MANY_CLIENTS_OF_USER */
  admit(user: string): void {
    if (this.#sessions.size + this.others.total >= this.#limits.clients) {
      throw new PgfigError('TOO_MANY_CLIENTS', 'sorry, too many clients already', {
        detail: `limits.clients is ${this.#limits.clients}.`,
      });
    }
    const ofUser = (this.#byUser.get(user) ?? 0) + (this.others.byUser[user] ?? 0);
    if (ofUser >= this.#limits.clientsPerUser) {
      throw new PgfigError('TOO_MANY_CLIENTS_OF_USER', `too many connections for user "${user}"`, {
        detail: `limits.clientsPerUser is ${this.#limits.clientsPerUser}.`,
      });
    }
  }

  add(session: Registered): void {
    const { pid, user } = session.info;
    this.#sessions.set(pid, session);
    this.#byUser.set(user, (this.#byUser.get(user) ?? 0) + 1);
  }

  remove(pid: number): void {
    const session = this.#sessions.get(pid);
    if (session === undefined) return;
    this.#sessions.delete(pid);
    const left = (this.#byUser.get(session.info.user) ?? 1) - 1;
    if (left > 0) this.#byUser.set(session.info.user, left);
    else this.#byUser.delete(session.info.user);
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  /** A key that belongs to no session is ignored, as in Postgres. */
  async cancel(pid: number, secret: Buffer): Promise<void> {
    const session = this.#sessions.get(pid);
    if (session !== undefined && sameSecret(session.secret, secret)) await session.cancel();
  }

  drain(): void {
    for (const session of [...this.#sessions.values()]) session.drain();
  }

  closeAll(): void {
    for (const session of [...this.#sessions.values()]) session.close();
  }

  /** Resolves when no session is left, or at the deadline (ms since the epoch). */
  async empty(deadline: number): Promise<void> {
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()));
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onEmpty = null;
  }
}
