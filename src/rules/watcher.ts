import { type FSWatcher, readdirSync, realpathSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { PgfigError } from '../errors/pgfig-error.js';
import { type LoadedRules, parseRuleTexts, type RuleTexts, readRuleTexts } from './load.js';

export interface RulesWatcherOptions {
  /** Names of the configured databases. */
  readonly databases: Iterable<string>;
  /** Name of the default database. */
  readonly default: string;
  /** See RulesContext. */
  readonly kafka?: boolean;
  /** The folder says something else, and it is valid. */
  readonly onChange?: (loaded: LoadedRules) => void;
  /** The folder is not valid; `current` stays as it was. Called once per state of the folder. */
  readonly onError?: (error: PgfigError) => void;
  /** How long the folder must be quiet before it is read, milliseconds. */
  readonly settle?: number;
  /** How often the folder is looked at where no event comes (network folders, bind mounts), milliseconds. */
  readonly poll?: number;
}

/** How long a folder that never comes to rest is waited for, milliseconds. */
const LONGEST_UNREST = 10_000;

/**
 * Reads the rules folder whenever it says something new. The last good reading stays while it is broken.
 *
 * Files are written in many ways (in place, by rename, all at once by a changed symlink as Kubernetes does with a
 * ConfigMap), and no single kind of event tells of all of them. So an event only means "look": what counts is
 * whether names, inodes, sizes and times, seen through all symlinks, differ from what was last read, and whether
 * the texts do. Measured against chokidar in docs/decisions/0004.
 */
export class RulesWatcher {
  readonly #dir: string;
  readonly #options: RulesWatcherOptions;
  readonly #settle: number;
  readonly #poll: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #current: LoadedRules;
  #texts: RuleTexts;
  #signature: string;
  #error: PgfigError | null = null;

  /** Reads the folder. @throws PgfigError RULES_INVALID, FILE_UNREADABLE */
  constructor(dir: string, options: RulesWatcherOptions) {
    this.#dir = dir;
    this.#options = options;
    this.#settle = options.settle ?? 100;
    this.#signature = signatureOf(dir);
    this.#texts = readRuleTexts(dir);
    this.#current = this.#parse(this.#texts, 1);
    this.#listen();
    this.#poll = setInterval(() => this.#look(), options.poll ?? 2_000);
    this.#poll.unref();
  }

  /** The last good reading. */
  get current(): LoadedRules {
    return this.#current;
  }

  /** What is wrong with the folder as it stands; null where nothing is. */
  get error(): PgfigError | null {
    return this.#error;
  }

  /**
   * Reads the folder now, whatever was seen of it.
   *
   * @returns the last good reading afterwards; the same object as before where the texts are.
   * @throws PgfigError RULES_INVALID, FILE_UNREADABLE; `current` stays.
   */
  reload(): LoadedRules {
    this.#cancelTimer();
    this.#signature = signatureOf(this.#dir);
    try {
      const texts = readRuleTexts(this.#dir);
      this.#error = null;
      if (sameTexts(texts, this.#texts)) return this.#current;
      this.#current = this.#parse(texts, this.#current.rules.version + 1);
      this.#texts = texts;
    } catch (error) {
      if (error instanceof PgfigError) this.#error = error;
      throw error;
    }
    this.#options.onChange?.(this.#current);
    return this.#current;
  }

  /** Stops watching. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    clearInterval(this.#poll);
    this.#watcher?.close();
    this.#watcher = null;
  }

  #parse(texts: RuleTexts, version: number): LoadedRules {
    const { databases, default: home, kafka } = this.#options;
    return parseRuleTexts(texts, { databases, default: home, version, ...(kafka !== undefined && { kafka }) });
  }

  #listen(): void {
    try {
      this.#watcher = watch(this.#dir, { persistent: false }, () => this.#look());
      // A watch can break (the folder was removed); the next poll begins a new one.
      this.#watcher.on('error', () => this.#unlisten());
    } catch {
      this.#watcher = null;
    }
  }

  #unlisten(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  #look(): void {
    if (this.#closed || this.#timer !== null) return;
    const seen = signatureOf(this.#dir);
    if (seen !== this.#signature) this.#waitUntilQuiet(seen);
    else if (this.#watcher === null) this.#listen();
  }

  #waitUntilQuiet(seen: string, since = Date.now()): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const now = signatureOf(this.#dir);
      if (now === seen || Date.now() - since > LONGEST_UNREST) this.#tryReload();
      else this.#waitUntilQuiet(now, since);
    }, this.#settle);
    this.#timer.unref();
  }

  #tryReload(): void {
    // A folder that was replaced has another inode, which the old watch does not see.
    this.#unlisten();
    this.#listen();
    try {
      this.reload();
    } catch (error) {
      if (!(error instanceof PgfigError)) throw error;
      this.#options.onError?.(error);
    }
    // What changed while the files were read has had its event already.
    this.#look();
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Names, inodes, sizes and times of all that lies in the folder, seen through symlinks; '' where it is missing. */
function signatureOf(dir: string): string {
  try {
    const real = realpathSync(dir);
    const entries = readdirSync(real)
      .sort()
      .map((name) => {
        const stat = statSync(join(real, name), { throwIfNoEntry: false, bigint: true });
        return stat === undefined ? name : `${name} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
      });
    return [real, ...entries].join('\n');
  } catch {
    return '';
  }
}

function sameTexts(a: RuleTexts, b: RuleTexts): boolean {
  return a.size === b.size && [...a].every(([file, text]) => b.get(file) === text);
}
