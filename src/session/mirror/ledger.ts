import type { Mirroring } from '../../routing/mirroring.js';
import type { MirrorFailure } from './divergence.js';

/** Statements of a transaction that are told apart between two savepoints; further ones are counted together. */
const MOST_ENTRIES = 200;
/** Keys kept of equal statements. */
const MOST_KEYS = 10;

/** Statements of the transaction under way that ran on the monolith: equal ones are one entry. */
export interface LedgerEntry {
  readonly mirroring: Mirroring;
  readonly fingerprint: string;
  /** null: it has run on the new database too. */
  readonly failure: MirrorFailure | null;
  /** Give the rows concerned, of some of the statements. */
  readonly keys: KeysOf[];
  count: number;
}

/** Reads from a statement which rows it concerns, 'id=42', as far as it says so. */
export type KeysOf = () => readonly string[];

interface Frame {
  /** Of the savepoint that it began with; null: the transaction itself. */
  readonly name: string | null;
  readonly entries: Map<string, LedgerEntry>;
}

/**
 * What the client's transaction has changed of mirrored tables so far, along its savepoints: nothing of it is a
 * divergence before the monolith has committed it. A pure machine; bounded, however long the transaction is.
 */
export class Ledger {
  #frames: Frame[] = [{ name: null, entries: new Map() }];

  get isEmpty(): boolean {
    return this.#frames.every(({ entries }) => entries.size === 0);
  }

  note(mirroring: Mirroring, fingerprint: string, failure: MirrorFailure | null, keys: KeysOf | null = null): void {
    const frame = this.#frames.at(-1);
    if (frame !== undefined)
      add(frame.entries, { mirroring, fingerprint, failure, keys: keys === null ? [] : [keys], count: 1 });
  }

  savepoint(name: string): void {
    this.#frames.push({ name, entries: new Map() });
  }

  /** What ran since the savepoint stays, with what ran before it. */
  release(name: string): void {
    const at = this.#frames.findLastIndex((frame) => frame.name === name);
    if (at < 0) return;
    const below = this.#frames[at - 1];
    for (const { entries } of this.#frames.splice(at)) {
      for (const entry of entries.values()) if (below !== undefined) add(below.entries, entry);
    }
  }

  /**
   * What ran since the savepoint is undone; the savepoint stays. One that is not known was set unseen: what ran since
   * then stays in the ledger, as it is better to tell of a divergence too many.
   */
  rollbackTo(name: string): void {
    const at = this.#frames.findLastIndex((frame) => frame.name === name);
    if (at < 0) return;
    this.#frames.length = at + 1;
    this.#frames[at]?.entries.clear();
  }

  /** All entries; the ledger is empty afterwards, and without savepoints. */
  take(): LedgerEntry[] {
    const all = new Map<string, LedgerEntry>();
    for (const { entries } of this.#frames) for (const entry of entries.values()) add(all, entry);
    this.#frames = [{ name: null, entries: new Map() }];
    return [...all.values()];
  }
}

function add(entries: Map<string, LedgerEntry>, entry: LedgerEntry): void {
  const { mirroring, failure } = entry;
  const fingerprint = entries.size < MOST_ENTRIES ? entry.fingerprint : '';
  const key = [fingerprint, mirroring.database, mirroring.tables[0], failure?.reason, failure?.sqlstate].join('\n');
  const known = entries.get(key);
  if (known === undefined) {
    entries.set(key, { ...entry, fingerprint });
    return;
  }
  known.count += entry.count;
  known.keys.push(...entry.keys.slice(0, MOST_KEYS - known.keys.length));
}
