import type pg from 'pg';
import type { Mirror } from '../mirror.js';
import type { TableShape } from '../shape/table-shape.js';
import type { RelayTable } from './relay-table.js';

/** What a relay tells of itself; logs and metrics are made of it elsewhere. */
export interface RelayEvents {
  onRole(mirror: Mirror, role: RelayStatus['role']): void;
  /** A turn has been applied. `seconds` from its beginning to its commit in the target. */
  onTurn(mirror: Mirror, turn: { readonly changes: number; readonly seconds: number; readonly whole: boolean }): void;
  onStalled(mirror: Mirror, table: string, reason: string): void;
  /** A table that was stalled goes on. */
  onGoesOn(mirror: Mirror, table: string): void;
  onError(mirror: Mirror, error: Error): void;
}

/** Both sides at the same moment: the source in its snapshot, the target in the relay's own transaction. */
export interface WholeTurn {
  readonly source: pg.Client;
  readonly target: pg.Client;
  /** Tables that are in step, by 'schema.table'; the source's shapes. */
  readonly shapes: ReadonlyMap<string, TableShape>;
}

export type TurnWork = (turn: WholeTurn) => Promise<void>;

/** Changes that wait, as of the last look. */
export interface Backlog {
  /** Events of tables that are in step or stalled; counted up to a bound. */
  readonly changes: number;
  /** There are more than were counted. */
  readonly more: boolean;
  /** Size of the outbox on the source's disk, with its index. */
  readonly bytes: number;
}

export interface LeaderStatus {
  readonly tables: readonly RelayTable[];
  /** Milliseconds since 1970: the copy is as the source was then, but for tables that are not in step. */
  readonly moment: number;
  readonly whole: boolean;
  readonly turns: number;
  readonly changes: number;
  readonly backlog: Backlog;
  /** Why the last turn failed; null: it did not. */
  readonly error: string | null;
}

export interface RelayStatus {
  readonly domain: string;
  readonly role: 'starting' | 'leading' | 'following' | 'not-installed';
  readonly error: string | null;
  /**
   * Milliseconds since 1970: what the copy equals, as far as this instance knows: also of a relay that has lost its
   * target. Null while another instance leads, or nobody has yet.
   */
  readonly moment: number | null;
  readonly leading: LeaderStatus | null;
}
