import { PgfigError } from '../../errors/pgfig-error.js';
import { crashPoint } from '../crash-points.js';
import { cutAt, join, type Snapshot, snapshotText } from '../position/snapshot.js';
import { readShapes } from '../shape/read-shapes.js';
import type { TableShape } from '../shape/table-shape.js';
import { applyTable, type Pair } from './apply-table.js';
import { committed } from './committed.js';
import type { Since } from './events-sql.js';
import { type Followed, follows, sinceOf } from './followed.js';
import type { RelayRow, RelayTable } from './relay-table.js';
import { insertSmall, readSmall, removeSmall, SMALL_TURN, type SmallTable, smallTables } from './small-turn.js';
import type { Moment, Waiting } from './source-side.js';
import { judgeStamp, type Stamp } from './stamp.js';
import { advanceSql, tableSql } from './target-store.js';

/** What one turn is to do beyond applying what waits. */
export interface TurnWish {
  readonly domain: string;
  readonly owner: string;
  /** About how many changes a turn takes at most; null: all that wait, so that the copy equals one moment. */
  readonly most: number | null;
  /** Not the short path: it cannot say which table an error is of. */
  readonly streaming: boolean;
  /** Move the position although nothing waits. */
  readonly advance: boolean;
  /** Runs before both transactions end, when the copy equals the source's moment. */
  readonly work: ((shapes: ReadonlyMap<string, TableShape>) => Promise<void>) | null;
}

export interface TurnResult {
  readonly row: RelayRow;
  /** The tables whose rows of pgfig.relay_tables have changed, by name. */
  readonly changed: ReadonlyMap<string, RelayTable>;
  /** Changes that were applied, as the outbox has them. */
  readonly changes: number;
  /** More waits than the turn has taken. */
  readonly more: boolean;
}

/** Tables whose definition has changed: they are to be stalled before the next try. Nothing was applied. */
export class TablesChanged extends Error {
  readonly reasons: ReadonlyMap<string, string>;
  constructor(reasons: ReadonlyMap<string, string>) {
    super([...reasons].map(([table, reason]) => `${table}: ${reason}`).join('; '));
    this.reasons = reasons;
  }
}

/** What the target refused of one table. Nothing of the turn was applied. */
export class TableRefused extends Error {
  readonly table: string;
  constructor(table: string, cause: unknown) {
    super(`${table}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.table = table;
  }
}

/**
 * One turn of the relay: the copy becomes what the source is at one moment.
 *
 *  1. Source: snapshot S behind locks on the tables, its WAL position noted (`SourceSide.begin`).
 *  2. What is visible in S and not in the position P of the last turn has changed.
 *  3. Target, one transaction: P := S if it is still P and the relay still ours; the rows of the changed keys as they
 *     are at S.
 *  4. The source's transaction ends; once its WAL is on disk up to the noted position, the target commits.
 *
 * A crash anywhere repeats the turn, which does no harm: it makes rows equal, it adds nothing to them.
 *
 * @throws TablesChanged, TableRefused; what the driver throws. Both connections then have to be rolled back or closed
 */
export async function takeTurn(
  pair: Pair,
  row: RelayRow,
  tables: readonly RelayTable[],
  wish: TurnWish,
): Promise<TurnResult> {
  const turn = new Turn(pair, row, tables, wish);
  return turn.take();
}

class Turn {
  readonly #pair: Pair;
  readonly #row: RelayRow;
  readonly #tables: readonly Followed[];
  readonly #shapes: Map<number, TableShape>;
  readonly #wish: TurnWish;
  /** Tables whose rows in pgfig.relay_tables change, by name. */
  readonly #changed = new Map<string, RelayTable>();
  /** What the turn takes: of every table it has applied all that this sees, once it has ended. */
  #taken: Snapshot | null = null;

  constructor(pair: Pair, row: RelayRow, tables: readonly RelayTable[], wish: TurnWish) {
    this.#pair = pair;
    this.#row = row;
    this.#tables = tables.filter(follows);
    this.#shapes = new Map(this.#tables.map(({ shape }) => [shape.oid, shape]));
    this.#wish = wish;
  }

  async take(streaming = this.#wish.streaming): Promise<TurnResult> {
    const { source } = this.#pair;
    const shapes = [...this.#shapes.values()];
    const moment = await source.begin(shapes, this.#since(), SMALL_TURN + 1);
    this.#taken = moment.position;
    crashPoint('turn-begun');
    await this.#judge(moment);
    if (moment.first.length === 0 && this.#wish.work === null) return this.#idle(moment);
    const few = moment.first.length <= SMALL_TURN && this.#wish.work === null && !streaming;
    const small = few ? smallTables(moment.first, this.#shapes) : null;
    if (small === null) return this.#stream(moment);
    // Rows that are too big for it: from the beginning, since the source's transaction is over.
    return (await this.#short(moment, small)) ?? this.take(true);
  }

  #since(): Since[] {
    return sinceOf(this.#tables, this.#row.position);
  }

  /** Compares each table's definition with that of the last turn. */
  async #judge({ stamps }: Moment): Promise<void> {
    const doubtful = this.#tables.filter(({ name, stamp }) => !sameStamp(stamp, stamps.get(name)));
    if (doubtful.length === 0) return;
    const now = await readShapes(
      this.#pair.source.client,
      doubtful.map(({ name }) => name),
    );
    const reasons = new Map<string, string>();
    for (const table of doubtful) {
      const stamp = stamps.get(table.name);
      const shape = now.get(table.name);
      if (stamp === undefined || shape === undefined) {
        reasons.set(table.name, 'the table is gone');
        continue;
      }
      const verdict =
        table.stamp === null ? ({ type: 'same' } as const) : judgeStamp(table.stamp, stamp, table.shape, shape);
      if (verdict.type === 'stall') reasons.set(table.name, verdict.reason);
      else this.#changed.set(table.name, { ...table, stamp, shape });
    }
    if (reasons.size > 0) throw new TablesChanged(reasons);
  }

  /** Nothing waits. */
  async #idle(moment: Moment): Promise<TurnResult> {
    const { source } = this.#pair;
    await source.commit();
    const rejoins = this.#tables.some(({ position }) => position !== null);
    if (!this.#wish.advance && !rejoins && this.#changed.size === 0 && this.#row.whole) {
      // As good as applied: whoever waits for a turn has got it, and a later crash finds nothing to repeat.
      return { row: { ...this.#row, moment: moment.at }, changed: NONE, changes: 0, more: false };
    }
    await source.flushed(moment.lsn);
    crashPoint('before-advance');
    await this.#begin(moment, true);
    await this.#end([]);
    return this.#result(moment, 0, false);
  }

  /**
   * The target's transaction begins while the source reads: of what it is to do, only the rows have to be read first.
   * @returns null: it does not fit, and nothing has happened
   */
  async #short(moment: Moment, tables: readonly SmallTable[]): Promise<TurnResult | null> {
    const { source, target } = this.#pair;
    crashPoint('before-advance');
    // Neither connection may be in the middle of something when the other one has failed.
    const [reading, beginning] = await Promise.allSettled([
      readSmall(source, tables, moment.lsn),
      removeSmall(target, tables).then((removing) => this.#begin(moment, true, removing)),
    ]);
    crashPoint('source-read');
    if (beginning.status === 'rejected') throw beginning.reason;
    if (reading.status === 'rejected') throw reading.reason;
    if (reading.value === null) {
      await target.query('ROLLBACK');
      return null;
    }
    await this.#end(insertSmall(reading.value));
    return this.#result(moment, moment.first.length, false);
  }

  /** Begins the target's transaction. */
  async #begin(moment: Moment, whole: boolean, statements: readonly string[] = []): Promise<void> {
    await this.#pair.target.query(['BEGIN', this.#advance(moment, whole), ...statements].join(';\n'));
  }

  /** Ends it, behind the last statements, in one message where no row of pgfig.relay_tables changes. */
  async #end(statements: readonly string[]): Promise<void> {
    const { target } = this.#pair;
    const updates = this.#tableUpdates();
    if (updates.length > 0) {
      if (statements.length > 0) await target.query(statements.join(';\n'));
      await this.#updateTables(updates);
    }
    crashPoint('before-commit');
    await committed(target, updates.length > 0 ? [] : statements);
    crashPoint('after-commit');
  }

  async #stream(moment: Moment): Promise<TurnResult> {
    const { source, target } = this.#pair;
    const { most, work } = this.#wish;
    const cut = most === null || work !== null ? null : await source.cut(this.#since(), most);
    const waiting = await source.waiting(this.#since(), cut);
    if (cut !== null) this.#taken = cutAt(moment.position, cut);
    const whole = cut === null;
    crashPoint('source-read');
    crashPoint('before-advance');
    await this.#begin(moment, whole);
    for (const one of waiting) await this.#apply(one, cut);
    if (work === null) await source.commit();
    await this.#updateTables(this.#tableUpdates());
    if (work !== null) {
      await work(new Map([...this.#shapes.values()].map((shape) => [shape.name, shape])));
      await source.commit();
    }
    await source.flushed(moment.lsn);
    crashPoint('before-commit');
    await committed(target);
    crashPoint('after-commit');
    const changes = waiting.reduce((sum, { events }) => sum + events, 0);
    return this.#result(moment, changes, !whole);
  }

  async #apply(waiting: Waiting, cut: bigint | null): Promise<void> {
    const shape = this.#shapes.get(waiting.oid);
    const since = this.#since().find(({ oid }) => oid === waiting.oid);
    if (shape === undefined || since === undefined) return;
    try {
      // A table that stands behind by itself may have been stalled in the middle of a backlog that was cut.
      const afterCut = !this.#row.whole || since.position !== this.#row.position;
      await applyTable(this.#pair, shape, { since, cut, upTo: null, stale: false, afterCut }, waiting);
    } catch (error) {
      throw new TableRefused(shape.name, error);
    }
  }

  #advance({ lsn, at }: Moment, whole: boolean): string {
    const { domain, owner } = this.#wish;
    const { position } = this.#row;
    return advanceSql({ domain, owner, before: position, after: this.#from(position), lsn, moment: at, whole });
  }

  /**
   * Where a position stands after the turn. A cut may lie below it, where a late transaction or a table that is behind
   * has much; what it has seen already stays seen, since the outbox may not have it any more.
   */
  #from(position: Snapshot): Snapshot {
    return this.#taken === null ? position : join(position, this.#taken);
  }

  /** Tables that had a position of their own follow the domain again, once they are where it is. */
  #after(): Map<string, RelayTable> {
    const after = new Map(this.#changed);
    const domain = snapshotText(this.#from(this.#row.position));
    for (const table of this.#tables) {
      if (table.position === null) continue;
      const own = this.#from(table.position);
      const position = snapshotText(own) === domain ? null : own;
      after.set(table.name, { ...(after.get(table.name) ?? table), position });
    }
    return after;
  }

  #tableUpdates(): string[] {
    const before = new Map(this.#tables.map((table) => [table.name, table]));
    return [...this.#after()].map(([name, after]) => tableSql(this.#wish.domain, before.get(name) ?? after, after));
  }

  async #updateTables(updates: readonly string[]): Promise<void> {
    for (const update of updates) {
      const { rowCount } = await this.#pair.target.query(update);
      if (rowCount !== 1) throw new PgfigError('RELAY_LOST', `another relay of domain ${this.#wish.domain} is at work`);
    }
  }

  #result(moment: Moment, changes: number, more: boolean): TurnResult {
    const position = this.#from(this.#row.position);
    const row = { ...this.#row, position, whole: !more, moment: moment.at, turns: this.#row.turns + 1 };
    return { row, changed: this.#after(), changes, more };
  }
}

const NONE: ReadonlyMap<string, RelayTable> = new Map();

function sameStamp(a: Stamp | null, b: Stamp | undefined): boolean {
  if (a === null || b === undefined) return false;
  return (
    a.oid === b.oid &&
    a.columns === b.columns &&
    a.files === b.files &&
    a.leaves === b.leaves &&
    a.triggers === b.triggers
  );
}
