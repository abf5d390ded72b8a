import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config/config.js';
import type { Mirror } from '../mirror.js';
import type { TurnOutcome } from '../turn-outcome.js';
import { BackfillLane, type BackfillOptions } from './backfill-lane.js';
import { closeAtOnce } from './connections.js';
import type { RelayMemory } from './failed-turn.js';
import { Leader } from './leader.js';
import { Candidate, type Lead } from './lease.js';
import type { RelayEvents, RelayStatus, TurnWork } from './relay-events.js';
import { Wakeup } from './wakeup.js';
import type { WatchLimits } from './watchdog.js';

/** How often an instance that follows tries to lead. */
const ELECT_MS = 1_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** What the turn under way has to end when the relay is closed, and the same again until it is left behind. */
const CLOSE_MS = 3_000;

/**
 * Keeps the copy of one domain in step for as long as this instance leads it, and tries to lead it when it does not:
 * one of these for each mirrored domain runs in the control process of every instance of the fleet.
 */
export class DomainRelay {
  readonly mirror: Mirror;
  readonly #config: Config;
  readonly #events: RelayEvents;
  readonly #limits: WatchLimits | undefined;
  readonly #wakeup = new Wakeup();
  #candidate: Candidate;
  readonly #ended: Promise<void>;
  readonly #memory: RelayMemory = { streaming: false, all: false, retries: new Map() };
  #closed = false;
  #leader: Leader | null = null;
  #lead: Lead | null = null;
  #role: RelayStatus['role'] = 'starting';
  #error: Error | null = null;
  /** Of the last turn that was led from here. */
  #moment: number | null = null;
  #undecided: (() => void)[] = [];

  constructor(config: Config, mirror: Mirror, events: RelayEvents, limits?: WatchLimits) {
    this.#limits = limits;
    this.#config = config;
    this.mirror = mirror;
    this.#events = events;
    this.#candidate = new Candidate(config, mirror);
    this.#ended = this.#run();
  }

  get status(): RelayStatus {
    const leading = this.#leader?.status ?? null;
    return {
      domain: this.mirror.domain,
      role: this.#role,
      error: this.#error?.message ?? leading?.error ?? null,
      moment: leading?.moment ?? this.#moment,
      leading,
    };
  }

  /** Null while another instance leads, or none. */
  get leader(): Leader | null {
    return this.#leader;
  }

  /** Resolves once it is known who leads, or that nobody can: at once, but while the first election is under way. */
  decided(): Promise<void> {
    if (this.#closed || this.#role !== 'starting' || this.#error !== null) return Promise.resolve();
    return new Promise((resolve) => this.#undecided.push(resolve));
  }

  /** Something was written: a turn begins at once. */
  poke(): void {
    this.#leader?.poke();
  }

  /** Resolves when a turn that begins after this call has been applied. Never rejects. Null: another instance leads. */
  turnAfterNow(): Promise<TurnOutcome> | null {
    return this.#leader?.turnAfterNow() ?? null;
  }

  /**
   * Runs `work` in a turn that takes all that waits, when both sides are at the same moment.
   * @throws what `work` throws, after which nothing of the turn is applied; Error when this instance does not lead
   */
  whole(work: TurnWork): Promise<void> {
    if (this.#leader === null) return Promise.reject(new Error(`domain ${this.mirror.domain} is not led from here`));
    return this.#leader.whole(work);
  }

  /**
   * Copies a table, beside the domain's turns. Several at once may be copied.
   * @throws as `BackfillLane.run`; Error when this instance does not lead
   */
  async backfill(table: string, options: BackfillOptions): Promise<void> {
    const leader = this.#leader;
    if (leader === null) throw new Error(`domain ${this.mirror.domain} is not led from here`);
    await new BackfillLane(this.#config, this.mirror, table, options).run(leader);
  }

  /** Ends after the turn under way, or after a few seconds: a server that hangs would let it wait without end. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#decide();
    this.#wakeup.call();
    this.#leader?.close();
    const timer = setTimeout(() => this.#abandon(), CLOSE_MS);
    await Promise.race([this.#ended, sleep(2 * CLOSE_MS, undefined, { ref: false })]);
    clearTimeout(timer);
  }

  /** Both transactions are rolled back when the servers notice. */
  #abandon(): void {
    this.#candidate.close();
    if (this.#lead === null) return;
    closeAtOnce(this.#lead.source.client);
    closeAtOnce(this.#lead.target);
  }

  async #run(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !this.#closed; ) {
      try {
        const led = await this.#once();
        pause = FIRST_PAUSE_MS;
        if (!led) await this.#wakeup.wait(ELECT_MS * (0.75 + Math.random() / 2));
      } catch (error) {
        if (!this.#closed) this.#failed(error);
        this.#candidate.close();
        this.#candidate = new Candidate(this.#config, this.mirror);
        await this.#wakeup.wait(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
    this.#candidate.close();
  }

  /** @returns whether it has led */
  async #once(): Promise<boolean> {
    const election = await this.#candidate.elect();
    if (election.type !== 'leads') {
      this.#become(election.type === 'follows' ? 'following' : 'not-installed');
      this.#error = null;
      this.#moment = null;
      return false;
    }
    const { lead } = election;
    this.#lead = lead;
    const leader = new Leader(this.#config, this.mirror, lead, this.#memory, this.#events, this.#limits);
    try {
      await leader.prepare();
      this.#leader = leader;
      this.#error = null;
      this.#become('leading');
      if (this.#closed) leader.close();
      await leader.run();
      return true;
    } finally {
      this.#moment = leader.status.moment;
      this.#leader = null;
      this.#lead = null;
      leader.end();
      closeAtOnce(lead.source.client);
      closeAtOnce(lead.target);
      if (!this.#closed) this.#become('starting');
    }
  }

  #become(role: RelayStatus['role']): void {
    if (role === this.#role) return;
    this.#role = role;
    if (role !== 'starting') this.#decide();
    this.#events.onRole(this.mirror, role);
  }

  #decide(): void {
    for (const resolve of this.#undecided.splice(0)) resolve();
  }

  #failed(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#error = failure;
    this.#decide();
    this.#events.onError(this.mirror, failure);
  }
}
