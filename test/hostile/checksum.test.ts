import { createHash } from 'node:crypto';
import t from 'tap';
import { onEachTarget, type Target } from '../clients/target.js';
import { query, RawClient } from './raw-client.js';

/**
 * Buffers that are used again while a partial write of them is still under way give a client another client's bytes
 * (libuv keeps the pointer). Slow readers make partial writes; the proof is in the checksums.
 */
const CLIENTS = 6;
const copyOf = (seed: number): string =>
  `COPY (SELECT o.id, g, repeat(md5('${seed}' || o.id || '/' || g), 6) FROM orders o
     CROSS JOIN generate_series(1, 40) g ORDER BY o.id, g) TO STDOUT`;

/** sha256 of the copied bytes, read in pieces with pauses between. */
async function slowly(target: Target, seed: number): Promise<string> {
  const client = await RawClient.login(target);
  client.send(query(copyOf(seed)));
  const hash = createHash('sha256');
  for (let count = 0; ; count += 1) {
    const message = await client.message();
    if (message === null) throw new Error('closed in the middle of COPY');
    if (message.type === 'd') hash.update(message.body);
    if (message.type === 'Z') break;
    // Long enough for every buffer on the way to fill up, again and again.
    if (count % (3000 + seed * 500) === 0) await new Promise((resolve) => setTimeout(resolve, 5 + seed));
  }
  client.vanish();
  return hash.digest('hex');
}

t.test('slow readers get the bytes that were sent', (t) =>
  onEachTarget(t, async (t, target) => {
    const expected: string[] = [];
    for (let seed = 0; seed < CLIENTS; seed += 1) {
      const [row] = await target.inOrders<{ sum: string }>(
        `SELECT encode(sha256(string_agg(o.id || E'\\t' || g || E'\\t' || repeat(md5('${seed}' || o.id || '/' || g), 6)
           || E'\\n', '' ORDER BY o.id, g)::bytea), 'hex') AS sum
         FROM orders o CROSS JOIN generate_series(1, 40) g`,
      );
      expected.push(row?.sum ?? '');
    }
    for (const turn of [1, 2]) {
      const sums = await Promise.all(Array.from({ length: CLIENTS }, (_, seed) => slowly(target, seed)));
      t.same(sums, expected, `turn ${turn}`);
    }
  }),
);
