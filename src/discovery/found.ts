import type { Matrix } from '../matrix/matrix.js';

/** What a source other than the proxy has told. */
export interface Found {
  readonly matrix: Matrix;
  /** Statements carried out, those that touch no table among them; null: the source does not tell. */
  readonly statements: number | null;
  readonly failures: number;
  /** Milliseconds since 1970 of the first and last; null: not known. */
  readonly since: number | null;
  readonly until: number | null;
  /** Sentences for the reader: what was left out, and why. */
  readonly notes: readonly string[];
}
