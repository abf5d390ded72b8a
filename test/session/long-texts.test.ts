/** Texts that are read off the event loop: order, cancel, leaving, and what others notice of it. */
import net from 'node:net';
import type pg from 'pg';
import t from 'tap';
import { loadParser } from '../../src/sql/parser.js';
import { failure, startShop, until, value } from './two-databases.js';

const shop = await startShop();

/** Long, with no two terms alike, and nothing that is read sets its length to rest. */
const terms = (count: number): string => Array.from({ length: count }, (_, i) => `id+${i}+length('x${i}')`).join(', ');
const longSelect = (table: string, count: number): string =>
  `SELECT id FROM ${table} WHERE id IN (${terms(count)}, id)`;
/** Two megabytes, as a program that indents writes them. */
const LONG = longSelect('orders', 15_000).replaceAll(', id+', `,\n${' '.repeat(110)}id+`);
const bulk = (table: string, from: number, count: number): string =>
  `INSERT INTO ${table} VALUES ${Array.from({ length: count }, (_, i) => `(${from + i}, 1, 'note ${from + i} ${'x'.repeat(60)}')`).join(', ')}`;

const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${shop.pgfig.adminPort}/metrics`)).text();

async function metric(result: string): Promise<number> {
  const line = new RegExp(`^pgfig_statement_cache_total\\{[^}]*result="${result}"[^}]*\\} (\\d+)`, 'm');
  return Number(line.exec(await metrics())?.[1] ?? 0);
}

t.test('they go where their tables are, by both protocols, and in order', async (t) => {
  const client = await shop.connect();
  const middling = longSelect('orders', 600);
  t.ok(middling.length > 10_000);
  const before = await metric('threaded');
  const answers = await Promise.all([
    client.query('SELECT 1 AS n'),
    client.query(middling),
    client.query('SELECT 2 AS n FROM users LIMIT 1'),
    client.query(`${longSelect('orders', 601)} AND id = $1`, [1]),
    client.query('SELECT 3 AS n FROM orders LIMIT 1'),
  ]);
  t.same(
    answers.map(({ rows }) => rows.length),
    [1, 2, 1, 1, 1],
  );
  t.equal((await metric('threaded')) - before, 2);
  await client.query(middling);
  t.equal((await metric('threaded')) - before, 2, 'kept');
  const cross = await failure(client.query(`${longSelect('orders', 600)} AND EXISTS (SELECT FROM users)`));
  t.match(cross, { code: '0A000' });
});

t.test('in transactions, pipelines and failed pipelines', async (t) => {
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query(bulk('orders', 100, 5_000));
  t.equal(await value(client, 'SELECT count(*)::int FROM orders'), 5_002);
  await client.query('ROLLBACK');
  t.equal(await value(client, longSelect('orders', 700)), 1);
  // The text that follows an error in a simple-query pipeline runs; one in a failed transaction does not.
  await client.query('BEGIN');
  const [bad, after] = await Promise.all([
    failure(client.query('SELECT nothing FROM orders')),
    failure(client.query(longSelect('orders', 701))),
  ]);
  t.match(bad, { code: '42703' });
  t.match(after, { code: '25P02' });
  await client.query('ROLLBACK');
  const refused = await failure(client.query(`${longSelect('orders', 702)} AND`));
  t.match(refused, { code: '42601' }, "PostgreSQL's own word for what does not parse");
});

/** Sends a CancelRequest, and resolves when its connection has been closed. */
async function cancelClient(client: object): Promise<void> {
  const { processID, secretKey } = client as { processID: number; secretKey: number };
  const packet = Buffer.alloc(16);
  for (const [at, word] of [16, 80877102, processID, secretKey].entries()) packet.writeInt32BE(word, at * 4);
  const socket = net.connect({ host: shop.pgfig.host, port: shop.pgfig.port });
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(packet);
  await new Promise((resolve) => socket.once('close', resolve));
}

t.test('a cancel request ends the wait', async (t) => {
  const client = await shop.connect();
  let over = false;
  const failing = failure(client.query(LONG.replace('FROM orders', 'FROM orders AS canceled'))).finally(() => {
    over = true;
  });
  while (!over) await cancelClient(client);
  t.match(await failing, { code: '57014', message: 'canceling statement due to user request' });
  const seen = await shop.inOrders(
    "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT id FROM orders AS canceled%'",
  );
  t.same(seen, [], 'no backend has seen it');
  t.equal(await value(client, 'SELECT count(*)::int FROM orders'), 2);
});

const sessions = async (): Promise<number> =>
  Number(/^pgfig_sessions(?:\{[^}]*\})? (\d+)$/m.exec(await metrics())?.[1]);

t.test('clients that leave while they wait leave nothing behind', async (t) => {
  const stays = await shop.connect();
  const before = await sessions();
  const reading = await metric('threaded');
  const leaving = await Promise.all(Array.from({ length: 4 }, () => shop.connect()));
  for (const client of leaving) client.query(LONG).catch(() => undefined);
  await until(async () => (await metric('threaded')) >= reading + 4, 'all wait');
  for (const client of leaving) {
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }
  t.equal(await value(stays, 'SELECT count(*)::int FROM users'), 2);
  t.equal((await stays.query(longSelect('orders', 650))).rows.length, 2);
  await until(async () => (await sessions()) === before, 'their sessions are over');
});

t.test('others do not wait for them', async (t) => {
  const parser = await loadParser();
  const [loud, quiet] = await Promise.all([shop.connect(), shop.connect()]);
  // Both plans are known, and the thread runs.
  await loud.query(bulk('orders', 1_000, 2));
  await loud.query(longSelect('orders', 600));
  await quiet.query('SELECT count(*) FROM users');
  for (const sql of [LONG, bulk('orders', 10_000, 25_000)]) {
    t.ok(sql.length > 1_900_000, `${sql.length} bytes`);
    const began = performance.now();
    parser.parse(sql);
    const here = performance.now() - began;
    let longest = 0;
    let over = false;
    let asked = 0;
    // Postgres itself may find the long one too deep.
    const work = loud.query(sql).then(
      () => {
        over = true;
      },
      () => {
        over = true;
      },
    );
    while (!over) {
      const sent = performance.now();
      await quiet.query('SELECT count(*) FROM users');
      longest = Math.max(longest, performance.now() - sent);
      asked += 1;
    }
    await work;
    t.comment(
      `${Math.round(here)} ms to parse it here; ${asked} others meanwhile, the slowest ${Math.round(longest)} ms`,
    );
    t.ok(longest < here / 2, `${longest} of ${here} ms`);
    t.ok(asked > 5);
  }
});

t.test('a hundred statements too deep for the stack, while another client works', async (t) => {
  const [deep, busy] = await Promise.all([shop.connect(), shop.connect()]);
  const codes = new Set<unknown>();
  const wrong: unknown[] = [];
  let asked = 0;
  const work = async (): Promise<void> => {
    for (let i = 0; i < 8; i += 1) {
      const [name, table] = [`t${++asked}`, asked % 2 === 0 ? 'users' : 'orders'];
      // A shape of its own each time: it has to be parsed.
      const { rows } = await busy.query(`SELECT '${table}' AS ${name} FROM ${table} AS a${name} WHERE id = 1`);
      if (rows[0]?.[name] !== table) wrong.push(rows);
    }
  };
  for (let i = 0; i < 100; i += 1) {
    // Each is another text. Some are too deep even for the thread; none of a length for the loop is for that.
    const sum = `SELECT ${'1+'.repeat((i % 10 === 0 ? 60_000 : 10_000) + i)}id FROM orders`;
    const sql = i % 2 === 0 ? sum : `SELECT ${'- '.repeat(4_000 - i)}id FROM orders`;
    const answer = deep.query(sql).catch((error: unknown) => codes.add((error as pg.DatabaseError).code));
    await Promise.all([answer, work()]);
  }
  t.same(wrong, []);
  t.comment(`${asked} answers meanwhile; errors ${[...codes].join()}`);
  t.equal(await value(deep, 'SELECT count(*)::int FROM users'), 2, 'and the one that sent them goes on');
});
