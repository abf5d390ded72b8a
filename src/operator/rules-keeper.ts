import { relative } from 'node:path';
import type { Config } from '../config/config.js';
import { PgfigError } from '../errors/pgfig-error.js';
import type { LoadedRules } from '../rules/load.js';
import type { RuleSet } from '../rules/rule-set.js';
import { type PendingChange, takeRules } from '../rules/transition.js';
import { RulesWatcher } from '../rules/watcher.js';

const RETRY_MS = 2_000;

/** What is wrong with the rules folder. */
export interface RulesError {
  readonly at: Date;
  /** Every fault, one per line. */
  readonly message: string;
  readonly hint: string | null;
  /** Where the first fault is; the path below the rules folder. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

export interface RulesFile {
  readonly file: string;
  readonly domain: string;
}

/** What a reload came to. */
export interface ReloadOutcome {
  /** Version in effect afterwards. */
  readonly version: number;
  readonly loadedAt: Date;
  /** Whether a new set took effect. */
  readonly taken: boolean;
  /** What waits, all of it, new or not. */
  readonly pending: readonly PendingChange[];
  readonly warnings: readonly string[];
  readonly error: RulesError | null;
}

export interface RulesKeeperOptions {
  /** The set in effect when the keeper starts. */
  readonly current: RuleSet;
  readonly onChange: (rules: RuleSet) => void;
  /** What waits is not what waited before; possibly nothing any more. */
  readonly onPending?: (pending: readonly PendingChange[]) => void;
  /** Warnings that were not there before. */
  readonly onWarnings?: (warnings: readonly string[]) => void;
  readonly onError: (error: PgfigError) => void;
}

/**
 * Watches the rules folder in the control process, away from the accepting primary, takes what may be taken, and
 * remembers what waits and what was wrong. Versions go on from the set in effect, also when the control process is a
 * new one.
 */
export class RulesKeeper {
  readonly #config: Config;
  readonly #options: RulesKeeperOptions;
  #current: RuleSet;
  #watcher: RulesWatcher | null = null;
  #retry: NodeJS.Timeout | null = null;
  #error: RulesError | null = null;
  #errors = 0;
  #pending: readonly PendingChange[] = [];
  #warnings: readonly string[] = [];

  constructor(config: Config, options: RulesKeeperOptions) {
    this.#config = config;
    this.#options = options;
    this.#current = options.current;
    this.#watch();
  }

  get current(): RuleSet {
    return this.#current;
  }

  /** What is wrong with the folder now; null where it is valid. */
  get error(): RulesError | null {
    return this.#error;
  }

  /** How often a broken folder was seen. */
  get errors(): number {
    return this.#errors;
  }

  /** Changes that are valid and not in effect, since they would move writes. */
  get pending(): readonly PendingChange[] {
    return this.#pending;
  }

  /** The files of the last good reading, by their path below the folder. */
  get files(): readonly RulesFile[] {
    const { domains } = this.#watcher?.current.rules ?? this.#current;
    return domains.map(({ file, name }) => ({ file: relative(this.#config.rules, file), domain: name }));
  }

  /** 'file:line:column: what. What to do.' */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Reads the folder now (SIGHUP, POST /api/reload). */
  reload(): ReloadOutcome {
    const before = this.#current;
    if (this.#watcher === null) this.#watch(true);
    else {
      try {
        this.#watcher.reload();
        this.#error = null;
      } catch (error) {
        this.#failed(error);
      }
    }
    return {
      version: this.#current.version,
      loadedAt: this.#current.loadedAt,
      taken: this.#current !== before,
      pending: this.#pending,
      warnings: this.#warnings,
      error: this.#error,
    };
  }

  close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#watcher?.close();
  }

  /** A control process that replaces a dead one may find the folder broken: it waits until it is not. */
  #watch(asked = false): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    try {
      this.#watcher = new RulesWatcher(this.#config.rules, {
        databases: [...this.#config.databases.keys()],
        default: this.#config.default,
        kafka: this.#config.kafka !== null,
        onChange: (loaded) => this.#take(loaded),
        onError: (error) => this.#failed(error),
      });
      this.#take(this.#watcher.current);
    } catch (error) {
      if (asked || this.#error === null) this.#failed(error);
      this.#retry = setTimeout(() => this.#watch(), RETRY_MS);
      this.#retry.unref();
    }
  }

  #take(loaded: LoadedRules): void {
    this.#error = null;
    const { rules, pending, warnings } = takeRules(this.#current, loaded);
    const told = this.#warnings;
    const had = JSON.stringify(this.#pending);
    this.#warnings = warnings;
    this.#pending = pending;
    if (rules !== this.#current) {
      this.#current = rules;
      this.#options.onChange(rules);
    }
    if (JSON.stringify(pending) !== had) this.#options.onPending?.(pending);
    const news = warnings.filter((warning) => !told.includes(warning));
    if (news.length > 0) this.#options.onWarnings?.(news);
  }

  #failed(error: unknown): void {
    if (!(error instanceof PgfigError)) throw error;
    this.#error = { at: new Date(), message: error.message, hint: error.hint ?? null, ...this.#placeOf(error) };
    this.#errors += 1;
    this.#options.onError(error);
  }

  /** The first line of RULES_INVALID begins with its place; what cannot be read has its path in the cause. */
  #placeOf(error: PgfigError): Pick<RulesError, 'file' | 'line' | 'column'> {
    const found = /^(.+?):(\d+):(\d+): /.exec(error.message);
    const { cause } = error;
    const path = found?.[1] ?? (cause instanceof Error && 'path' in cause ? String(cause.path) : null);
    return {
      file: path === null ? null : relative(this.#config.rules, path) || '.',
      line: found === null ? null : Number(found[2]),
      column: found === null ? null : Number(found[3]),
    };
  }
}
