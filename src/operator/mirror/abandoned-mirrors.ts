import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { removeLeft } from '../../mirror/capture/remove.js';
import { mirrorOf } from '../../mirror/mirror.js';
import { capturedDomains, removeUnled } from '../../mirror/relay/abandoned.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { errorFields } from '../log/logger.js';

/**
 * An edit by mistake, put right in time, costs no copy; and what no rule names may be another installation's, which is
 * just being restarted.
 */
const GRACE_MS = 10 * 60_000;

export interface AbandonedOptions {
  /** How long no rule has wanted a mirror before it is removed. */
  readonly graceMs?: number;
}

/**
 * Finds mirrors that no rule wants any more, and removes them: their triggers record, and nobody reads it or sweeps it
 * away. A domain after its move (`write-new`, `retired`) is left alone.
 */
export class AbandonedMirrors {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #graceMs: number;
  /** Since when no rule is known to want a domain's mirror. */
  readonly #since = new Map<string, number>();
  /** Removed from the source, and not yet wholly from this target: domain to database. */
  readonly #unfinished = new Map<string, string>();
  #told = '';

  constructor(config: Config, log: Logger, { graceMs = GRACE_MS }: AbandonedOptions = {}) {
    this.#config = config;
    this.#log = log;
    this.#graceMs = graceMs;
  }

  /** @param busy domains whose mirror here has not ended yet. Never rejects. */
  async look(rules: RuleSet, busy: (domain: string) => boolean): Promise<void> {
    try {
      for (const domain of await capturedDomains(this.#config, rules.defaultDatabase)) {
        // Captured again, it is no removal any more.
        this.#unfinished.delete(domain);
        if (!busy(domain) && this.#unwanted(rules, domain)) await this.#remove(rules, domain);
      }
      for (const [domain, target] of this.#unfinished) {
        if (busy(domain)) this.#unfinished.delete(domain);
        else await this.#finish(rules, domain, target);
      }
      this.#told = '';
    } catch (error) {
      const fields = errorFields(error);
      const what = JSON.stringify(fields);
      // That a database cannot be reached is said by others, too.
      if (what !== this.#told) this.#log.warn(fields, 'mirrors that no rule wants cannot be looked for');
      this.#told = what;
    }
  }

  #unwanted(rules: RuleSet, name: string): boolean {
    const domain = rules.domains.find((one) => one.name === name);
    const moved = domain?.phase === 'write-new' || domain?.phase === 'retired';
    if (moved || (domain && mirrorOf(domain, rules.defaultDatabase)?.rule.capture === 'outbox')) {
      this.#since.delete(name);
      return false;
    }
    const since = this.#since.get(name) ?? Date.now();
    if (!this.#since.has(name)) this.#tell(rules, name, domain === undefined);
    this.#since.set(name, since);
    // A wrong path to the rules must not cost every copy.
    return rules.domains.length > 0 && Date.now() - since >= this.#graceMs;
  }

  #tell(rules: RuleSet, name: string, unnamed: boolean): void {
    const why = unnamed ? 'no rule names a domain that is captured' : 'the rule of a captured domain wants no mirror';
    const then =
      rules.domains.length === 0
        ? 'it is left, since there are no rules at all'
        : `its mirror is removed in ${this.#graceMs / 60_000} minutes`;
    this.#log.warn({ domain: name }, `${why}: ${then}. pgfig mirror remove ${name} removes it at once`);
  }

  async #remove(rules: RuleSet, name: string): Promise<void> {
    const target = rules.domains.find((one) => one.name === name)?.database ?? null;
    const log = this.#log.child({ domain: name });
    try {
      const removed = await removeUnled(this.#config, { domain: name, source: rules.defaultDatabase, target });
      if (removed === null) return;
      this.#since.delete(name);
      const fields = { tables: removed.released, left: removed.left };
      if (removed.left === '') log.warn(fields, 'mirror removed: no rule wants it any more');
      else {
        log.error(
          fields,
          `mirror removed in part, the rest is tried again: pgfig mirror remove ${name} does so at once`,
        );
        if (target !== null) this.#unfinished.set(name, target);
      }
      if (target === null) log.warn('guards in its copy are left, since no rule says in which database that is');
    } catch (error) {
      log.error(errorFields(error), `the mirror of a domain cannot be wholly removed: pgfig mirror remove ${name}`);
    }
  }

  /** What a target has kept that did not answer, or let nobody have its locks. */
  async #finish(rules: RuleSet, name: string, target: string): Promise<void> {
    const left = await removeLeft(this.#config, { domain: name, source: rules.defaultDatabase, target });
    if (left !== '') return;
    this.#unfinished.delete(name);
    this.#log.warn({ domain: name }, `what was left of a removed mirror is gone from ${target}`);
  }
}
