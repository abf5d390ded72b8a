import { createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import t from 'tap';
import { startPgfig } from '../../support/pgfig.js';
import { startPostgres } from '../../support/postgres.js';
import { onTeardown } from '../../support/teardown.js';
import { connect, until } from '../two-databases.js';
import { alike, startMirroredShop, TABLES } from './mirrored-shop.js';

t.test('a big COPY goes to both, and a new side that is slow or dies does not stop it', async (t) => {
  const shop = await startMirroredShop({ mirror: { statementTimeout: '500ms' } });
  const client = await shop.connect();
  const lines = function* (from: number, count: number): Generator<string> {
    for (let i = 0; i < count; i++) yield `${from + i}\t${'x'.repeat(1000)}\n`;
  };
  const copy = async (from: number, count: number): Promise<void> => {
    const stream = client.query(copyFrom('COPY orders (id, note) FROM STDIN'));
    await pipeline(Readable.from(lines(from, count)), stream);
  };
  await copy(1000, 20_000);
  t.equal((await alike(t, shop, '20 MB')).length, 20_002);
  t.strictSame(await shop.divergences(), {});
  const blocker = new pg.Client({ connectionString: shop.copy.url('orders') });
  blocker.on('error', () => undefined);
  await blocker.connect();
  await onTeardown(() => blocker.end().catch(() => undefined));
  await blocker.query('BEGIN');
  await blocker.query('INSERT INTO orders (id) VALUES (100100)');
  // It waits there for the end of the other transaction, and takes no more data.
  await copy(100_000, 20_000);
  t.strictSame(await shop.divergences(), { timeout: 1 });
  t.match(await client.query('SELECT count(*)::int AS n FROM orders'), { rows: [{ n: 40_002 }] });
  await blocker.query('ROLLBACK');
});

t.test('clients that vanish leave the two alike', async (t) => {
  const shop = await startMirroredShop();
  const gone: Promise<void>[] = [];
  for (let i = 0; i < 60; i++) {
    const client = await shop.connect();
    const sent = client
      .query(`UPDATE orders SET note = note || '${i % 10}' WHERE id = ${1 + (i % 2)}`)
      .catch(() => undefined);
    const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream;
    gone.push(
      new Promise((resolve) =>
        setTimeout(() => {
          socket.destroy();
          resolve();
        }, i % 12),
      ),
    );
    if (i % 3 === 0) await sent;
  }
  await Promise.all(gone);
  await until(async () => {
    const { rows } = await shop.monolith.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = 'shop' AND query LIKE 'UPDATE%' AND state <> 'idle'",
      'shop',
    );
    return rows.length === 0;
  }, 'all are through');
  await until(async () => {
    const { monolith, copy } = await shop.both();
    return JSON.stringify(monolith) === JSON.stringify(copy);
  }, 'alike');
  t.strictSame(await shop.divergences(), {});
});

t.test('a new side that accepts and never answers', async (t) => {
  const sockets: Socket[] = [];
  const silent: Server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  await onTeardown(async () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as { port: number };
  const monolith = await startPostgres();
  await monolith.query('CREATE DATABASE shop');
  await monolith.query(TABLES, 'shop');
  const pgfig = await startPgfig({
    databases: { monolith: monolith.url('shop'), orders_db: `postgres://postgres@127.0.0.1:${port}/orders` },
    rules: {
      orders: {
        database: 'orders_db',
        tables: ['public.orders', 'public.order_items'],
        phase: 'dual-write',
        mirror: { capture: 'statement', statementTimeout: '200ms' },
      },
    },
  });
  const client = await connect(pgfig.url());
  for (let i = 0; i < 50; i++) t.match(await client.query('UPDATE orders SET n = n + 1 WHERE id = 1'), { rowCount: 1 });
  t.match(await client.query('SELECT n FROM orders WHERE id = 1'), { rows: [{ n: 50 }] });
});
