import type { Config } from '../config/config.js';
import { PgfigError } from '../errors/pgfig-error.js';
import type { RuleSet } from '../rules/rule-set.js';
import { RulesWatcher } from '../rules/watcher.js';

const RETRY_MS = 2_000;

export interface RulesError {
  readonly at: Date;
  readonly message: string;
}

export interface RulesKeeperOptions {
  /** The set in effect when the keeper starts. */
  readonly current: RuleSet;
  readonly onChange: (rules: RuleSet) => void;
  readonly onError: (error: PgfigError) => void;
}

/**
 * Watches the rules folder in the control process, away from the accepting primary, and remembers what
 * was wrong with it. Versions go on from the set in effect, also when the control process is a new one.
 */
export class RulesKeeper {
  readonly #config: Config;
  readonly #options: RulesKeeperOptions;
  #current: RuleSet;
  #watcher: RulesWatcher | null = null;
  #retry: NodeJS.Timeout | null = null;
  #error: RulesError | null = null;
  #errors = 0;

  constructor(config: Config, options: RulesKeeperOptions) {
    this.#config = config;
    this.#options = options;
    this.#current = options.current;
    this.#watch();
  }

  get current(): RuleSet {
    return this.#current;
  }

  /** What is wrong with the folder now; null while it is the set in effect. */
  get error(): RulesError | null {
    return this.#error;
  }

  /** How often a broken folder was seen. */
  get errors(): number {
    return this.#errors;
  }

  /** Reads the folder now (SIGHUP). */
  reload(): void {
    if (this.#watcher === null) {
      this.#watch();
      return;
    }
    try {
      this.#watcher.reload();
      this.#error = null;
    } catch (error) {
      this.#failed(error);
    }
  }

  close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#watcher?.close();
  }

  /** A control process that replaces a dead one may find the folder broken: it waits until it is not. */
  #watch(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    try {
      this.#watcher = new RulesWatcher(this.#config.rules, {
        databases: [...this.#config.databases.keys()],
        default: this.#config.default,
        onChange: (rules) => this.#take(rules),
        onError: (error) => this.#failed(error),
      });
      this.#take(this.#watcher.current);
    } catch (error) {
      if (this.#error === null) this.#failed(error);
      this.#retry = setTimeout(() => this.#watch(), RETRY_MS);
      this.#retry.unref();
    }
  }

  #take(rules: RuleSet): void {
    this.#error = null;
    if (JSON.stringify(rules.domains) === JSON.stringify(this.#current.domains)) return;
    this.#current = Object.freeze({ ...rules, version: this.#current.version + 1 });
    this.#options.onChange(this.#current);
  }

  #failed(error: unknown): void {
    if (!(error instanceof PgfigError)) throw error;
    this.#error = { at: new Date(), message: error.message };
    this.#errors += 1;
    this.#options.onError(error);
  }
}
