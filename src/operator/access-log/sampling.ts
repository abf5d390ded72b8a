import type { AccessLogConfig } from '../../config/config.js';

/** Which statements are written: a share of those of each service, by chance. */
export class Sampling {
  readonly #share: number;
  readonly #shares: ReadonlyMap<string, number>;

  constructor({ sample, services }: Pick<AccessLogConfig, 'sample' | 'services'>) {
    this.#share = sample / 100;
    this.#shares = new Map(Object.entries(services).map(([service, percent]) => [service, percent / 100]));
  }

  /** Asked once for each statement. */
  wants(service: string): boolean {
    const share = this.#shares.size === 0 ? this.#share : (this.#shares.get(service) ?? this.#share);
    return share >= 1 || (share > 0 && Math.random() < share);
  }
}
