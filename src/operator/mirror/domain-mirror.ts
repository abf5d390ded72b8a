import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { installMirror } from '../../mirror/capture/install.js';
import type { Mirror } from '../../mirror/mirror.js';
import { DomainRelay } from '../../mirror/relay/domain-relay.js';
import { Follower } from '../../mirror/relay/follower.js';
import type { RelayEvents, RelayStatus } from '../../mirror/relay/relay-events.js';
import { Wakeup } from '../../mirror/relay/wakeup.js';
import type { TurnOutcome } from '../../mirror/turn-outcome.js';
import { errorFields } from '../log/logger.js';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** Partitions come and go, triggers are disabled: what is installed is looked at so often, which locks nothing. */
const CHECK_MS = 60_000;

/** Where the installation of a mirror stands. */
export interface InstallState {
  readonly installed: boolean;
  /** Why the last try failed; null: it did not. */
  readonly error: string | null;
}

/** The mirror of one domain in the control process: installed by itself, and relayed from here or elsewhere. */
export class DomainMirror {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #wakeup = new Wakeup();
  readonly #follower: Follower;
  readonly relay: DomainRelay;
  #mirror: Mirror;
  #install: InstallState = { installed: false, error: null };
  #closed = false;
  #due = true;
  readonly #ended: Promise<void>;

  constructor(config: Config, mirror: Mirror, log: Logger, events: RelayEvents) {
    this.#config = config;
    this.#mirror = mirror;
    this.#log = log.child({ domain: mirror.domain });
    this.#follower = new Follower(config, mirror);
    this.relay = new DomainRelay(config, mirror, events);
    this.#ended = this.#keepInstalled();
  }

  get mirror(): Mirror {
    return this.#mirror;
  }

  get install(): InstallState {
    return this.#install;
  }

  get status(): RelayStatus {
    return this.relay.status;
  }

  /** The same copy by another rule: what is installed follows, the relay goes on. */
  follow(mirror: Mirror): void {
    this.#mirror = mirror;
    this.recheck();
  }

  /** Something of a table is not as it was: what is installed is looked at now. */
  recheck(): void {
    this.#due = true;
    this.#wakeup.call();
  }

  poke(): void {
    this.relay.poke();
  }

  /** Never rejects. */
  async turnAfterNow(): Promise<TurnOutcome> {
    // A control process that has just taken the place of another: whoever waited for that one waits on.
    await this.relay.decided();
    const own = this.relay.turnAfterNow();
    if (own !== null) return own;
    return this.relay.status.role === 'following' ? this.#follower.turnAfterNow() : 'failed';
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeup.call();
    this.#follower.close();
    await Promise.all([this.relay.close(), this.#ended]);
  }

  async #keepInstalled(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !this.#closed; ) {
      if (this.#due) {
        this.#due = false;
        if (await this.#tryInstall()) pause = FIRST_PAUSE_MS;
        else this.#due = true;
      }
      if (this.#due) {
        await this.#wakeup.wait(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      } else {
        await this.#wakeup.wait(CHECK_MS);
        this.#due = true;
      }
    }
  }

  async #tryInstall(): Promise<boolean> {
    try {
      const { changed, warnings } = await installMirror(this.#config, this.#mirror, {
        onStep: ({ kind, table, reason }) => this.#log.info({ table, reason }, `mirror: table ${kind}`),
      });
      if (!this.#install.installed || changed.length > 0)
        this.#log.info({ changed: changed.length }, 'mirror installed');
      if (!this.#install.installed) for (const warning of warnings) this.#log.warn(warning);
      this.#install = { installed: true, error: null };
      this.relay.leader?.outdated();
      return true;
    } catch (error) {
      if (this.#closed) return true;
      const failure = error instanceof Error ? error : new Error(String(error));
      if (failure.message !== this.#install.error) {
        const refused = failure instanceof PgfigError && failure.code === 'MIRROR_REFUSED';
        this.#log.error(errorFields(failure), refused ? 'mirror refused' : 'mirror cannot be installed; tried again');
      }
      this.#install = { ...this.#install, error: failure.message };
      return false;
    }
  }
}
