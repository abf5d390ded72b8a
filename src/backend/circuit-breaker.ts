/**
 * Remembers for a worker which databases were unreachable a moment ago, so that a login that may begin
 * elsewhere does not wait for the same time-out again. It only reorders: a statement that needs the database
 * always tries it.
 */
export class CircuitBreaker {
  readonly #openUntil = new Map<string, number>();
  readonly #pause: number;

  /** @param pause how long a database counts as unreachable, in ms */
  constructor(pause = 1_000) {
    this.#pause = pause;
  }

  failed(database: string): void {
    this.#openUntil.set(database, Date.now() + this.#pause);
  }

  reached(database: string): void {
    this.#openUntil.delete(database);
  }

  isOpen(database: string): boolean {
    const until = this.#openUntil.get(database);
    return until !== undefined && Date.now() < until;
  }
}
