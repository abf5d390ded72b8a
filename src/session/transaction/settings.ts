import type { SessionLink } from '../session-link.js';

/** Names whose current value cannot be set again, or that live and die with a transaction. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'seed',
  'transaction_isolation',
  'transaction_read_only',
  'transaction_deferrable',
]);

/**
 * The session's settings that differ from what its startup packet gave, by name and value. They are copied to a
 * link that lags behind by value, never by repeating the statement that set them: a repeated
 * `set_config('app.tenant', $1, false)` would show another tenant's rows.
 */
export class Settings {
  /** Grows with every change; a link whose version is lower lacks something. */
  version = 0;
  /** A setting of unknown name was changed: no link may join until DISCARD ALL. */
  joinBarred = false;
  readonly #values = new Map<string, string>();
  readonly #changedAt = new Map<string, number>();
  /** Names whose value is not known yet, and the link that changed them last. */
  readonly #unknown = new Map<string, SessionLink>();

  /** `link` has changed the setting; its value will be asked there. */
  changed(name: string, link: SessionLink): void {
    if (NOT_COPIED.has(name)) return;
    const upToDate = link.settingsVersion === this.version;
    this.version++;
    this.#changedAt.set(name, this.version);
    this.#unknown.set(name, link);
    if (upToDate) link.settingsVersion = this.version;
  }

  /** A setting was changed on `link` whose name nobody knows: no other link can be brought to the same state. */
  bar(link: SessionLink): void {
    const upToDate = link.settingsVersion === this.version;
    this.version++;
    this.joinBarred = true;
    if (upToDate) link.settingsVersion = this.version;
  }

  /** Names that were ever changed in this session. */
  get names(): Iterable<string> {
    return this.#changedAt.keys();
  }

  /** RESET ALL has run on every open link, given here with those that will be opened in mind. */
  resetAll(open: Iterable<SessionLink>): void {
    this.version++;
    this.#values.clear();
    this.#changedAt.clear();
    this.#unknown.clear();
    this.joinBarred = false;
    for (const link of open) link.settingsVersion = this.version;
  }

  /** The names whose values must be asked of `link`. */
  unknownOn(link: SessionLink): string[] {
    return [...this.#unknown].filter(([, on]) => on === link).map(([name]) => name);
  }

  /** Links that must be asked before another link can be brought up to date. */
  get askedLinks(): SessionLink[] {
    return [...new Set(this.#unknown.values())];
  }

  /** An answer came for the names asked before. */
  learn(name: string, value: string): void {
    this.#values.set(name, value);
    this.#unknown.delete(name);
  }

  /** The link is gone, and with it the values that nobody had asked for. Returns their names. */
  forgetLink(link: SessionLink): string[] {
    const lost = this.unknownOn(link);
    for (const name of lost) {
      this.#unknown.delete(name);
      this.#changedAt.delete(name);
    }
    return lost;
  }

  /** What a link of this version lacks. */
  missingOn(link: SessionLink): [name: string, value: string][] {
    const missing: [string, string][] = [];
    for (const [name, version] of this.#changedAt) {
      const value = this.#values.get(name);
      if (version > link.settingsVersion && value !== undefined) missing.push([name, value]);
    }
    // A role must come last: it may not be allowed to set the others.
    return missing.sort(([a], [b]) => rank(a) - rank(b));
  }
}

const rank = (name: string): number => (name === 'role' ? 2 : name === 'session_authorization' ? 1 : 0);
