import t, { type Test } from 'tap';
import { query, type RawClient } from '../hostile/raw-client.js';
import { answer, ask, backendOf, extended, login, send } from './raw-session.js';
import { startShop } from './two-databases.js';

/**
 * What pgfig asks a backend for itself may be refused: by statement_timeout, by a cancel request, by a server that is
 * out of memory. Nothing may then go on as if it had been answered. And a connection may end behind any message. What
 * passes is spoiled on its way here, as no server does it at will.
 */
const shop = await startShop({
  between: true,
  inMonolith: "CREATE VIEW whom AS SELECT coalesce(current_setting('app.tenant', true), '') AS tenant;",
  inOrders: "CREATE VIEW who AS SELECT coalesce(current_setting('app.tenant', true), '') AS tenant;",
  rules: { more: { database: 'orders_db', tables: ['public.who'], phase: 'write-new' } },
});
const { beforeMonolith, beforeOrders } = shop;
if (beforeMonolith === null || beforeOrders === null) throw new Error('nothing stands between');
t.afterEach(() => {
  beforeMonolith.rest();
  beforeOrders.rest();
});

const DIVISION = /^E ERROR 22012 division by zero \| ZI$/;
const failing = (what: string): string => 'SELECT 1/0'.padEnd(what.length);

/** Both links are open, and the one to orders_db was used last. */
async function open(): Promise<RawClient> {
  const client = await login(shop.pgfig);
  await backendOf(client, 'users');
  await backendOf(client, 'orders');
  return client;
}

async function inStep(t: Test, client: RawClient): Promise<void> {
  t.strictSame(await client.rows('SELECT 41 + 1 FROM users LIMIT 1'), ['42']);
  t.strictSame(await client.rows('SELECT 41 + 2 FROM orders LIMIT 1'), ['43']);
  client.vanish();
}

t.test('whether a participant has written unseen: what it has is not lost at COMMIT', async (t) => {
  const question = 'SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL';
  const client = await open();
  for (const [writing, reading, between, inside] of [
    ['users', 'orders', beforeMonolith, shop.inMonolith],
    ['orders', 'users', beforeOrders, shop.inOrders],
  ] as const) {
    for (const sql of ['BEGIN', `SELECT writes_unseen(91) FROM ${writing} LIMIT 1`, `SELECT 1 FROM ${reading}`])
      t.equal(await ask(client, sql), 'C | ZT');
    between.replace(question, failing(question));
    t.match(await ask(client, 'COMMIT'), DIVISION);
    between.rest();
    t.strictSame(await inside('SELECT * FROM audit'), []);
  }
  await inStep(t, client);
});

const VALUES = 'SELECT n, pg_catalog.current_setting(n, true)';

t.test('the value of a setting: nobody reads by an old one', async (t) => {
  const client = await open();
  t.equal(await ask(client, "SET app.tenant = 'one'"), 'C | ZI');
  t.strictSame(await client.rows('SELECT tenant FROM whom'), ['one']);
  t.equal(await ask(client, "SET app.tenant = 'two'"), 'C | ZI');
  beforeMonolith.replace(VALUES, 'SELECT n, 1/0'.padEnd(VALUES.length));
  t.match(await ask(client, 'SELECT tenant FROM who'), DIVISION);
  beforeMonolith.rest();
  t.strictSame(await client.rows('SELECT tenant FROM who'), ['two']);
  await inStep(t, client);
});

t.test('the same within a pipeline, which has failed then', async (t) => {
  const client = await open();
  beforeOrders.replace(VALUES, 'SELECT n, 1/0'.padEnd(VALUES.length));
  send(client, ...extended("SET app.tenant = 'one'"), ...extended('SELECT tenant FROM whom'));
  send(client, ...extended('SELECT 2 FROM orders'), 'Sync');
  t.equal(await answer(client), '1 | 2 | C | E ERROR 22012 division by zero | ZI');
  beforeOrders.rest();
  t.strictSame(await client.rows('SELECT tenant FROM whom'), ['']);
  await inStep(t, client);
});

t.test('what names mean, asked behind an answer of a pipeline: what comes next is told', async (t) => {
  for (const next of ['pipeline', 'Query', 'Sync'] as const) {
    const client = await open();
    beforeOrders.replace('SHOW search_path', 'SHOW search_pat_');
    send(client, ...extended('SET search_path = public'));
    if (next === 'pipeline') send(client, ...extended("INSERT INTO orders VALUES (93, 1, 'x')"), 'Sync');
    else if (next === 'Query') client.send(query('SELECT 1 FROM orders'));
    else send(client, 'Sync');
    t.match(await answer(client), /^1 \| 2 \| C \| E ERROR 42704 [^|]+ \| ZI$/, next);
    beforeOrders.rest();
    t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 93'), []);
    await inStep(t, client);
  }
});

t.test('the end of a participant that only read: nothing stays open there', async (t) => {
  const client = await open();
  for (const sql of ['BEGIN', "INSERT INTO orders VALUES (95, 1, 'x')", 'SELECT 1 FROM users'])
    t.equal(await ask(client, sql), 'C | ZT');
  beforeMonolith.replace('COMMIT', 'COMMI_');
  t.equal(await ask(client, 'COMMIT'), 'C | ZI');
  beforeMonolith.rest();
  await inStep(t, client);
});

/** The link to the monolith has the setting, too. */
async function withTenant(t: Test): Promise<RawClient> {
  const client = await open();
  for (const sql of ["SET app.tenant = 'one'", 'SELECT 1 FROM users', 'SELECT 1 FROM orders'])
    t.equal(await ask(client, sql), 'C | ZI');
  return client;
}

async function forgotten(t: Test, client: RawClient, how: string): Promise<void> {
  t.strictSame(await client.rows('SELECT tenant FROM who'), [''], how);
  t.strictSame(await client.rows('SELECT tenant FROM whom'), [''], how);
  await inStep(t, client);
}

t.test('DISCARD ALL on the other link: the next user finds nothing of the last one', async (t) => {
  for (const how of ['Query', 'extended'] as const) {
    const client = await withTenant(t);
    beforeMonolith.replace('DISCARD ALL', 'DISCARD AL_');
    if (how === 'Query') client.send(query('DISCARD ALL'));
    else send(client, ...extended('DISCARD ALL'), 'Sync');
    t.match(await answer(client), /C \| ZI$/, how);
    beforeMonolith.rest();
    await forgotten(t, client, how);
  }
});

t.test('a link that dies when it has been reset', async (t) => {
  const client = await withTenant(t);
  beforeMonolith.cutBehind('DISCARD ALL', 'C');
  t.equal(await ask(client, 'DISCARD ALL'), 'C | ZI');
  await forgotten(t, client, 'lost');
});

t.test('RESET ALL on a link that holds more than settings: the session ends', async (t) => {
  const client = await withTenant(t);
  for (const sql of ['CREATE TEMP TABLE mine AS SELECT 1 FROM users', 'SELECT 1 FROM orders'])
    t.equal(await ask(client, sql), 'C | ZI');
  beforeMonolith.replace('RESET ALL', 'RESET AL_');
  client.send(query('RESET ALL'));
  t.match((await client.untilClosed()).at(-1)?.body.toString(), /57P01/);
});

t.test('a link dies behind the error of its part of a split string: the next loss is told', async (t) => {
  const client = await open();
  beforeOrders.cutBehind('SELECT 1/0', 'E');
  client.send(query('SELECT 1 FROM users; SELECT 1/0 FROM orders'));
  t.equal(await answer(client), 'C | E ERROR 22012 division by zero | ZI');
  beforeMonolith.cutBehind('INSERT INTO users', 'C');
  client.send(query("INSERT INTO users VALUES (94, 'x')"));
  t.match(await answer(client), /^C \| E ERROR 08006 [^|]+ \| ZI$/);
  await inStep(t, client);
});

t.test(
  'a link dies within several pipelines, of which the last one is half sent: none goes on elsewhere',
  async (t) => {
    const client = await open();
    t.equal(await ask(client, 'SELECT 1 FROM users'), 'C | ZI');
    beforeMonolith.cutBehind('SELECT 1 FROM users', 'C');
    send(client, ...extended('SELECT 1 FROM users'), 'Sync', ...extended('SELECT 2 FROM users'));
    send(client, ...extended("INSERT INTO orders VALUES (96, 1, 'x')"), 'Sync');
    t.match(await answer(client), /^1 \| 2 \| C \| E ERROR 08006 [^|]+ \| ZI$/);
    t.match(await answer(client), /^E ERROR 08006 [^|]+ \| ZI$/);
    t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 96'), []);
    await inStep(t, client);
  },
);

t.test('a link dies behind the answer in front of a COMMIT that was sent with it: nobody knows', async (t) => {
  const client = await open();
  for (const sql of ['BEGIN', "INSERT INTO orders VALUES (97, 1, 'x')"]) t.equal(await ask(client, sql), 'C | ZT');
  beforeOrders.cutBehind('SELECT 1 FROM orders', 'C', 'Z');
  send(client, 'Query "SELECT 1 FROM orders"', ...extended('COMMIT'), 'Sync');
  t.equal(await answer(client), 'C | ZT');
  t.match((await client.untilClosed()).at(-1)?.body.toString(), /08007/);
});

t.test('BEGIN is refused: what was sent behind a Sync meanwhile is not carried out without it', async (t) => {
  const client = await open();
  beforeOrders.replace('BEGIN', 'BEGI_');
  send(client, ...extended('BEGIN'), 'Query "SELECT 1 FROM orders"', ...extended('SAVEPOINT a'), 'Sync');
  send(client, `Query "INSERT INTO orders VALUES (98, 1, 'x')"`);
  t.match(await answer(client), /^1 \| 2 \| C \| E ERROR 42601 [^|]+ \| ZE$/);
  t.match(await answer(client), /^E ERROR 25P02 [^|]+ \| ZE$/);
  t.match(await answer(client), /^E ERROR 25P02 [^|]+ \| ZE$/);
  beforeOrders.rest();
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 98'), []);
  await inStep(t, client);
});

t.test('the same where pipelines follow each other', async (t) => {
  const client = await open();
  t.equal(await ask(client, 'BEGIN'), 'C | ZT');
  beforeOrders.replace('BEGIN', 'BEGI_');
  send(client, ...extended('SELECT 1 FROM orders'), 'Sync');
  send(client, ...extended("INSERT INTO orders VALUES (99, 1, 'x')"), 'Sync');
  t.match(await answer(client), /^E ERROR 42601 [^|]+ \| ZE$/);
  t.match(await answer(client), /^E ERROR 25P02 [^|]+ \| ZE$/);
  beforeOrders.rest();
  t.equal(await ask(client, 'ROLLBACK'), 'C | ZI');
  t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 99'), []);
  await inStep(t, client);
});
