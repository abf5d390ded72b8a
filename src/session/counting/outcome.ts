/** What became of one statement. */
export interface Outcome {
  readonly rows: number;
  /** Since it arrived, or since the one before it was answered. */
  readonly seconds: number;
  /** Sent back for it. */
  readonly bytes: number;
  /** SQLSTATE; null: it was carried out. */
  readonly error: string | null;
  /** COMMIT was answered with ROLLBACK. */
  readonly rolledBack: boolean;
}
