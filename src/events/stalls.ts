import type { FeedListener } from './event.js';

/** Milliseconds. */
const RETRY_MS = 30_000;

interface Stall {
  readonly reason: string;
  retryAt: number;
}

/** Tables whose messages wait, each with its reason; each is tried again now and then. */
export class Stalls {
  readonly #listener: Pick<FeedListener, 'onStall'>;
  readonly #tables = new Map<string, Stall>();

  constructor(listener: Pick<FeedListener, 'onStall'>) {
    this.#listener = listener;
  }

  /** Whether a table may be tried now; one that is not stalled always may. */
  due(table: string): boolean {
    return Date.now() >= (this.#tables.get(table)?.retryAt ?? 0);
  }

  begin(table: string, reason: string): void {
    const before = this.#tables.get(table);
    this.#tables.set(table, { reason, retryAt: Date.now() + RETRY_MS });
    if (before?.reason !== reason) this.#listener.onStall(table, reason);
  }

  end(table: string): void {
    if (this.#tables.delete(table)) this.#listener.onStall(table, null);
  }

  /** All may be tried now. */
  retry(): void {
    for (const stall of this.#tables.values()) stall.retryAt = 0;
  }

  list(): readonly { readonly table: string; readonly reason: string }[] {
    return [...this.#tables]
      .map(([table, { reason }]) => ({ table, reason }))
      .toSorted((a, b) => (a.table < b.table ? -1 : 1));
  }
}
