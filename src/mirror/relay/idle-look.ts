import { covers, type Snapshot, sees } from '../position/snapshot.js';
import { follows, sinceOf } from './followed.js';
import type { RelayRow, RelayTable } from './relay-table.js';
import type { SourceSide } from './source-side.js';

export interface Found {
  /** An event that no turn has taken: one is to begin. */
  readonly waits: boolean;
  /** Milliseconds since 1970, by the source's clock: the copy equals the source of then. Null: that is not known. */
  readonly moment: number | null;
}

/**
 * Looks whether anything waits, while nobody has asked for a turn: by one statement, which locks nothing and reads no
 * catalog. A turn that finds nothing costs the monolith 20 ms where a table has 500 partitions.
 */
export class IdleLook {
  #since: { readonly position: Snapshot; readonly oids: string; readonly left: Snapshot } | null = null;

  /** @throws what the driver throws */
  async look(source: SourceSide, { position }: RelayRow, tables: readonly RelayTable[]): Promise<Found> {
    const followed = tables.filter(follows);
    const oids = followed.map(({ shape }) => shape.oid).join();
    const known = this.#since?.position === position && this.#since.oids === oids ? this.#since.left : position;
    const { waits, seen, at } = await source.look(sinceOf(followed, known));
    // What was under way then and has ended without an event need not be asked for again.
    const left = { ...known, xip: known.xip.filter((xid) => !sees(seen, xid)) };
    this.#since = waits ? null : { position, oids, left };
    // Without an event the rows may have changed by ALTER TABLE, which only a turn finds out, and a copy is not to be
    // called equal before. Where nothing at all has committed since the position, nobody has altered anything.
    return { waits, moment: !waits && covers(position, seen) ? at : null };
  }
}
