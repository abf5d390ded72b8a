import t from 'tap';
import { startPair, verified } from '../pair.js';

t.test('a million rows in flat memory', async (t) => {
  const pair = await startPair();
  await pair.both(`CREATE TABLE big (id uuid PRIMARY KEY, v text);
    INSERT INTO big SELECT md5(g::text)::uuid, 'value ' || g FROM generate_series(1, 1000000) g; ANALYZE`);
  await pair.target.query(`UPDATE big SET v = 'x' WHERE id = md5('777777')::uuid`);
  const heap = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  await verified(pair, 'public.big', { sample: 1 });
  const before = heap();
  const { found, states } = await verified(pair, 'public.big');
  t.match(found, [{ kind: 'differs', columns: ['v'] }]);
  t.equal(states.at(-1)?.rows, 1_000_000);
  t.ok(heap() - before < 10e6, `${heap() - before} bytes more`);
});
