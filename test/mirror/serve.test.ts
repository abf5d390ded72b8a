import t from 'tap';
import { connect } from '../session/two-databases.js';
import { startPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { rowsOf } from './relay-support.js';

const SCHEMA = 'CREATE TABLE orders (id serial PRIMARY KEY, note text, at timestamptz DEFAULT now());';

t.test('a domain in dual-write is mirrored by itself, and a commit waits for its copy', async (t) => {
  const [monolith, orders] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  for (const [server, name] of [
    [monolith, 'shop'],
    [orders, 'orders'],
  ] as const) {
    await server.query(`CREATE DATABASE ${name}`);
    await server.query(SCHEMA, name);
  }
  const pgfig = await startPgfig({
    databases: { monolith: monolith.url('shop'), orders_db: orders.url('orders') },
    rules: {
      orders: { database: 'orders_db', tables: ['public.orders'], phase: 'dual-write', mirror: { syncTimeout: '20s' } },
    },
    config: { listen: { workers: 2 } },
  });
  const report = async (): Promise<{ role: string; installed: boolean; tables?: { state: string }[] }> => {
    const answer = await fetch(`http://127.0.0.1:${pgfig.adminPort}/api/mirrors`);
    return ((await answer.json()) as { mirrors: never[] }).mirrors[0] as never;
  };
  await pgfig.until(async () => (await report()).role === 'leading', 'the relay leads');
  await orders.query("UPDATE pgfig.relay_tables SET state = 'in-step'", 'orders');
  await pgfig.until(async () => (await report()).tables?.[0]?.state === 'in-step', 'the table is in step');
  const client = await connect(pgfig.url());
  for (let i = 1; i <= 20; i++) {
    await client.query('INSERT INTO orders (note) VALUES ($1)', [`n${i}`]);
    t.equal((await rowsOf(orders, 'orders', 'orders')).length, i, 'read your writes in the copy');
  }
  t.same(await rowsOf(orders, 'orders', 'orders'), await rowsOf(monolith, 'shop', 'orders'));
  await t.rejects(orders.query("INSERT INTO orders (note) VALUES ('past')", 'orders'), { code: 'PF002' });
});
