import type { Snapshot } from '../position/snapshot.js';
import type { TableShape } from '../shape/table-shape.js';
import type { Since } from './events-sql.js';
import type { RelayTable } from './relay-table.js';

/** A table whose changes the domain's turns apply. */
export interface Followed extends RelayTable {
  readonly shape: TableShape;
}

/** Those that follow the domain, or do so again after the next turn. */
export const follows = (table: RelayTable): table is Followed => table.state === 'in-step' && table.shape !== null;

/** What of each table's events has been applied. @param position the domain's */
export const sinceOf = (tables: readonly Followed[], position: Snapshot): Since[] =>
  tables.map(({ shape, position: own }) => ({ oid: shape.oid, position: own ?? position }));
