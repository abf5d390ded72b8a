import type pg from 'pg';
import { both, rawRows } from './raw-rows.js';

/**
 * 128 bits of a row's text, in two halves of 64 that are summed apart: the sums of two chunks that differ are equal by
 * accident once in 2^128, and what differs twice over in the same way does not cancel, as it would with xor.
 */
export interface RowHash {
  /** From the text, once a row. */
  digest(text: string): string;
  /** Both halves of a digest, as int8. */
  halves(digest: string): readonly [string, string];
}

/** Fast, but no standard: it is used only where both servers give the same for the same. */
const SERVER_HASH: RowHash = {
  digest: (text) => text,
  halves: (digest) => [`hashtextextended(${digest}, 1)`, `hashtextextended(${digest}, 2)`],
};

/** The same everywhere (FIPS 180-4), over the text's bytes in UTF-8; three times slower. */
const STANDARD_HASH: RowHash = {
  digest: (text) => `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`,
  halves: (digest) => [
    `('x' || substr(${digest}, 1, 16))::bit(64)::int8`,
    `('x' || substr(${digest}, 17, 16))::bit(64)::int8`,
  ],
};

/**
 * What the server's hash makes of texts of every length up to 100 bytes: all remainders of its block of 12 and all
 * alignments are among them, and the byte order shows.
 */
const PROBE = `
SELECT current_setting('server_encoding'),
       string_agg(hashtextextended(repeat('ä', n / 2) || repeat('~', n % 2), n % 3) :: text, ',' ORDER BY n)
  FROM generate_series(0, 100) n`;

/** The faster one, where the two servers agree about it. @throws what the driver throws */
export async function chooseHash(source: pg.ClientBase, target: pg.ClientBase): Promise<RowHash> {
  const [[here], [there]] = await both(rawRows(source, PROBE), rawRows(target, PROBE));
  return here?.join() === there?.join() ? SERVER_HASH : STANDARD_HASH;
}

export { SERVER_HASH, STANDARD_HASH };
