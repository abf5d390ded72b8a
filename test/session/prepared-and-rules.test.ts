import type pg from 'pg';
import t from 'tap';
import { answer, login, send } from './raw-session.js';
import { failure, ORDERS_RULE, startShop, statusOf, until, value } from './two-databases.js';

/** `moving` is in both databases alike, with other rows; `differing` has its columns in another order and type. */
const shop = await startShop({
  inMonolith: `
    CREATE TABLE moving (id int PRIMARY KEY, side text); INSERT INTO moving VALUES (1, 'monolith');
    CREATE TABLE differing (id int, side text); INSERT INTO differing VALUES (1, 'monolith');
    CREATE TABLE other (id int);`,
  inOrders: `
    CREATE TABLE moving (id int PRIMARY KEY, side text); INSERT INTO moving VALUES (1, 'orders_db');
    CREATE TABLE differing (side text, id bigint); INSERT INTO differing VALUES ('orders_db', 1);
    CREATE TABLE other (id int);`,
  rules: { moving: { database: 'orders_db', tables: ['public.moving', 'public.differing'], phase: 'monolith' } },
});
const probe = await shop.connect();

/** Rewrites the rule file, and waits until the proxy goes by it. */
async function moveTo(phase: 'shadow-read' | 'read-new'): Promise<void> {
  await shop.pgfig.writeRule('moving', {
    database: 'orders_db',
    tables: ['public.moving', 'public.differing'],
    phase,
    mirror: { capture: 'none' },
  });
  const side = phase === 'read-new' ? 'orders_db' : 'monolith';
  await until(async () => (await value(probe, 'SELECT side FROM moving')) === side, `the rules of ${phase}`);
}
const run = (client: pg.Client, name: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> =>
  client.query({ name, text, values });

t.test('a named statement follows its table, there and back', async (t) => {
  await moveTo('shadow-read');
  const client = await shop.connect();
  const side = async (): Promise<unknown> =>
    (await run(client, 'side', 'SELECT side FROM moving WHERE id = $1', [1])).rows[0]?.side;
  t.equal(await side(), 'monolith');
  await moveTo('read-new');
  t.equal(await side(), 'orders_db');
  t.equal(await side(), 'orders_db');
  await moveTo('shadow-read');
  t.equal(await side(), 'monolith');
  await client.query("SET app.tenant = 'ada'");
  await moveTo('read-new');
  t.equal(
    (await run(client, 'tenant', "SELECT current_setting('app.tenant') AS tenant FROM moving")).rows[0]?.tenant,
    'ada',
    'and finds the settings there',
  );
  t.equal(await side(), 'orders_db');
});

t.test('SQL-level PREPARE follows too, and writes stay where they are', async (t) => {
  await moveTo('shadow-read');
  const client = await shop.connect();
  const write = 'INSERT INTO moving VALUES ($1, $2)';
  await run(client, 'write', write, [10, 'first']);
  await client.query('PREPARE count AS SELECT count(*)::int FROM moving WHERE id >= $1');
  t.equal(await value(client, 'EXECUTE count (10)').catch(String), 1);
  await moveTo('read-new');
  await run(client, 'write', write, [11, 'second']);
  t.equal(await value(client, 'EXECUTE count (10)').catch(String), 0);
  t.strictSame(await shop.inMonolith('SELECT id FROM moving WHERE id >= 10 ORDER BY id'), [{ id: 10 }, { id: 11 }]);
  t.strictSame(await shop.inOrders('SELECT id FROM moving WHERE id >= 10'), []);
  await client.query('DEALLOCATE count');
  t.match(await failure(client.query('EXECUTE count (10)')), { code: '26000' });
});

t.test('a phase that would move writes is held: statements go where they went', async (t) => {
  await moveTo('shadow-read');
  const client = await shop.connect();
  const write = 'INSERT INTO moving VALUES ($1, NULL)';
  await run(client, 'write', write, [30]);
  const held = (): number => shop.pgfig.logs().split('"msg":"a change of the rules waits"').length;
  const before = held();
  await shop.pgfig.writeRule('moving', {
    database: 'orders_db',
    tables: ['public.moving', 'public.differing'],
    phase: 'write-new',
  });
  await until(() => held() > before, 'the word that it waits');
  await run(client, 'write', write, [31]);
  t.equal(await value(client, 'SELECT side FROM moving WHERE id = 1'), 'monolith');
  t.strictSame(await shop.inMonolith('SELECT id FROM moving WHERE id >= 30 ORDER BY id'), [{ id: 30 }, { id: 31 }]);
  t.strictSame(await shop.inOrders('SELECT id FROM moving WHERE id >= 30'), []);
});

t.test('columns differ: the error that drivers know, and then a new one works', async (t) => {
  await moveTo('shadow-read');
  const client = await shop.connect();
  t.strictSame((await run(client, 'star', 'SELECT * FROM differing')).rows, [{ id: 1, side: 'monolith' }]);
  await moveTo('read-new');
  t.match(await failure(run(client, 'star', 'SELECT * FROM differing')), {
    code: '0A000',
    message: 'cached plan must not change result type',
  });
  t.equal(await statusOf(client), 'I');
  t.strictSame((await run(client, 'star2', 'SELECT * FROM differing')).rows, [{ id: '1', side: 'orders_db' }]);
  t.strictSame(
    (await run(client, 'chosen', 'SELECT side FROM differing')).rows,
    [{ side: 'orders_db' }],
    'one that names its columns',
  );
});

t.test('inside a transaction the rules of its first routed statement hold', async (t) => {
  await moveTo('shadow-read');
  const [client, waiting] = await Promise.all([shop.connect(), shop.connect()]);
  await waiting.query('BEGIN');
  await client.query('BEGIN');
  t.equal(await value(client, 'SELECT side FROM moving WHERE id = 1'), 'monolith');
  await moveTo('read-new');
  t.equal(await value(client, 'SELECT side FROM moving WHERE id = 1'), 'monolith', 'pinned');
  t.equal((await run(client, 'pinned', 'SELECT side FROM moving WHERE id = 1')).rows[0]?.side, 'monolith');
  t.equal(await value(waiting, 'SELECT side FROM moving WHERE id = 1'), 'orders_db', 'BEGIN alone pins nothing');
  await client.query('COMMIT');
  t.equal(await value(client, 'SELECT side FROM moving WHERE id = 1'), 'orders_db');
  t.equal((await run(client, 'pinned', 'SELECT side FROM moving WHERE id = 1')).rows[0]?.side, 'orders_db');
  await waiting.query('ROLLBACK');
});

t.test('a rule that is removed, and one that is broken', async (t) => {
  await moveTo('read-new');
  const client = await shop.connect();
  const side = async (): Promise<unknown> =>
    (await run(client, 'side', 'SELECT side FROM moving WHERE id = 1')).rows[0]?.side;
  t.equal(await side(), 'orders_db');
  await shop.pgfig.writeRule('moving', 'domain: moving\nphase: nowhere\n');
  await until(() => /moving\.yaml/.test(shop.pgfig.logs()), 'the complaint');
  t.equal(await side(), 'orders_db', 'the last good rules stay');
  await shop.pgfig.removeRule('moving');
  await until(async () => (await value(probe, 'SELECT side FROM moving WHERE id = 1')) === 'monolith', 'its removal');
  t.equal(await side(), 'monolith');
});

t.test('what is told of one statement is not taken for another’s', async (t) => {
  await moveTo('shadow-read');
  // In one pipeline: a statement without rows is described in front of one with rows.
  const { parse, bind, execute, describeStatement, sync } = await import('../../src/wire/frontend-messages.js');
  const { RawClient } = await import('../hostile/raw-client.js');
  const raw = await RawClient.login({ ...shop.pgfig, dbname: 'shop' } as never);
  const types = async (): Promise<string> => (await raw.untilReady()).map(({ type }) => type).join('');
  raw.send(
    parse('quiet', 'INSERT INTO moving VALUES (20, NULL) ON CONFLICT DO NOTHING'),
    describeStatement('quiet'),
    parse('rows', 'SELECT side FROM moving WHERE id = 1'),
    describeStatement('rows'),
    sync,
  );
  t.equal(await types(), '1tn1tTZ');
  await moveTo('read-new');
  raw.send(bind('', 'quiet', []), execute('', 0), sync);
  t.equal(await types(), '2CZ', 'the one without rows still has none');
  raw.send(bind('', 'rows', []), execute('', 0), sync);
  t.equal(await types(), '2DCZ');
  raw.vanish();
  t.strictSame(await shop.inMonolith('SELECT id FROM moving WHERE id = 20'), [{ id: 20 }]);
});

t.test('what is told of statements whose pipelines were sent at once, and of none that only a Query had', async (t) => {
  await moveTo('shadow-read');
  const client = await login(shop.pgfig);
  const pipeline = (name: string, sql: string): string[] => [
    `Parse "${name}" "${sql}" []`,
    `Describe S "${name}"`,
    'Sync',
  ];
  send(client, 'Query "SELECT id, side FROM moving"', ...pipeline('id', 'SELECT id FROM moving'));
  send(client, ...pipeline('bad', 'SELECT nonsense FROM moving'), ...pipeline('all', 'SELECT * FROM differing'));
  for (const answered of ['C | ZI', '1 | t | ZI', /^E ERROR 42703 [^|]+ \| ZI$/, '1 | t | ZI'])
    t.match(await answer(client), answered);
  await moveTo('read-new');
  const execute = (name: string): string[] => [`Bind "" "${name}" []`, 'Execute "" 0', 'Sync'];
  send(client, ...execute('id'), ...execute('all'));
  t.equal(await answer(client), '2 | C | ZI');
  t.match(await answer(client), /^E ERROR 0A000 cached plan must not change result type \| ZI$/);
  client.vanish();
});

t.test('other domains are not touched by the change', async (t) => {
  const client = await shop.connect();
  const text = 'SELECT count(*)::int AS n FROM orders';
  t.equal((await run(client, 'orders', text)).rows[0]?.n, 2);
  await moveTo('shadow-read');
  t.equal((await run(client, 'orders', text)).rows[0]?.n, 2);
  t.equal(ORDERS_RULE.phase, 'write-new');
});
