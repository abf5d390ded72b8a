import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { type Mirror, mirrorOf } from '../../mirror/mirror.js';
import type { RelayEvents } from '../../mirror/relay/relay-events.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { errorFields } from '../log/logger.js';
import { AbandonedMirrors, type AbandonedOptions } from './abandoned-mirrors.js';
import { DomainMirror } from './domain-mirror.js';
import { RelayTallies } from './relay-tallies.js';
import type { SyncSources } from './sync-source.js';

/** How often mirrors are looked for that no rule wants. */
const LOOK_MS = 60_000;

/** All mirrors with an outbox, as the rules have them: begun, changed and ended with them. */
export class Mirrors {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #sources: SyncSources;
  readonly #mirrors = new Map<string, { readonly mirror: DomainMirror; readonly leave: () => void }>();
  readonly #ending = new Set<Promise<void>>();
  readonly #abandoned: AbandonedMirrors;
  readonly #timer: NodeJS.Timeout;
  #rules: RuleSet | null = null;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;
  readonly tallies = new RelayTallies();

  constructor(config: Config, log: Logger, sources: SyncSources, options: AbandonedOptions = {}) {
    this.#config = config;
    this.#log = log;
    this.#sources = sources;
    this.#abandoned = new AbandonedMirrors(config, log, options);
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
  }

  get all(): readonly DomainMirror[] {
    return [...this.#mirrors.values()].map(({ mirror }) => mirror);
  }

  find(domain: string): DomainMirror | null {
    return this.#mirrors.get(domain)?.mirror ?? null;
  }

  /** The rules that are in effect. */
  update(rules: RuleSet): void {
    this.#rules = rules;
    const wanted = new Map<string, Mirror>();
    for (const domain of rules.domains) {
      const mirror = mirrorOf(domain, rules.defaultDatabase);
      if (mirror?.rule.capture === 'outbox') wanted.set(mirror.domain, mirror);
    }
    for (const [name, { mirror: running }] of this.#mirrors) {
      const mirror = wanted.get(name);
      if (mirror === undefined || !sameSides(mirror, running.mirror)) this.#end(name);
      else if (JSON.stringify(mirror) !== JSON.stringify(running.mirror)) running.follow(mirror);
    }
    for (const [name, mirror] of wanted) if (!this.#mirrors.has(name)) this.#begin(name, mirror);
    void this.look();
  }

  /** Removes mirrors that no rule wants any more, once what ends here has ended. Never rejects. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      await Promise.all(this.#ending);
      if (this.#rules === null || this.#closed) return;
      await this.#abandoned.look(this.#rules, (domain) => this.#mirrors.has(domain));
    });
    return this.#looking;
  }

  #begin(name: string, wanted: Mirror): void {
    const mirror = new DomainMirror(this.#config, wanted, this.#log, this.#events());
    const leave = this.#sources.add(name, {
      turnAfterNow: () => mirror.turnAfterNow(),
      poke: () => mirror.poke(),
    });
    this.#mirrors.set(name, { mirror, leave });
  }

  #end(name: string): void {
    const found = this.#mirrors.get(name);
    if (found === undefined) return;
    this.#mirrors.delete(name);
    found.leave();
    const ended = found.mirror.close().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** Every relay ends after the turn under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const name of [...this.#mirrors.keys()]) this.#end(name);
    await Promise.all(this.#ending);
  }

  #events(): RelayEvents {
    const { tallies } = this;
    const log = this.#log;
    return {
      onRole: ({ domain }, role) => log.info({ domain, role }, 'relay'),
      onTurn: ({ domain }, turn) => tallies.turn(domain, turn),
      onStalled: ({ domain }, table, reason) => {
        tallies.stalled(domain);
        log.error({ domain, table, reason }, 'table stalled: nothing is applied to its copy until this is mended');
        // Partitions that have come need triggers before a backfill.
        this.find(domain)?.recheck();
      },
      onGoesOn: ({ domain }, table) => log.info({ domain, table }, 'table is tried again'),
      onError: ({ domain }, error) => {
        tallies.failed(domain);
        log.warn({ domain, ...errorFields(error) }, 'relay failed; it begins anew');
      },
    };
  }
}

const sameSides = (a: Mirror, b: Mirror): boolean => a.source === b.source && a.target === b.target;
