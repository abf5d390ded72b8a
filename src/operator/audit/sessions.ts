import type pg from 'pg';
import type { Catalog } from '../../backend/catalog.js';
import { connectPg } from '../../backend/pg-client.js';
import type { Config, DatabaseConfig } from '../../config/config.js';
import type { Parser } from '../../sql/parser.js';
import { type ActivityRow, readActivity } from './activity-rows.js';
import { type HeldPids, heldPids, serverOf } from './held-backends.js';
import { TextReader } from './text-reader.js';

/**
 * What a session has to do with the tables.
 * 'touches': the statement that it runs, or ran last, touches one. 'locks': it holds a lock on one.
 * 'may touch': its text is cut, and names one. 'other tables': its last statement touches none of them.
 * 'not seen': its text cannot be read or seen through, or it replicates. 'hidden': this user may not see it.
 */
export type Doing = 'touches' | 'locks' | 'may touch' | 'other tables' | 'not seen' | 'hidden';

export interface ForeignSession extends Omit<ActivityRow, 'query' | 'locks' | 'replicates'> {
  readonly database: string;
  readonly doing: Doing;
  /** It came through pgfig, to be passed through: its statements are not counted. */
  readonly passedThrough: boolean;
  /** Without literals; '' where it cannot be shown, or touches other tables. */
  readonly text: string;
}

/** The sessions of one database that are not pgfig's. */
export interface SessionsSight {
  readonly database: string;
  /** Why pgfig's own cannot be told from others; then all that touch the tables are in `sessions`. null: they can. */
  readonly untold: string | null;
  readonly sessions: readonly ForeignSession[];
}

export interface SessionsQuestion {
  readonly config: Config;
  /** 'http://host:port' of all instances; none: none answers. */
  readonly admins: readonly string[];
  /** Why none is asked. */
  readonly silence: string | null;
  readonly catalog: Catalog;
  readonly parser: Parser;
  /** With their partitions. */
  readonly tables: readonly string[];
}

/** @throws what the driver throws where the database fails */
export async function lookAtSessions(database: DatabaseConfig, question: SessionsQuestion): Promise<SessionsSight> {
  const { config, tables } = question;
  const client = await connectPg(config, database, 'pgfig audit');
  try {
    await client.query('SET search_path = pg_catalog');
    const { rows, longestText, own, untold } = await foreignRows(client, database.name, question);
    const reader = new TextReader(question.parser, question.catalog, database.name);
    const through = own?.passedThrough.get(serverOf(config, database.name));
    const sessions = rows.map(({ query, locks, replicates, ...row }): ForeignSession => {
      const doing = doingOf({ ...row, query, locks, replicates }, reader, tables, longestText);
      const text = query === null || doing === 'other tables' ? '' : reader.shown(query);
      return { ...row, database: database.name, doing, passedThrough: through?.has(row.pid) === true, text };
    });
    const shown = untold === null ? sessions : sessions.filter(({ doing }) => isUse(doing));
    return { database: database.name, untold, sessions: shown };
  } finally {
    await client.end().catch(() => {});
  }
}

export const isUse = (doing: Doing): boolean => doing === 'touches' || doing === 'locks' || doing === 'may touch';

interface Rows {
  readonly rows: readonly ActivityRow[];
  readonly longestText: number;
  readonly own: HeldPids | null;
  readonly untold: string | null;
}

/**
 * The instances are asked before and after the server, and the server again at the end: a session that began or ended
 * meanwhile is either known to pgfig at one of the times, or is gone.
 */
async function foreignRows(client: pg.ClientBase, database: string, question: SessionsQuestion): Promise<Rows> {
  const { config, admins, silence } = question;
  const first = await ask(config, admins, silence);
  const { rows, longestText } = await readActivity(client);
  const second = await ask(config, admins, silence);
  if (typeof first === 'string') return { rows, longestText, own: null, untold: first };
  if (typeof second === 'string') return { rows, longestText, own: null, untold: second };
  const server = serverOf(config, database);
  const [before, after] = [first, second].map(({ routed }) => routed.get(server) ?? new Set<number>()) as [Pids, Pids];
  const still = new Set((await readActivity(client)).rows.map(({ pid, startedAt }) => `${pid} ${startedAt}`));
  const lasting = [...before].filter((pid) => after.has(pid));
  if (lasting.length > 0 && !(await anyRuns(client, lasting))) {
    const untold = 'the server does not know the processes that pgfig holds: a pooler may stand between them';
    return { rows, longestText, own: null, untold };
  }
  const foreign = rows.filter(
    ({ pid, startedAt }) => !before.has(pid) && !after.has(pid) && still.has(`${pid} ${startedAt}`),
  );
  return { rows: foreign, longestText, own: second, untold: null };
}

type Pids = ReadonlySet<number>;

async function ask(config: Config, admins: readonly string[], silence: string | null): Promise<HeldPids | string> {
  if (silence !== null) return silence;
  try {
    return await heldPids(config, admins);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function anyRuns(client: pg.ClientBase, pids: readonly number[]): Promise<boolean> {
  const found = await client.query('SELECT FROM pg_stat_activity WHERE pid = ANY ($1) LIMIT 1', [pids]);
  return found.rowCount === 1;
}

function doingOf(row: ActivityRow, reader: TextReader, tables: readonly string[], longestText: number): Doing {
  if (row.locks.some((table) => tables.includes(table))) return 'locks';
  if (row.replicates) return 'not seen';
  if (row.query === null) return 'hidden';
  const says = reader.says(row.query, row.user, tables, longestText);
  return says === 'unreadable' ? 'not seen' : says;
}
