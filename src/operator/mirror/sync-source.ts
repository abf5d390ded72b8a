import { type TurnOutcome, worstOf } from '../../mirror/turn-outcome.js';

/** The relay of one domain, as far as commits wait for it. */
export interface SyncSource {
  /** Resolves when a turn that began after this call is applied, or cannot be. May reject: then it counts as failed. */
  turnAfterNow(domain: string): Promise<TurnOutcome>;
  /** Something was written: a turn is worth its while. */
  poke(domain: string): void;
}

/**
 * Where the control process finds the relay of a domain when a worker asks. A domain of which it has none (the rules
 * of the worker are older) is answered at once, as failed: no client waits for it.
 */
export class SyncSources {
  readonly #sources = new Map<string, SyncSource>();
  readonly #onError: (domain: string, error: unknown) => void;

  /** @param onError hears of turns that were rejected */
  constructor(onError: (domain: string, error: unknown) => void) {
    this.#onError = onError;
  }

  /** @returns what takes it away again, unless another has taken its place */
  add(domain: string, source: SyncSource): () => void {
    this.#sources.set(domain, source);
    return () => {
      if (this.#sources.get(domain) === source) this.#sources.delete(domain);
    };
  }

  /** What became of turns of all these domains that began after this call. Never rejects. */
  async turnsAfterNow(domains: readonly string[]): Promise<TurnOutcome> {
    return worstOf(await Promise.all(domains.map((domain) => this.#turn(domain))));
  }

  async #turn(domain: string): Promise<TurnOutcome> {
    try {
      return (await this.#sources.get(domain)?.turnAfterNow(domain)) ?? 'failed';
    } catch (error) {
      this.#onError(domain, error);
      return 'failed';
    }
  }

  poke(domains: readonly string[]): void {
    for (const domain of domains) this.#sources.get(domain)?.poke(domain);
  }
}
