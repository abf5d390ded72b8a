import type { MirroredDomain } from './mirrored.js';

/**
 * Which mirrored domains the session's transaction has written, and which of them are committed and not yet waited
 * for. Savepoints are not followed: what ROLLBACK TO undoes is waited for once in vain.
 */
export class Commits {
  #open: Map<string, MirroredDomain> | null = null;
  #due: Map<string, MirroredDomain> | null = null;

  /** Something was committed that the next ReadyForQuery has to wait for. */
  get due(): boolean {
    return this.#due !== null;
  }

  /** A statement of the transaction under way was carried out. */
  wrote(domains: readonly MirroredDomain[]): void {
    this.#open ??= new Map();
    for (const domain of domains) this.#open.set(domain.name, domain);
  }

  /** The transaction under way is over. */
  end(committed: boolean): void {
    if (this.#open === null) return;
    if (committed) this.#nowDue(this.#open.values());
    this.#open = null;
  }

  /** What was written so far, and by a text that has failed in the middle, may be committed; or may not be yet. */
  mayBeCommitted(domains: readonly MirroredDomain[]): void {
    this.#nowDue(domains);
    if (this.#open !== null) this.#nowDue(this.#open.values());
  }

  #nowDue(domains: Iterable<MirroredDomain>): void {
    for (const domain of domains) {
      this.#due ??= new Map();
      this.#due.set(domain.name, domain);
    }
  }

  /** What is due, which is then somebody else's to wait for. */
  take(): readonly MirroredDomain[] {
    const due = this.#due;
    this.#due = null;
    return due === null ? [] : [...due.values()];
  }
}
