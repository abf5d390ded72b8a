import type { Snapshot } from '../position/snapshot.js';
import type { TableShape } from '../shape/table-shape.js';
import type { Stamp } from './stamp.js';

export type TableState =
  /** Captured, and nothing of it copied. */
  | 'new'
  /** Rows up to the backfill's key are copied. */
  | 'backfill'
  | 'in-step'
  /** Nothing is applied; its changes wait in the outbox. */
  | 'stalled';

/** What ends a stall: another try once the cause is mended, or copying the table again. */
export type Remedy = 'retry' | 'backfill';

/**
 * How far the copying of one table has come.
 *  - `fresh`: the target was empty. Nothing of a key beyond `key` is applied, a chunk brings it.
 *  - `replace`: the target has rows, which stay readable. Each chunk replaces the rows of its keys; all changes are
 *    applied as always.
 *  - `extras`: after `replace`, what the target has and the source does not is deleted, chunk by chunk of the target's
 *    own keys.
 */
export interface BackfillState {
  readonly pass: 'fresh' | 'replace' | 'extras';
  /** Texts of the key's columns of the last row that is done; null: none is. */
  readonly key: readonly string[] | null;
  readonly rows: number;
  /** As the source's statistics have it when it began. */
  readonly estimate: number;
  readonly beganAt: string;
}

/** A mirrored table as the relay knows it: its row of pgfig.relay_tables, and its shapes. */
export interface RelayTable {
  readonly name: string;
  readonly state: TableState;
  readonly reason: string | null;
  readonly remedy: Remedy | null;
  /** Of the last turn; null: whatever is found next is taken for good. */
  readonly stamp: Stamp | null;
  /** The source's, when the stamp was taken. */
  readonly shape: TableShape | null;
  /** Its own, while it is behind the domain; null: that of the domain. */
  readonly position: Snapshot | null;
  readonly backfill: BackfillState | null;
}

/** The row of pgfig.relay: the domain's position, and from where it is. */
export interface RelayRow {
  readonly mirror: number;
  readonly sourceSystem: string;
  readonly sourceDatabase: string;
  readonly sourceTimeline: number;
  readonly position: Snapshot;
  readonly whole: boolean;
  /** Milliseconds since 1970: when the source was as the copy is. */
  readonly moment: number;
  readonly turns: number;
}
