import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from, to } from 'pg-copy-streams';

/** No byte has moved for so long: a side hangs, and the other one's snapshot must not be held for it. */
const STANDSTILL_MS = 60_000;
/** The first byte may be long in coming: of many keys the server sends none before it has sorted all. */
const FIRST_BYTE_MS = 30 * 60_000;

/**
 * COPY text goes from one server to the other as it came, never decoded; a slow reader slows the writer.
 * @param read `COPY (...) TO STDOUT`
 * @param write `COPY ... FROM STDIN`
 * @returns rows
 * @throws what either driver throws: both connections are then in an unknown state, and have to be closed
 */
export async function copyThrough(source: pg.Client, read: string, target: pg.Client, write: string): Promise<number> {
  const began = performance.now();
  let moved: number | null = null;
  const watch = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      moved = performance.now();
      done(null, chunk);
    },
  });
  const timer = setInterval(() => {
    const now = performance.now();
    if (moved === null ? now - began > FIRST_BYTE_MS : now - moved > STANDSTILL_MS)
      watch.destroy(new Error(`a COPY stood still for ${STANDSTILL_MS / 1000} s`));
  }, STANDSTILL_MS / 10);
  timer.unref();
  const writer = target.query(from(write));
  try {
    await pipeline(source.query(to(read)), watch, writer);
  } finally {
    clearInterval(timer);
  }
  return writer.rowCount;
}
