import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

const POLL_MS = 10;
/** The WAL writer flushes what is asynchronous within three times wal_writer_delay, which is 200 ms unless set. */
const PATIENCE_MS = 500;

/**
 * Resolves when the server has flushed its WAL up to `lsn`. A commit with synchronous_commit = off is visible before
 * that, and is gone after a crash: nobody may have been told of it.
 * @throws what the driver throws
 */
export async function flushed(client: pg.ClientBase, lsn: string): Promise<void> {
  const began = Date.now();
  for (let forced = false; ; ) {
    const { rows } = await client.query<{ flushed: boolean }>(
      'SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn AS flushed',
      [lsn],
    );
    if (rows[0]?.flushed === true) return;
    if (!forced && Date.now() - began > PATIENCE_MS) {
      // The insert position may lie behind a page's header, where no flush arrives until more is written: a message
      // with a commit is.
      forced = true;
      await client.query("SELECT pg_logical_emit_message(true, 'pgfig', '')");
    } else await sleep(POLL_MS);
  }
}
