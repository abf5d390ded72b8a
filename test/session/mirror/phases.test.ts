import t from 'tap';
import { until, value } from '../two-databases.js';
import { alike, startMirroredShop } from './mirrored-shop.js';

t.test('read-new: what a client has written it reads in the copy at once', async (t) => {
  const shop = await startMirroredShop({ rule: { phase: 'read-new', reads: { new: '100%' } } });
  const client = await shop.connect();
  for (let n = 1; n < 30; n++) {
    if (n % 3 === 0) await client.query(`UPDATE orders SET n = ${n} WHERE id = 1`);
    else if (n % 3 === 1) await client.query('UPDATE orders SET n = $1 WHERE id = 1', [n]);
    else {
      await client.query('BEGIN');
      await client.query('UPDATE orders SET n = $1 WHERE id = 1', [n]);
      await client.query('COMMIT');
    }
    t.equal(await value(client, 'SELECT n FROM orders WHERE id = 1'), n);
  }
  await shop.monolith.query("UPDATE orders SET note = 'only here' WHERE id = 2", 'shop');
  t.equal(await value(client, 'SELECT note FROM orders WHERE id = 2'), 'cup', 'it is the copy that is read');
});

t.test('names are followed although the monolith alone is routed to', async (t) => {
  const shop = await startMirroredShop({
    config: { matrix: { enabled: false } },
    inMonolith:
      'CREATE SCHEMA own; CREATE TABLE own.orders (id int PRIMARY KEY, n int); INSERT INTO own.orders VALUES (1, 0)',
  });
  const client = await shop.connect();
  await client.query('SET search_path = own');
  await client.query('UPDATE orders SET n = 5 WHERE id = 1');
  await client.query('SET search_path = own, public');
  await client.query('UPDATE public.orders SET n = 6 WHERE id = 1');
  await client.query("UPDATE order_items SET what = 'x' WHERE id = 1");
  await client.query('SET search_path = public');
  await client.query('UPDATE orders SET n = 7 WHERE id = 2');
  await client.query('CREATE TEMP TABLE orders (id int, n int)');
  await client.query('INSERT INTO orders VALUES (1, 99)');
  t.strictSame(await shop.divergences(), {});
  const rows = await alike(t, shop, "the domain's own rows");
  t.ok(rows.some((row) => row.startsWith('(1,tea,6')) && rows.some((row) => row.startsWith('(2,cup,7')), rows.join());
});

t.test('a rule that comes and goes', async (t) => {
  const shop = await startMirroredShop({ rule: { phase: 'monolith' } });
  const client = await shop.connect();
  await client.query('UPDATE orders SET n = 1 WHERE id = 1');
  t.notSame((await shop.both()).copy, (await shop.both()).monolith, 'not mirrored in phase monolith');
  const rule = { database: 'orders_db', tables: ['public.orders'], mirror: { capture: 'statement' } };
  await shop.pgfig.writeRule('orders', { ...rule, phase: 'dual-write' });
  let n = 10;
  const inCopy = async (): Promise<unknown> =>
    (await shop.copy.query<{ n: number }>('SELECT n FROM orders WHERE id = 2', 'orders')).rows[0]?.n;
  await until(async () => {
    await client.query('UPDATE orders SET n = $1 WHERE id = 2', [++n]);
    return (await inCopy()) === n;
  }, 'the rule took effect');
  await shop.pgfig.writeRule('orders', { ...rule, phase: 'monolith' });
  await until(async () => {
    await client.query('UPDATE orders SET n = $1 WHERE id = 2', [++n]);
    return (await inCopy()) !== n;
  }, 'and no longer');
  t.strictSame(await shop.divergences(), {});
});
