import type pg from 'pg';
import { parseSnapshot, type Snapshot } from '../position/snapshot.js';
import { flush, flushed, isFlushed } from '../position/wal-flush.js';
import { literal, qualified, type TableShape } from '../shape/table-shape.js';
import { anySince, eventsSince, type Since } from './events-sql.js';
import { Prepared } from './prepared.js';
import { type Stamp, stampsSql } from './stamp.js';

/** A waiting change, as the outbox has it. */
export interface WaitingEvent {
  readonly oid: number;
  readonly op: string;
  readonly key: string | null;
}

/** What waits of one table. */
export interface Waiting {
  readonly oid: number;
  readonly events: number;
  /** The whole table was truncated. */
  readonly emptied: boolean;
  /** Oids of leaf partitions that were. */
  readonly leaves: readonly number[];
}

/** The source at one moment: its transaction is open, its locks are held. */
export interface Moment {
  readonly position: Snapshot;
  /** Everything that the snapshot sees has its WAL below this. */
  readonly lsn: string;
  /** Milliseconds since 1970, by the source's clock. */
  readonly at: number;
  /** By 'schema.table'. */
  readonly stamps: ReadonlyMap<string, Stamp>;
  /** The first events that wait; as many as were asked for: there may be more. */
  readonly first: readonly WaitingEvent[];
}

/** Whether anything waits. */
export interface Look {
  readonly waits: boolean;
  /** What was looked at. */
  readonly seen: Snapshot;
  /** Milliseconds since 1970, by the source's clock; not after `seen`. */
  readonly at: number;
}

/** Values stay the text that the server wrote. */
export const RAW: pg.CustomTypesConfig = { getTypeParser: () => (value: unknown) => value };

/**
 * For the relay's queries, which look up keys by an index. A hash or a merge join would read a table of any size for a
 * handful of keys whenever the outbox's statistics lag behind, and a bitmap all entries of a backlog for the first few.
 */
const SETTINGS =
  'SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off';

/** The relay's connection to the source. One transaction at a time, read only. */
export class SourceSide {
  readonly client: pg.Client;

  constructor(client: pg.Client) {
    this.client = client;
  }

  async prepare(): Promise<void> {
    await this.client.query(SETTINGS);
  }

  /**
   * Opens the turn's snapshot. The locks come first: a rewriting ALTER TABLE that commits between snapshot and lock
   * would show a table without rows.
   * @throws 42P01 where a table is gone
   */
  async begin(shapes: readonly TableShape[], since: readonly Since[], most: number): Promise<Moment> {
    const names = shapes.map(qualified);
    const [look] = await this.prepared([stampsSql(names)]);
    const [, , now, stamps, first] = await this.#several(
      [
        'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
        names.length === 0 ? 'SELECT' : `LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`,
        `SELECT pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text,
                extract(epoch FROM clock_timestamp()) * 1000`,
        `EXECUTE ${look}`,
        `SELECT tbl::text, op, key FROM (${eventsSince(since, null)}) e LIMIT ${most}`,
      ],
      5,
    );
    const [position = '', lsn = '', at = ''] = now?.[0] ?? [];
    return {
      position: parseSnapshot(position ?? ''),
      lsn: lsn ?? '',
      at: Number(at),
      stamps: new Map((stamps ?? []).map(stampOf)),
      first: (first ?? []).map(([oid, op, key]) => ({ oid: Number(oid), op: op ?? '', key: key ?? null })),
    };
  }

  /** Whether a turn that began now would find an event. Outside of a transaction. */
  async look(since: readonly Since[]): Promise<Look> {
    const { text, types, values } = anySince(since);
    const [name] = await this.prepared(
      [`SELECT ${text}, pg_current_snapshot()::text, extract(epoch FROM statement_timestamp()) * 1000`],
      types,
    );
    const given = values.length === 0 ? '' : ` (${values.map(literal).join(', ')})`;
    const [row] = await this.#rows(`EXECUTE ${name}${given}`);
    const [waits, seen, at] = row ?? [];
    return { waits: waits === 't', seen: parseSnapshot(seen ?? ''), at: Number(at) };
  }

  /**
   * The transaction id to stop at, so that no more than about `most` events are taken.
   * @returns null: there are no more than that. One transaction is never cut in two
   */
  async cut(since: readonly Since[], most: number): Promise<bigint | null> {
    const xids: bigint[] = [];
    for (const one of since) {
      const [least, found] = await this.#rows(firstAndNth(one, most));
      if (least?.[0] == null || found?.[0] == null) continue;
      const [at, lowest] = [BigInt(found[0]), BigInt(least[0])];
      xids.push(at > lowest ? at : at + 1n);
    }
    return xids.length === 0 ? null : xids.reduce((a, b) => (a < b ? a : b));
  }

  /** What waits, by table. */
  async waiting(since: readonly Since[], cut: bigint | null): Promise<Waiting[]> {
    const rows = await this.#rows(
      `SELECT tbl::text, count(*)::text, (count(*) FILTER (WHERE op = 'T' AND key IS NULL))::text,
              string_agg(DISTINCT key, ',') FILTER (WHERE op = 'T')
         FROM (${eventsSince(since, cut)}) e GROUP BY tbl ORDER BY tbl`,
    );
    return rows.map(([oid, events, emptied, leaves]) => ({
      oid: Number(oid),
      events: Number(events),
      emptied: emptied !== '0',
      leaves: leaves == null ? [] : leaves.split(',').map(Number),
    }));
  }

  /** Rows of a query in the turn's snapshot; every value is its text. */
  async rows(sql: string): Promise<(string | null)[][]> {
    return this.#rows(sql);
  }

  /** Names for EXECUTE. @param parameters their types */
  async prepared(texts: readonly string[], parameters: readonly string[] = []): Promise<string[]> {
    return Prepared.of(this.client).names(texts, parameters);
  }

  /**
   * The last statements of a turn's transaction, its end, and the wait for the disk, in one round trip but for that wait.
   * @param lsn the moment's
   * @returns the results of the statements
   */
  async finish(statements: readonly string[], lsn: string): Promise<(string | null)[][][]> {
    const results = await this.#several([...statements, 'COMMIT', isFlushed(lsn)], statements.length + 2);
    const [last] = results.slice(-1);
    if (last?.[0]?.[0] !== 't') await flush(this.client, lsn);
    return results.slice(0, statements.length);
  }

  async commit(): Promise<void> {
    await this.client.query('COMMIT');
  }

  /** Waits until what the snapshot saw is on the source's disk. */
  async flushed(lsn: string): Promise<void> {
    await flushed(this.client, lsn);
  }

  async #rows(sql: string): Promise<(string | null)[][]> {
    const { rows } = await this.client.query<(string | null)[]>({ text: sql, rowMode: 'array', types: RAW });
    return rows;
  }

  async #several(statements: readonly string[], count: number): Promise<(string | null)[][][]> {
    const query = { text: statements.join(';\n'), rowMode: 'array', types: RAW } as const;
    const answer: unknown = await this.client.query<(string | null)[]>(query);
    const results = (Array.isArray(answer) ? answer : [answer]) as pg.QueryArrayResult<(string | null)[]>[];
    if (results.length !== count) throw new Error(`${count} statements had ${results.length} results`);
    return results.map(({ rows }) => rows);
  }
}

/**
 * The transaction id of the first waiting event of a table and of the one behind `most` of them, by the index: a sort
 * would read the whole backlog, and sort ids as text where the output is text.
 */
function firstAndNth({ oid, position }: Since, most: number): string {
  const range = (condition: string): string =>
    `(SELECT xid FROM pgfig.outbox WHERE tbl = '${oid}'::oid AND ${condition} ORDER BY xid LIMIT ${most + 1})`;
  const ranges = [range(`xid >= '${position.xmax}'::xid8`)];
  if (position.xip.length > 0) ranges.push(range(`xid = ANY ('{${position.xip.join(',')}}'::xid8[])`));
  const all = ranges.join(' UNION ALL ');
  const at = (offset: number): string => `(SELECT u.xid FROM (${all}) u ORDER BY u.xid OFFSET ${offset} LIMIT 1)`;
  return `SELECT ${at(0)}::text UNION ALL SELECT ${at(most)}::text`;
}

function stampOf([name, oid, columns, files, leaves, triggers]: readonly (string | null)[]): [string, Stamp] {
  const text = (part: string | null | undefined): string => part ?? '';
  return [
    text(name),
    { oid: text(oid), columns: text(columns), files: text(files), leaves: text(leaves), triggers: text(triggers) },
  ];
}
