/**
 * What a writer was told: `acked` must be there, `failed` must not, `unknown` may be either. `prepared` is a transaction
 * that was prepared, or may have been: settled later by who finds it.
 */
export type Outcome = 'acked' | 'failed' | 'unknown' | 'prepared';

export interface Operation {
  /** Its mark in table ops, written by the same transaction. */
  readonly id: string;
  readonly kind: string;
  readonly writer: string;
  /** False: the writer has synchronous_commit off, so that its last acknowledged writes may be gone after a crash. */
  readonly durable: boolean;
  outcome: Outcome;
  /** What the client saw, where it is not acked. */
  error: string | null;
}

/** Every operation of a run. */
export class Journal {
  readonly operations: Operation[] = [];

  /** Until it is told otherwise, nobody knows. */
  begin(id: string, kind: string, writer: string, durable: boolean): Operation {
    const operation: Operation = { id, kind, writer, durable, outcome: 'unknown', error: null };
    this.operations.push(operation);
    return operation;
  }

  count(outcome: Outcome): number {
    return this.operations.filter((operation) => operation.outcome === outcome).length;
  }

  /** One line: how many ended how, and the errors that were seen, most frequent first. */
  summary(): string {
    const errors = new Map<string, number>();
    for (const { error } of this.operations) if (error !== null) errors.set(error, (errors.get(error) ?? 0) + 1);
    const most = [...errors].sort(([, a], [, b]) => b - a).slice(0, 8);
    const counts = (['acked', 'failed', 'unknown', 'prepared'] as const).map((name) => `${this.count(name)} ${name}`);
    return `${counts.join(', ')}; ${most.map(([error, count]) => `${count} x ${error}`).join('; ')}`;
  }

  /** Kinds of which none was ever acknowledged: what the run has not tried. */
  untried(kinds: readonly string[]): string[] {
    const tried = new Set(this.operations.filter(({ outcome }) => outcome === 'acked').map(({ kind }) => kind));
    return kinds.filter((kind) => !tried.has(kind));
  }
}
