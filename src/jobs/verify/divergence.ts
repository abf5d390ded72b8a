/** A proven difference between a row of the source and the target's, both seen at one moment. */
export interface Divergence {
  /** 'schema.table' */
  readonly table: string;
  /** The key's text as the outbox has it. */
  readonly key: string;
  /** missing: only the source has it; extra: only the target has it. */
  readonly kind: 'missing' | 'extra' | 'differs';
  /** Names of the columns that differ; [] for missing and extra. */
  readonly columns: readonly string[];
  /** Column -> its text on both sides, null for NULL; only where values were asked for. */
  readonly values?: Readonly<Record<string, { readonly source: string | null; readonly target: string | null }>>;
}
