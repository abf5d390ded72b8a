import type { KeyValues } from './key-sql.js';

export interface VerifyOptions {
  /** Percentage of the chunks, 0 to 100, that are compared. */
  readonly sample: number;
  /** Another seed chooses other chunks. */
  readonly seed: string;
  /** Whether divergences have the values of the columns that differ. */
  readonly values: boolean;
  /** After so many divergences the rest of the table is left alone. */
  readonly most: number;
}

/** How far the work on a table has come: all that is needed to go on after a crash. Plain JSON. */
export interface VerifyState {
  /** rows: chunk by chunk of the source's rows; extras: of the target's keys, where `rows` cannot see what is extra. */
  readonly pass: 'rows' | 'extras' | 'done';
  /** Texts of the last key that is done with. */
  readonly after: KeyValues | null;
  readonly chunks: number;
  /** Rows of the source that were compared. */
  readonly rows: number;
  /** Rows of chunks that the sample has left out. */
  readonly skipped: number;
  readonly found: number;
}

export const BEGIN: VerifyState = { pass: 'rows', after: null, chunks: 0, rows: 0, skipped: 0, found: 0 };
