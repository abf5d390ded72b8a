import type { StatementDivergence } from '../../session/mirror/divergence.js';

/** How often a worker tells of divergences at most. */
const INTERVAL_MS = 1_000;
/** Kinds of them that are told apart until then; the others are told together, without their statements. */
const MOST_KINDS = 500;
const MOST_KEYS = 10;

/**
 * What a worker's statement mirrors found missing, until it is handed on: equal ones (domain, table, statement, reason)
 * are one with a count, so that a database that is down for hours makes no row for each statement.
 */
export class DivergenceBatch {
  readonly #send: (divergences: readonly StatementDivergence[]) => void;
  readonly #waiting = new Map<string, StatementDivergence>();
  #timer: NodeJS.Timeout | null = null;

  constructor(send: (divergences: readonly StatementDivergence[]) => void) {
    this.#send = send;
  }

  add(found: StatementDivergence): void {
    const one = this.#waiting.size < MOST_KINDS ? found : { ...found, table: null, fingerprint: '', keys: [] };
    const key = [one.domain, one.table, one.fingerprint, one.reason].join('\n');
    const known = this.#waiting.get(key);
    this.#waiting.set(key, known === undefined ? one : both(known, one));
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL_MS).unref();
  }

  /** Hands on what waits. */
  flush(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    if (this.#waiting.size === 0) return;
    this.#send([...this.#waiting.values()]);
    this.#waiting.clear();
  }
}

/** The newer one's words, and both counts. */
function both(known: StatementDivergence, added: StatementDivergence): StatementDivergence {
  const keys = [...new Set([...known.keys, ...added.keys])].slice(0, MOST_KEYS);
  return { ...added, keys, count: known.count + added.count };
}
