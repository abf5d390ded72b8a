import type { Config } from '../../config/config.js';
import type { Mirror } from '../mirror.js';
import type { TurnOutcome } from '../turn-outcome.js';
import { BackfillLane, type BackfillOptions } from './backfill-lane.js';
import { closeAtOnce } from './connections.js';
import { Leader, type RelayMemory } from './leader.js';
import { elect } from './lease.js';
import type { RelayEvents, RelayStatus, TurnWork } from './relay-events.js';
import { Wakeup } from './wakeup.js';

/** How often an instance that follows tries to lead. */
const ELECT_MS = 500;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Keeps the copy of one domain in step for as long as this instance leads it, and tries to lead it when it does not:
 * one of these for each mirrored domain runs in the control process of every instance of the fleet.
 */
export class DomainRelay {
  readonly mirror: Mirror;
  readonly #config: Config;
  readonly #events: RelayEvents;
  readonly #wakeup = new Wakeup();
  readonly #ended: Promise<void>;
  readonly #memory: RelayMemory = { streaming: false, all: false, retries: new Map() };
  #closed = false;
  #leader: Leader | null = null;
  #role: RelayStatus['role'] = 'starting';
  #error: Error | null = null;
  /** Of the last turn that was led from here. */
  #moment: number | null = null;

  constructor(config: Config, mirror: Mirror, events: RelayEvents) {
    this.#config = config;
    this.mirror = mirror;
    this.#events = events;
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

  /** Ends after the turn under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeup.call();
    this.#leader?.close();
    await this.#ended;
  }

  async #run(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !this.#closed; ) {
      try {
        const led = await this.#once();
        pause = FIRST_PAUSE_MS;
        if (!led) await this.#wakeup.wait(ELECT_MS * (0.75 + Math.random() / 2));
      } catch (error) {
        this.#failed(error);
        await this.#wakeup.wait(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** @returns whether it has led */
  async #once(): Promise<boolean> {
    const election = await elect(this.#config, this.mirror);
    if (election.type !== 'leads') {
      this.#become(election.type === 'follows' ? 'following' : 'not-installed');
      this.#error = null;
      this.#moment = null;
      return false;
    }
    const { lead } = election;
    const leader = new Leader(this.#config, this.mirror, lead, this.#memory, this.#events);
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
      leader.end();
      closeAtOnce(lead.source.client);
      closeAtOnce(lead.target);
      if (!this.#closed) this.#become('starting');
    }
  }

  #become(role: RelayStatus['role']): void {
    if (role === this.#role) return;
    this.#role = role;
    this.#events.onRole(this.mirror, role);
  }

  #failed(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#error = failure;
    this.#events.onError(this.mirror, failure);
  }
}
