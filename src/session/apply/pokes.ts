/** How often a domain is poked at most, in milliseconds. */
const INTERVAL_MS = 1;

/** Pokes the relays of domains that were written: the first at once, then all that came within the interval together. */
export class Pokes {
  readonly #send: (domains: readonly string[]) => void;
  readonly #waiting = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(send: (domains: readonly string[]) => void) {
    this.#send = send;
  }

  poke(domain: string): void {
    this.#waiting.add(domain);
    if (this.#timer === null) this.#go();
  }

  #go(): void {
    this.#timer = null;
    if (this.#waiting.size === 0) return;
    const domains = [...this.#waiting];
    this.#waiting.clear();
    this.#send(domains);
    this.#timer = setTimeout(() => this.#go(), INTERVAL_MS);
    this.#timer.unref();
  }
}
