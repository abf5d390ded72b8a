import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/**
 * A commit is seen before it is on the server's disk where its session has synchronous_commit = off. Who acts on it at
 * once would have what the server has lost after a crash.
 */

/** Says whether the server's disk has its WAL up to `lsn`. */
export const isFlushed = (lsn: string): string => `SELECT pg_current_wal_flush_lsn() >= '${lsn}'::pg_lsn AS flushed`;

const POLL_MS = 2;

/**
 * The WAL writer flushes such commits within three times wal_writer_delay (200 ms unless set), and never what ends
 * behind a page's header, until more is written. So something is written: a message, and the commit flushes all before
 * it. A transaction that has only got an id would not do: with no other WAL of its own its commit does not wait for the
 * disk. Source: RecordTransactionCommit, xact.c. No standby is waited for.
 */
const FLUSH = `BEGIN READ WRITE; SET LOCAL synchronous_commit = local;
SELECT pg_logical_emit_message(true, 'pgfig', ''); COMMIT`;

/**
 * Resolves when the server's disk has its WAL up to `lsn`. The connection must have no transaction open.
 * @throws what the driver throws
 */
export async function flushed(client: pg.ClientBase, lsn: string): Promise<void> {
  if (!(await says(client, isFlushed(lsn)))) await flush(client, lsn);
}

/** The same where it is known not to be there yet. @throws what the driver throws */
export async function flush(client: pg.ClientBase, lsn: string): Promise<void> {
  while (!(await says(client, `${FLUSH};\n${isFlushed(lsn)}`))) await sleep(POLL_MS);
}

async function says(client: pg.ClientBase, sql: string): Promise<boolean> {
  const answer: unknown = await client.query(sql);
  const results = (Array.isArray(answer) ? answer : [answer]) as pg.QueryResult<{ flushed: boolean }>[];
  return results.at(-1)?.rows[0]?.flushed === true;
}
