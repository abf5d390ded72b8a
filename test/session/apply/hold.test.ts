import net from 'node:net';
import pg from 'pg';
import t from 'tap';
import { bind, execute, parse, query, sync, terminate } from '../../../src/wire/frontend-messages.js';
import { describe, type RawClient } from '../../hostile/raw-client.js';
import { onTeardown } from '../../support/teardown.js';
import { until } from '../two-databases.js';
import type { EmbeddedTraffic } from './embedded-traffic.js';
import { login, mirroredShop } from './mirrored-shop.js';

/** What a session does while ReadyForQuery is held. */

const shop = await mirroredShop();
const traffic = await shop.open();
const { relays } = traffic;
const run = (sql: string): Buffer => Buffer.concat([parse('', sql), bind('', ''), execute()]);
let ids = 0;
const insert = (table = 'orders'): string => `INSERT INTO ${table} VALUES (${++ids})`;
const outcomesOf = (domain: string) => traffic.traffic.counters.hold(domain).outcomes;
const said = async (client: RawClient): Promise<string> => (await client.untilReady()).map(describe).join(' ');

t.beforeEach(() => {
  while (relays.open.length > 0) relays.answer();
  relays.forget();
});

/** A client whose ReadyForQuery is held for what it has written. */
async function holding(sql = insert()): Promise<{ client: RawClient; answer: Promise<string> }> {
  const client = await login(traffic);
  client.send(query(sql));
  const answer = said(client);
  await relays.request();
  return { client, answer };
}

async function cancel({ host, port }: EmbeddedTraffic, { pid, secret }: RawClient['key']): Promise<void> {
  const packet = Buffer.alloc(16);
  for (const [at, value] of [16, 80877102, pid, secret].entries()) packet.writeInt32BE(value, at * 4);
  const socket = net.connect({ host, port });
  socket.resume();
  socket.write(packet);
  await new Promise((resolve) => socket.once('close', resolve));
}

t.test('what is behind a held ReadyForQuery keeps its order, and is not gathered in memory', async (t) => {
  const client = await login(traffic);
  const [backend] = await client.rows('SELECT pg_backend_pid()');
  const rows = 30_000;
  const big = query(`SELECT g || repeat('x', 1000) FROM generate_series(1, ${rows}) g`);
  client.send(query(insert()), query('SELECT 1'), run('SELECT 2'), sync, big, query('SELECT 4'));
  await relays.request();
  // 30 MB: the server cannot get rid of them.
  const stuck = `SELECT 1 FROM pg_stat_activity WHERE pid = ${backend} AND wait_event = 'ClientWrite'`;
  await until(async () => (await shop.server.query(stuck)).rows.length === 1, 'the link is not read any more');
  relays.answer();
  t.equal(await said(client), 'C Z');
  t.equal(await said(client), 'T D C Z');
  t.equal(await said(client), '1 2 D C Z');
  const messages = await client.untilReady();
  t.equal(messages.length, rows + 3);
  const wrong = messages.slice(1, -2).findIndex(({ body }, at) => !body.toString('latin1', 6).startsWith(`${at + 1}x`));
  t.equal(wrong, -1, 'no row is out of place');
  t.equal(await said(client), 'T D C Z');
  client.vanish();
});

t.test('what is read next finds what was written, though it was sent before the answer', async (t) => {
  const client = await login(traffic);
  const reads = `SELECT id FROM parts WHERE id = `;
  /** The relay carries the row over, and answers then. */
  const relayed = async (): Promise<void> => {
    await relays.request();
    await shop.server.query(`INSERT INTO parts VALUES (${ids})`, 'new');
    relays.answer();
  };
  const ways: Record<string, (text: string) => Buffer[]> = {
    'two queries': (text) => [query(text), query(reads + ids)],
    'two pipelines': (text) => [run(text), sync, run(reads + ids), sync],
    'a query and a pipeline': (text) => [query(text), run(reads + ids), sync],
    'a transaction and a query': (text) => [query('BEGIN'), query(text), query('COMMIT'), query(reads + ids)],
    'behind COMMIT in the same pipeline': (text) => [run('BEGIN'), run(text), run('COMMIT'), run(reads + ids), sync],
    'behind COMMIT in a pipeline without BEGIN': (text) => [run(text), run('COMMIT'), run(reads + ids), sync],
  };
  for (const [way, messages] of Object.entries(ways)) {
    const sent = messages(insert('parts'));
    const syncs = sent.filter((message) => message[0] === 0x51 || message === sync).length;
    client.send(...sent);
    await relayed();
    let last = '';
    for (let i = 0; i < syncs; i++) last = await said(client);
    t.match(last, /D C Z$/, `${way}: ${last}`);
  }
  client.vanish();
});

t.test('when the time is over, the commit is answered', async (t) => {
  const before = outcomesOf('slow').timeout;
  const { client, answer } = await holding(insert('slow'));
  t.equal(await answer, 'C Z');
  t.equal(outcomesOf('slow').timeout, before + 1);
  t.equal((await client.rows('SELECT count(*) FROM slow'))[0], '1', 'it stands');
  relays.answer();
  client.vanish();
});

t.test('whatever the relay answers, the commit is answered', async (t) => {
  for (const outcome of ['applied', 'stalled', 'failed'] as const) {
    const before = outcomesOf('orders')[outcome];
    const { client, answer } = await holding();
    relays.answer(outcome);
    t.equal(await answer, 'C Z', outcome);
    t.equal(outcomesOf('orders')[outcome], before + 1);
    client.vanish();
  }
  const { seconds, waiting } = traffic.traffic.stats().holds.find(({ domain }) => domain === 'orders') ?? {};
  t.ok((seconds?.count ?? 0) >= 3);
  t.equal(waiting, 0);
});

t.test('a cancel request ends the wait, and is no error: the commit has happened', async (t) => {
  const before = outcomesOf('orders').canceled;
  const { client, answer } = await holding();
  await cancel(traffic, client.key);
  t.equal(await answer, 'C Z');
  t.equal(outcomesOf('orders').canceled, before + 1);
  t.strictSame(await client.rows(`SELECT id FROM orders WHERE id = ${ids}`), [`${ids}`]);
  relays.answer();
  client.vanish();
});

t.test('a client that goes while it is held', async (t) => {
  const { client, answer } = await holding();
  answer.catch(() => undefined);
  client.vanish();
  relays.answer();
  await until(() => traffic.traffic.registry.size === 0, 'its session is over');
  t.equal(traffic.traffic.counters.hold('orders').waiting, 0);
  t.equal((await shop.server.query(`SELECT 1 FROM orders WHERE id = ${ids}`, 'shop')).rows.length, 1);
});

t.test('a client that says goodbye behind what is held', async (t) => {
  const client = await login(traffic);
  client.send(query(insert()));
  await relays.request();
  client.send(terminate);
  relays.answer();
  t.match((await client.untilClosed()).map(describe).join(' '), /^C Z/);
});

t.test('a link that is lost while it is held', async (t) => {
  const client = await login(traffic);
  const [backend] = await client.rows('SELECT pg_backend_pid()');
  client.send(query(insert()));
  await relays.request();
  await shop.server.query(`SELECT pg_terminate_backend(${backend}, 5000)`);
  relays.answer();
  t.equal(await said(client), 'C Z', 'the commit is answered first');
  await until(async () => {
    client.send(query('SELECT pg_backend_pid()'));
    const answer = await client.untilReady();
    return answer.some(({ type }) => type === 'D');
  }, 'the session goes on with a new link');
  client.vanish();
});

t.test('several domains in one transaction: all of them are waited for', async (t) => {
  const client = await login(traffic);
  for (const sql of ['BEGIN', insert(), insert('parts'), insert('later')]) await client.rows(sql);
  client.send(query('COMMIT'));
  const state = { done: false };
  const answer = said(client).then((text) => {
    state.done = true;
    return text;
  });
  await relays.until(() => relays.open.length === 2);
  t.strictSame(relays.asked.toSorted(), ['orders', 'parts']);
  t.strictSame(relays.poked, ['later']);
  relays.answer();
  const other = await login(traffic);
  await other.rows('SELECT 1');
  t.equal(state.done, false, 'one has answered');
  relays.answer();
  t.equal(await answer, 'C Z');
  for (const one of [client, other]) one.vanish();
});

t.test('apply: async only pokes', async (t) => {
  const client = await login(traffic);
  client.send(query(insert('later')), query(insert('later')), run(insert('later')), sync);
  for (let i = 0; i < 3; i++) t.match(await said(client), /C Z$/);
  await relays.until(() => relays.poked.length > 0);
  t.strictSame(relays.asked, []);
  t.strictSame([...new Set(relays.poked)], ['later']);
  client.vanish();
});

t.test('commits of many sessions share requests, and none is answered by one that was sent before it', async (t) => {
  const first = await holding();
  const clients = await Promise.all(Array.from({ length: 10 }, () => login(traffic)));
  const done: number[] = [];
  const answers = clients.map(async (client, at) => {
    client.send(query(insert()));
    await said(client);
    done.push(at);
  });
  const waiting = (): number => traffic.traffic.counters.hold('orders').waiting;
  await until(() => waiting() === 11, 'all are held');
  await until(() => relays.open.length >= 2, 'those who came later ask too');
  t.ok(relays.open.length <= 4, `${relays.open.length} requests are under way`);
  relays.answer();
  t.equal(await first.answer, 'C Z');
  t.strictSame(done, [], 'the first request is of the first commit alone');
  const answering = setInterval(() => {
    if (relays.open.length > 0) relays.answer();
  }, 1);
  await Promise.all(answers);
  clearInterval(answering);
  t.ok(relays.asked.length < 11, `${relays.asked.length} requests for 11 commits`);
  for (const client of [first.client, ...clients]) client.vanish();
});

t.test('a new control process answers what the old one was asked', async (t) => {
  const { client, answer } = await holding();
  relays.open.length = 0;
  traffic.traffic.controlStarted();
  await relays.request();
  relays.answer();
  t.equal(await answer, 'C Z');
  client.vanish();
});

t.test('a driver sees nothing but a longer COMMIT', async (t) => {
  const client = new pg.Client({ host: traffic.host, port: traffic.port, user: 'postgres', database: 'shop' });
  await onTeardown(() => client.end().catch(() => undefined));
  await client.connect();
  const answering = setInterval(() => relays.answer(), 5);
  for (let i = 0; i < 20; i++) {
    await client.query('BEGIN');
    await client.query('INSERT INTO orders VALUES ($1)', [++ids]);
    t.equal((await client.query('COMMIT')).command, 'COMMIT');
    t.equal((await client.query('INSERT INTO orders VALUES ($1) RETURNING id', [++ids])).rows[0].id, ids);
  }
  clearInterval(answering);
  t.equal(relays.asked.length, 40);
});

t.test('pgfig that ends: what is held is answered first', async (t) => {
  for (const how of ['drain', 'close'] as const) {
    const ending = await shop.open();
    const client = await login(ending);
    client.send(query(insert()));
    await ending.relays.request();
    const drained = how === 'drain' ? ending.traffic.drain(Date.now() + 20_000) : null;
    if (drained === null) ending.traffic.close();
    else ending.relays.answer();
    const messages = (await client.untilClosed()).map(describe).join(' ');
    t.equal(messages, 'C Z E FATAL 57P01 terminating connection due to administrator command', how);
    await drained;
    t.equal(ending.traffic.counters.hold('orders').waiting, 0);
  }
});
