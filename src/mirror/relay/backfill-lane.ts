import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { captureIsWhole } from '../capture/capture-table.js';
import { crashPoint } from '../crash-points.js';
import type { Mirror } from '../mirror.js';
import { parseSnapshot } from '../position/snapshot.js';
import { readShapes } from '../shape/read-shapes.js';
import { leavesOf, qualified, type TableShape } from '../shape/table-shape.js';
import { applyTable, type Pair, type Range } from './apply-table.js';
import { type ChunkDone, copyChunk, deleteExtras } from './backfill-chunk.js';
import { committed } from './committed.js';
import { closeAtOnce, openSource, openTarget } from './connections.js';
import type { BackfillState, RelayTable } from './relay-table.js';
import type { Waiting } from './source-side.js';
import { isOfTable, sqlstateOf } from './sqlstate.js';
import { judgeStamp, type Stamp } from './stamp.js';
import { readRelay, readTables, tableSql } from './target-store.js';
import { Watchdog } from './watchdog.js';

export interface BackfillOptions {
  /**
   * `fresh`: the target's table is empty. `replace`: its rows stay readable, and are replaced chunk by chunk. `resume`:
   * go on with what was begun.
   */
  readonly mode: 'fresh' | 'replace' | 'resume';
  /** Waits until a chunk may begin. @returns how many rows it may have at most */
  readonly pace: () => Promise<number>;
  readonly onProgress: (progress: BackfillState) => void;
  readonly signal: AbortSignal;
}

/** The relay that leads the domain. */
export interface LaneHost {
  readonly owner: string;
  /** Runs `work` while none of the domain's turns is under way. */
  between<T>(work: () => Promise<T>): Promise<T>;
  /** The table's row in the target has changed. */
  outdated(): void;
}

/** Rows of a chunk follow the time that a chunk takes. */
const FIRST_ROWS = 5_000;
const MOST_ROWS = 500_000;
const LEAST_ROWS = 200;
const WANTED_MS = 700;

/**
 * Copies one table in turns of its own, beside the domain's: each turn applies what has changed of the part that is
 * copied, and brings the next chunk, both as of one snapshot. The table has a position of its own meanwhile; when it is
 * whole, the domain's next turn takes it in.
 */
export class BackfillLane {
  readonly #config: Config;
  readonly #mirror: Mirror;
  readonly #name: string;
  readonly #options: BackfillOptions;
  #rows = FIRST_ROWS;

  constructor(config: Config, mirror: Mirror, table: string, options: BackfillOptions) {
    this.#config = config;
    this.#mirror = mirror;
    this.#name = table;
    this.#options = options;
  }

  /**
   * Resolves when the table is whole, or the signal has called it off: then it can be resumed.
   * @throws PgfigError BACKFILL_REFUSED, BACKFILL_STALLED; what the drivers throw, after which it can be resumed
   */
  async run(host: LaneHost): Promise<void> {
    const source = await openSource(this.#config, this.#mirror);
    let pair: Pair | null = null;
    try {
      pair = { source, target: await openTarget(this.#config, this.#mirror) };
      const both = pair;
      const watchdog = new Watchdog(this.#config, this.#mirror, source.client, both.target);
      // A turn that is under way has rows of this table that would come after newer ones.
      let table = await host.between(() => this.#begin(both, host.owner));
      while (table.state === 'backfill' && !this.#options.signal.aborted) {
        table = await watchdog.guard(() => this.#turn(both, table));
        if (table.backfill !== null) this.#options.onProgress(table.backfill);
      }
    } finally {
      closeAtOnce(source.client);
      if (pair !== null) closeAtOnce(pair.target);
      host.outdated();
    }
  }

  async #begin({ source, target }: Pair, owner: string): Promise<RelayTable> {
    const table = (await readTables(target, this.#mirror.domain)).find(({ name }) => name === this.#name);
    if (table === undefined) throw this.#refusal(`table ${this.#name} is not mirrored`);
    const { mode } = this.#options;
    if (table.backfill !== null && (table.state === 'backfill' || table.state === 'stalled')) {
      if (mode === 'resume') {
        const goesOn: RelayTable = { ...table, state: 'backfill', reason: null, remedy: null };
        return table.state === 'backfill' ? table : this.#save({ source, target }, table, goesOn);
      }
    } else if (mode === 'resume' && table.state === 'in-step') return table;
    const shape = (await readShapes(source.client, [this.#name])).get(this.#name);
    if (shape === undefined) throw this.#refusal(`table ${this.#name} is not in ${this.#mirror.source}`);
    await this.#captured({ source, target }, shape);
    const [row] = await source.rows(
      `SELECT (SELECT coalesce(sum(greatest(reltuples, 0)), 0)::int8 FROM pg_class
                WHERE oid = ANY ('{${leavesOf(shape).map(({ oid }) => oid)}}'::oid[])),
              pg_current_snapshot()::text`,
    );
    const backfill: BackfillState = {
      pass: mode === 'replace' ? 'replace' : 'fresh',
      key: null,
      rows: 0,
      estimate: Number(row?.[0] ?? 0),
      beganAt: new Date().toISOString(),
    };
    const begun: RelayTable = {
      ...{ name: this.#name, state: 'backfill', reason: null, remedy: null, stamp: null, shape, backfill },
      position: parseSnapshot(row?.[1] ?? ''),
    };
    return this.#save({ source, target }, table, begun, async () => {
      await this.#lead(target, owner);
      if (mode === 'replace') return;
      const { rows } = await target.query(`SELECT 1 FROM ${qualified(shape)} LIMIT 1`);
      if (rows.length > 0) throw this.#refusal(`table ${this.#name} has rows in ${this.#mirror.target}`);
    });
  }

  /** Another relay that leads now may have a turn under way. */
  async #lead(target: Pair['target'], owner: string): Promise<void> {
    const { rowCount } = await target.query('SELECT FROM pgfig.relay WHERE domain = $1 AND owner = $2 FOR UPDATE', [
      this.#mirror.domain,
      owner,
    ]);
    if (rowCount !== 1) throw new PgfigError('RELAY_LOST', `another relay of domain ${this.#mirror.domain} is at work`);
  }

  /** Changes that nobody records would be missing from the copy, and nobody would know. */
  async #captured({ source, target }: Pair, shape: TableShape): Promise<void> {
    const relay = await readRelay(target, this.#mirror.domain);
    const { whole, reason } = await captureIsWhole(source.client, relay?.mirror ?? 0, shape);
    if (whole) return;
    const remedy = `pgfig mirror install ${this.#mirror.domain} mends it`;
    throw this.#refusal(`changes of table ${this.#name} are not all recorded (${reason}); ${remedy}`);
  }

  #refusal(text: string): PgfigError {
    return new PgfigError('BACKFILL_REFUSED', `domain ${this.#mirror.domain}: ${text}`);
  }

  /** The table's row changes in one transaction with what `work` does. */
  async #save(
    { target }: Pair,
    before: RelayTable,
    after: RelayTable,
    work?: () => Promise<void>,
  ): Promise<RelayTable> {
    await target.query('BEGIN');
    try {
      await work?.();
      await this.#update(target, before, after);
      await committed(target);
      return after;
    } catch (error) {
      await target.query('ROLLBACK').catch(() => {});
      throw error;
    }
  }

  async #update(target: Pair['target'], before: RelayTable, after: RelayTable): Promise<void> {
    const { rowCount } = await target.query(tableSql(this.#mirror.domain, before, after));
    if (rowCount !== 1)
      throw this.#refusal(
        `table ${this.#name} was taken from this backfill: by another one, an install, or a rule that has it no longer`,
      );
  }

  async #turn(pair: Pair, table: RelayTable): Promise<RelayTable> {
    const { shape, backfill: state, position } = table;
    if (shape === null || state === null || position === null) throw this.#refusal(`table ${this.#name} cannot go on`);
    const most = Math.max(1, Math.min(this.#rows, await this.#options.pace()));
    const began = performance.now();
    const since = { oid: shape.oid, position };
    const moment = await pair.source.begin([shape], [since], 1);
    const stamp = await this.#judge(pair, table, moment.stamps.get(this.#name));
    const [waiting] = await pair.source.waiting([since], null);
    const { target } = pair;
    await target.query('BEGIN');
    let after: RelayTable;
    try {
      if (waiting !== undefined) await this.#apply(pair, shape, state, waiting, { since, cut: null });
      const done = await (state.pass === 'extras' ? deleteExtras : copyChunk)(pair, shape, state, most);
      crashPoint('backfill-chunk');
      after = { ...next(table, state, done), position: moment.position, stamp };
      await this.#update(target, table, after);
    } catch (error) {
      throw await this.#stalled(table, error);
    }
    await pair.source.commit();
    await pair.source.flushed(moment.lsn);
    await committed(target);
    this.#adapt(performance.now() - began);
    return after;
  }

  async #judge(pair: Pair, table: RelayTable, stamp: Stamp | undefined): Promise<Stamp> {
    const shape = (await readShapes(pair.source.client, [this.#name])).get(this.#name);
    if (stamp === undefined || shape === undefined) throw await this.#giveUp(table, 'the table is gone');
    if (table.stamp === null || table.shape === null) return stamp;
    const verdict = judgeStamp(table.stamp, stamp, table.shape, shape);
    if (verdict.type === 'stall') throw await this.#giveUp({ ...table, backfill: null }, verdict.reason);
    return stamp;
  }

  /** What has changed: of a fresh copy only what is there already, the rest comes with its chunk. */
  async #apply(
    pair: Pair,
    shape: TableShape,
    state: BackfillState,
    waiting: Waiting,
    range: Pick<Range, 'since' | 'cut'>,
  ): Promise<void> {
    if (state.pass !== 'fresh')
      return applyTable(pair, shape, { ...range, upTo: null, stale: true, afterCut: false }, waiting);
    if (state.key !== null)
      await applyTable(pair, shape, { ...range, upTo: state.key, stale: false, afterCut: false }, waiting);
  }

  #adapt(took: number): void {
    if (took < WANTED_MS / 2) this.#rows = Math.min(MOST_ROWS, this.#rows * 2);
    else if (took > WANTED_MS * 2) this.#rows = Math.max(LEAST_ROWS, Math.floor(this.#rows / 2));
  }

  /** What the server says of the table itself is written down for those who look; anything else is tried again. */
  async #stalled(table: RelayTable, error: unknown): Promise<unknown> {
    if (!isOfTable(sqlstateOf(error))) return error;
    return this.#giveUp(table, error instanceof Error ? error.message : String(error), error);
  }

  /** @param table as it is to be found, with what a later run may resume */
  async #giveUp(table: RelayTable, reason: string, cause?: unknown): Promise<PgfigError> {
    const target = await openTarget(this.#config, this.#mirror);
    try {
      const after: RelayTable = { ...table, state: 'stalled', reason, remedy: 'backfill' };
      await this.#update(target, { ...table, state: 'backfill' }, after);
    } finally {
      closeAtOnce(target);
    }
    return new PgfigError('BACKFILL_STALLED', `table ${this.#name}: ${reason}`, { cause });
  }
}

function next(table: RelayTable, state: BackfillState, { rows, key }: ChunkDone): RelayTable {
  const backfill = { ...state, key, rows: state.rows + rows };
  if (key !== null) return { ...table, backfill };
  if (state.pass === 'replace') return { ...table, backfill: { ...backfill, pass: 'extras' } };
  return { ...table, state: 'in-step', backfill };
}
