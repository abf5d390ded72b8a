import type pg from 'pg';
import { crashPoint } from '../../mirror/crash-points.js';
import { cutAt, join, parseSnapshot, type Snapshot } from '../../mirror/position/snapshot.js';
import { flushed } from '../../mirror/position/wal-flush.js';
import { type Envelope, messagesOf } from '../envelope.js';
import type { EventSink } from '../event.js';
import type { FeedTable } from './feed-table.js';
import { beginMoment, type PageNames, readPage } from './page.js';
import { changedKeys, findCut, MOST_EVENTS, type Since } from './waiting.js';

export interface TurnScope {
  readonly tables: readonly FeedTable[];
  /** Oids of all tables of the domain that are known to be captured. */
  readonly known: ReadonlySet<number>;
  readonly since: Since;
  /** Tables with positions of their own, taken along where the turn takes all that waits. */
  readonly joining: readonly Since[];
  readonly names: PageNames;
  readonly envelope: Envelope;
}

export interface TurnOutcome {
  /** Up to where everything was sent. */
  readonly to: Snapshot;
  /** All that was there at `moment` was taken. */
  readonly whole: boolean;
  readonly moment: Date;
  readonly messages: number;
}

/**
 * Sends the state of every key that has changed since the positions, and leaves it to the caller to move them. States
 * are read a page at a time, each page in a snapshot of its own that ends before anything is sent: a slow broker must
 * not hold the source's xmin.
 * @throws TableFailure, SendFailure, TablesUnknown; what the driver throws
 */
export async function takeTurn(client: pg.ClientBase, sink: EventSink, scope: TurnScope): Promise<TurnOutcome> {
  const { tables, since, joining } = scope;
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  let moment = await beginMoment(client, tables);
  await allKnown(client, scope);
  const cut = await findCut(client, [since], MOST_EVENTS);
  const whole = cut.below === null;
  const source = await changedKeys(client, whole ? [since, ...joining] : [since], cut);
  const all = parseSnapshot(moment.snapshot);
  // A cut at a late transaction lies below the position: what was sent stays sent.
  const to = cut.below === null ? all : join(since.position, cutAt(all, cut.below));
  const outcome = { to, whole, moment: moment.moment };
  let messages = 0;
  for (let keys = await source.next(); ; moment = await beginMoment(client, tables)) {
    const { changes, left } = await readPage(client, byOid, keys, moment, scope.names);
    await client.query('COMMIT');
    if (changes.length > 0) {
      const batch = changes.flatMap((change) => messagesOf(change, scope.envelope));
      await flushed(client, moment.lsn);
      crashPoint('kafka-before-send');
      await sink.send(batch);
      crashPoint('kafka-after-send');
      messages += batch.length;
    }
    keys = left.length > 0 ? left : await source.next();
    if (keys.length === 0) break;
  }
  await source.close();
  return { ...outcome, messages };
}

/** A table was captured since the tables were read. Nothing was sent. */
export class TablesUnknown extends Error {
  constructor() {
    super('a table of the domain is captured that the feed does not know yet');
    this.name = 'TablesUnknown';
  }
}

/**
 * The position is one for all tables: it must not pass events of a table that the turn knows nothing of. Whatever the
 * turn's snapshot sees of a table was written behind its trigger, which came in one transaction with its row here.
 */
async function allKnown(client: pg.ClientBase, { since, known }: TurnScope): Promise<void> {
  const { rows } = await client.query<{ oid: string }>(
    'SELECT table_oid::int8::text AS oid FROM pgfig.captured WHERE mirror = $1',
    [since.mirror],
  );
  if (!rows.every(({ oid }) => known.has(Number(oid)))) throw new TablesUnknown();
}
