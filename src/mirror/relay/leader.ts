import type { Config } from '../../config/config.js';
import type { Mirror } from '../mirror.js';
import { readShapes } from '../shape/read-shapes.js';
import type { TurnOutcome } from '../turn-outcome.js';
import { FailedTurn, type RelayMemory } from './failed-turn.js';
import { follows } from './followed.js';
import { Housekeeping } from './housekeeping.js';
import { type Found, IdleLook } from './idle-look.js';
import type { Lead } from './lease.js';
import { mayHaveLost } from './lost.js';
import type { LeaderStatus, RelayEvents, TurnWork } from './relay-events.js';
import type { RelayRow, RelayTable } from './relay-table.js';
import { Stalls } from './stalls.js';
import { readTables } from './target-store.js';
import { type TurnResult, takeTurn } from './turn.js';
import { Wakeup } from './wakeup.js';
import { Watchdog, type WatchLimits } from './watchdog.js';

/** Changes of a bounded turn: about a second's work. */
const TURN_CHANGES = 30_000;
/** How long an idle relay waits before it looks by itself: writers that go past the proxy poke nobody. */
const IDLE_MS = 100;
/**
 * A turn that moves the position is taken at least so often, also when nothing was written: lag is measured by it,
 * garbage follows it, and it finds what was done without events, as ALTER TABLE.
 */
const ADVANCE_MS = 2_000;
/** Others may have changed the tables' rows: an install, a job. */
const REREAD_MS = 1_000;

const RELAY_ENDED = 'the relay has ended';

interface Between {
  readonly run: () => Promise<void>;
  readonly reject: (error: unknown) => void;
}

interface WholeRequest {
  readonly work: TurnWork;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The relay of a domain while this instance leads it: turn after turn, until something fails or it is closed. */
export class Leader {
  readonly #mirror: Mirror;
  readonly #lead: Lead;
  readonly #events: RelayEvents;
  readonly #memory: RelayMemory;
  readonly #wakeup = new Wakeup();
  readonly #stalls: Stalls;
  readonly #watchdog: Watchdog;
  readonly #housekeeping: Housekeeping;
  readonly #failure: FailedTurn;
  readonly #look = new IdleLook();
  readonly #whole: WholeRequest[] = [];
  readonly #between: Between[] = [];
  #row: RelayRow;
  #tables: readonly RelayTable[] = [];
  #waiters: ((outcome: TurnOutcome) => void)[] = [];
  #closed = false;
  #ended = false;
  #advance = false;
  /** The last turn found nothing. */
  #quiet = false;
  #advancedAt = Number.NEGATIVE_INFINITY;
  #rereadAt = Number.NEGATIVE_INFINITY;
  #changes = 0;
  #error: string | null = null;

  constructor(
    config: Config,
    mirror: Mirror,
    lead: Lead,
    memory: RelayMemory,
    events: RelayEvents,
    limits?: WatchLimits,
  ) {
    this.#memory = memory;
    this.#mirror = mirror;
    this.#lead = lead;
    this.#row = lead.row;
    this.#events = events;
    this.#stalls = new Stalls(config, mirror, lead.owner, memory.retries, events);
    this.#failure = new FailedTurn(lead, memory, this.#stalls);
    this.#housekeeping = new Housekeeping(config, mirror, lead.row.mirror, events);
    this.#watchdog = new Watchdog(config, mirror, lead.source.client, lead.target, limits);
  }

  get status(): LeaderStatus {
    const { moment, whole, turns } = this.#row;
    const { backlog } = this.#housekeeping;
    return { tables: this.#tables, moment, whole, turns, changes: this.#changes, backlog, error: this.#error };
  }

  get tables(): readonly RelayTable[] {
    return this.#tables;
  }

  get inStep(): boolean {
    return this.#tables.every(({ state }) => state === 'in-step');
  }

  async prepare(): Promise<void> {
    const { client } = this.#lead.source;
    client.on('notification', () => {
      // Another instance waits for the position to move.
      this.#advance = true;
      this.#wakeup.call();
    });
    await this.#watchdog.guard(async () => {
      await client.query('LISTEN pgfig_poke');
      await this.reread();
      await this.#stallWhatIsLost();
    });
  }

  poke(): void {
    this.#wakeup.call();
  }

  turnAfterNow(): Promise<TurnOutcome> {
    if (!this.inStep) return Promise.resolve('stalled');
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#wakeup.call();
    });
  }

  whole(work: TurnWork): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#whole.push({ work, resolve, reject });
      this.#wakeup.call();
    });
  }

  /** The token of this relay in the target. */
  get owner(): string {
    return this.#lead.owner;
  }

  /**
   * Runs `work` while no turn is under way; the next one sees what it has changed of the tables' rows.
   * @throws what `work` throws; Error when the relay ends before
   */
  between<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Error(RELAY_ENDED));
      this.#between.push({ run: () => work().then(resolve, reject), reject });
      this.#wakeup.call();
    });
  }

  /** A table's row has been changed by this process: see it before the next turn. */
  outdated(): void {
    this.#rereadAt = Number.NEGATIVE_INFINITY;
    this.#wakeup.call();
  }

  close(): void {
    this.#closed = true;
    this.#wakeup.call();
  }

  /** Nobody waits any longer. */
  end(): void {
    this.#ended = true;
    this.#housekeeping.close();
    for (const { reject } of this.#between.splice(0)) reject(new Error(RELAY_ENDED));
    for (const waiter of this.#waiters.splice(0)) waiter('failed');
    for (const { reject } of this.#whole.splice(0)) reject(new Error(RELAY_ENDED));
  }

  /** @throws what a driver throws, when a connection is lost, or another relay leads */
  async run(): Promise<void> {
    let asked = true;
    while (!this.#closed) {
      for (const { run } of this.#between.splice(0)) {
        await run();
        this.#rereadAt = Number.NEGATIVE_INFINITY;
      }
      const more = await this.#guarded(asked);
      this.#housekeeping.due(this.#tables, this.#row.position);
      if (more || this.#waiters.length > 0 || this.#whole.length > 0) asked = true;
      else asked = await this.#wakeup.wait(IDLE_MS);
    }
  }

  #guarded(asked: boolean): Promise<boolean> {
    return this.#watchdog.guard(() => this.#step(asked));
  }

  /**
   * A turn, where somebody has asked for one, one is due, or something waits.
   * @returns whether another one is to follow at once
   */
  async #step(asked: boolean): Promise<boolean> {
    if (performance.now() - this.#rereadAt > REREAD_MS) await this.reread();
    if (asked || !this.#nothingDue()) return this.#turn();
    let found: Found;
    try {
      found = await this.#look.look(this.#lead.source, this.#row, this.#tables);
    } catch (error) {
      await this.#failed(error);
      return true;
    }
    if (found.waits) return this.#turn();
    if (found.moment !== null) this.#row = { ...this.#row, moment: found.moment };
    return false;
  }

  /** Nothing but a change of the source would give a turn anything to do. */
  #nothingDue(): boolean {
    const { streaming, all } = this.#memory;
    if (!this.#quiet || !this.#row.whole || streaming || all || this.#advanceDue()) return false;
    if (this.#waiters.length > 0 || this.#whole.length > 0 || this.#between.length > 0) return false;
    // Those that have been behind by themselves, or whose definition is not known yet, are brought in line by a turn.
    return this.#tables.filter(follows).every(({ position, stamp }) => position === null && stamp !== null);
  }

  #advanceDue(): boolean {
    return this.#advance || performance.now() - this.#advancedAt > ADVANCE_MS;
  }

  /** @returns whether another one is to follow at once */
  async #turn(): Promise<boolean> {
    const waiters = this.#waiters;
    this.#waiters = [];
    const began = performance.now();
    let result: TurnResult;
    try {
      result = await this.#take();
    } catch (error) {
      for (const waiter of waiters) waiter(this.inStep ? 'failed' : 'stalled');
      await this.#failed(error);
      return true;
    }
    this.#took(result, began);
    // A turn that took only a part of the backlog may not have what they wrote.
    if (result.more) this.#waiters.unshift(...waiters);
    else for (const waiter of waiters) waiter(this.inStep ? 'applied' : 'stalled');
    return result.more;
  }

  async #take(): Promise<TurnResult> {
    const { source, target, owner } = this.#lead;
    const now = performance.now();
    const advance = this.#advanceDue();
    // Who asks from now on may have seen what this turn does not.
    this.#advance = false;
    const request = this.#row.whole && !this.#memory.streaming ? this.#whole.shift() : undefined;
    const wish = {
      domain: this.#mirror.domain,
      owner,
      most: this.#memory.all ? null : TURN_CHANGES,
      streaming: this.#memory.streaming,
      advance,
      work:
        request === undefined
          ? null
          : (shapes: Parameters<TurnWork>[0]['shapes']) => request.work({ source: source.client, target, shapes }),
    };
    try {
      const result = await takeTurn({ source, target }, this.#row, this.#tables, wish);
      request?.resolve();
      if (advance) this.#advancedAt = now;
      return result;
    } catch (error) {
      this.#advance ||= advance;
      request?.reject(error);
      throw error;
    }
  }

  #took({ row, changed, changes, more }: TurnResult, began: number): void {
    this.#row = row;
    this.#tables = this.#tables.map((table) => changed.get(table.name) ?? table);
    this.#changes += changes;
    this.#error = null;
    this.#quiet = changes === 0;
    this.#memory.streaming = false;
    this.#memory.all &&= more;
    if (changes === 0) return;
    this.#events.onTurn(this.#mirror, { changes, seconds: (performance.now() - began) / 1_000, whole: row.whole });
  }

  /** @throws the error where another turn on the same connections would not mend it */
  async #failed(error: unknown): Promise<void> {
    this.#error = error instanceof Error ? error.message : String(error);
    this.#quiet = false;
    this.#rereadAt = Number.NEGATIVE_INFINITY;
    await this.#failure.mend(error, { row: this.#row, tables: this.#tables });
  }

  async #stallWhatIsLost(): Promise<void> {
    const lost = await mayHaveLost({ ...this.#lead, row: this.#row }, this.#tables);
    for (const [name, reason] of lost) await this.#stalls.stall(this.#tables, this.#row, name, reason, 'backfill');
    await this.reread();
  }

  async reread(): Promise<void> {
    this.#rereadAt = performance.now();
    const tables = await this.#stalls.retried(await readTables(this.#lead.target, this.#mirror.domain));
    const unseen = tables.filter(({ state, shape }) => state === 'in-step' && shape === null).map(({ name }) => name);
    if (unseen.length === 0) {
      this.#tables = tables;
      return;
    }
    const shapes = await readShapes(this.#lead.source.client, unseen);
    this.#tables = tables.map((table) => ({ ...table, shape: table.shape ?? shapes.get(table.name) ?? null }));
  }
}
