import t from 'tap';
import { brief, startPair, verified } from '../pair.js';

/** What is planted by hand is found, and named right. */
const pair = await startPair();

const ROWS = 20_000;
await pair.both(`
  CREATE TABLE orders (id bigint PRIMARY KEY, customer text, total numeric(12,2), weight float8, tags text[], note jsonb,
                       fixed char(5), at timestamptz NOT NULL);
  INSERT INTO orders SELECT g, 'customer ' || g % 100, g * 1.25, g / 7.0, ARRAY['a', NULL, 'b' || g], '{"a": null}',
                            'x', '2026-01-01 00:00:00+00'::timestamptz + g * interval '1 s'
    FROM generate_series(1, ${ROWS}) g;
  CREATE TABLE pairs (a int, b text COLLATE "C", c uuid, v text, PRIMARY KEY (a, b, c));
  INSERT INTO pairs SELECT g % 50, 'b, "' || g, md5(g::text)::uuid, 'v' || g FROM generate_series(1, 3000) g;
  ANALYZE`);

/** Plants it in the target, verifies, and takes it back. */
async function planted(sql: string, table = 'public.orders', options = {}): Promise<string[]> {
  const name = table.split('.')[1];
  await pair.target.query(`CREATE TABLE kept AS TABLE ${name}; ${sql}`);
  const found = brief(await verified(pair, table, options));
  await pair.target.query(`TRUNCATE ${name}; INSERT INTO ${name} TABLE kept; DROP TABLE kept`);
  return found;
}

t.test('equal tables', async (t) => {
  const { found, states } = await verified(pair, 'public.orders');
  t.same(found, []);
  t.match(states.at(-1), { pass: 'done', rows: ROWS, skipped: 0, found: 0 });
  t.same((await verified(pair, 'public.pairs')).found, []);
});

t.test('missing, extra', async (t) => {
  t.same(await planted('DELETE FROM orders WHERE id IN (1, 7, 20000)'), ['missing 1', 'missing 20000', 'missing 7']);
  t.same(
    await planted(`INSERT INTO orders (id, at) VALUES (-5, now()), (20001, now()), (99999, now())`),
    ['extra -5', 'extra 20001', 'extra 99999'],
    'before the first, after the last',
  );
  t.same(await planted('UPDATE orders SET id = -id WHERE id = 500'), ['extra -500', 'missing 500']);
  t.equal((await planted('DELETE FROM orders WHERE id > 1000 AND id <= 3000')).length, 2000);
  t.equal((await planted('INSERT INTO orders SELECT -g, at FROM orders, generate_series(1, 0) g')).length, 0);
});

t.test('columns that differ', async (t) => {
  t.same(await planted(`UPDATE orders SET customer = 'x', total = 0 WHERE id = 12345`), [
    'differs 12345 customer total',
  ]);
  await pair.both('UPDATE orders SET customer = NULL WHERE id = 10');
  t.same(await planted(`UPDATE orders SET customer = '' WHERE id = 10`), ['differs 10 customer'], 'NULL, empty');
  t.same(await planted(`UPDATE orders SET customer = 'NULL' WHERE id = 10`), ['differs 10 customer'], 'NULL, its name');
});

t.test('floats in their last digit, -0, array bounds, jsonb null, time zones', async (t) => {
  await pair.both('UPDATE orders SET weight = 0.1 WHERE id = 3; UPDATE orders SET weight = 0 WHERE id = 4');
  t.same(await planted(`UPDATE orders SET weight = 0.1::float8 + 1.5e-17 WHERE id = 3`), ['differs 3 weight']);
  t.same(await planted(`UPDATE orders SET weight = '-0' WHERE id = 4`), ['differs 4 weight']);
  t.same(await planted(`UPDATE orders SET tags = '[0:2]={a,NULL,b5}' WHERE id = 5`), ['differs 5 tags']);
  t.same(await planted(`UPDATE orders SET tags = '{a,"NULL",b5}' WHERE id = 5`), ['differs 5 tags']);
  t.same(await planted(`UPDATE orders SET note = 'null' WHERE id = 6`), ['differs 6 note']);
  t.same(await planted(`UPDATE orders SET note = NULL WHERE id = 6`), ['differs 6 note']);
  t.same(await planted(`UPDATE orders SET at = at + interval '1 us' WHERE id = 8`), ['differs 8 at']);
});

t.test('what cancels in weaker sums', async (t) => {
  t.same(
    await planted(`UPDATE orders o SET customer = p.customer FROM kept p
                    WHERE (o.id, p.id) IN ((101, 102), (102, 101))`),
    ['differs 101 customer', 'differs 102 customer'],
    'two values swapped between rows',
  );
  t.same(
    await planted(`UPDATE orders SET customer = fixed, fixed = left(customer, 5) WHERE id = 77`),
    ['differs 77 customer fixed'],
    'two values swapped within a row',
  );
  // Without a key on the target a row may be there twice: xor would see nothing of an added pair.
  const twice = `ALTER TABLE orders DROP CONSTRAINT orders_pkey;
    INSERT INTO orders SELECT k.* FROM kept k, generate_series(1, 2) WHERE k.id = 400`;
  const found = await planted(
    `${twice}; DELETE FROM orders WHERE id = 401; INSERT INTO orders SELECT * FROM kept WHERE id = 401`,
  );
  await pair.target.query(
    'DELETE FROM orders a USING orders b WHERE a.id = b.id AND a.ctid > b.ctid; ALTER TABLE orders ADD PRIMARY KEY (id)',
  );
  t.same(found, ['extra 400'], 'a duplicated pair');
});

t.test('composite keys', async (t) => {
  const key = async (g: number) =>
    (await pair.source.query(`SELECT ARRAY[a::text, b::text, c::text]::text AS k FROM pairs WHERE v = 'v${g}'`)).rows[0]
      ?.k;
  t.same(await planted(`UPDATE pairs SET v = 'x' WHERE v = 'v1234'`, 'public.pairs'), [`differs ${await key(1234)} v`]);
  t.same(await planted(`DELETE FROM pairs WHERE v = 'v17'`, 'public.pairs'), [`missing ${await key(17)}`]);
});

t.test('values only when asked for', async (t) => {
  await pair.target.query(`UPDATE orders SET customer = 'it''s', total = NULL WHERE id = 9`);
  const { found } = await verified(pair, 'public.orders', { values: true });
  t.same(found, [
    {
      table: 'public.orders',
      key: '9',
      kind: 'differs',
      columns: ['customer', 'total'],
      values: { customer: { source: 'customer 9', target: "it's" }, total: { source: '11.25', target: null } },
    },
  ]);
  t.equal((await verified(pair, 'public.orders')).found[0]?.values, undefined);
  await pair.target.query(`UPDATE orders SET customer = 'customer 9', total = 11.25 WHERE id = 9`);
});

t.test('steps of no time at all end, and find the same', async (t) => {
  await pair.target.query('DELETE FROM orders WHERE id % 1000 = 1');
  const slow = await verified(pair, 'public.orders', { budget: 0 });
  const fast = await verified(pair, 'public.orders');
  t.ok(slow.states.length > fast.states.length);
  t.same(brief(slow), brief(fast));
  t.equal(slow.found.length, 20);
  const { found, states } = await verified(pair, 'public.orders', { most: 5 });
  t.ok(found.length >= 5 && found.length < 20, 'a table that differs too much is given up');
  t.equal(states.at(-1)?.pass, 'done');
});

t.test('a sample', async (t) => {
  const of = async (seed: string, sample = 30) => {
    const { found, states } = await verified(pair, 'public.orders', { sample, seed });
    const last = states.at(-1);
    return { found: brief({ found, states }), rows: last?.rows ?? 0, skipped: last?.skipped ?? 0 };
  };
  const first = await of('one');
  t.same(await of('one'), first, 'is the same for a seed');
  t.ok(first.rows >= 1000 && first.rows < ROWS, `${first.rows} rows`);
  t.ok(first.found.length >= 1 && first.found.length < 20);
  const draws = await Promise.all(['two', 'three', 'four', 'five'].map((seed) => Promise.resolve(seed)));
  const seen = new Set<string>();
  for (const seed of draws) seen.add((await of(seed)).found.join());
  t.ok(seen.size > 1, 'and another one for another seed');
  t.equal((await of('one', 0)).rows > 0, true, 'the first chunk is always looked at');
});
