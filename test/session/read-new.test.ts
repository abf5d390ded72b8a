import type pg from 'pg';
import t from 'tap';
import { parseSend } from '../conversations/encode.js';
import { WireClient } from '../conversations/wire-client.js';
import { failure, type Shop, startShop, until, value } from './two-databases.js';

/** The same table in both, its rows say which one was read. */
const shop: Shop = await startShop({
  inMonolith: `
    CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL, note text);
    INSERT INTO orders VALUES (1, 1, 'old'), (2, 2, 'old');
    CREATE FUNCTION touches_orders() RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN EXECUTE 'UPDATE orders SET user_id = user_id WHERE id = 1'; END $$;`,
  inOrders: `
    UPDATE orders SET note = 'new';
    CREATE TABLE ledger (id int);`,
  rules: {
    orders: {
      database: 'orders_db',
      tables: ['public.orders'],
      phase: 'read-new',
      mirror: { capture: 'none' },
      reads: { services: ['order-service', 'postgres'] },
    },
    ledger: { database: 'orders_db', tables: ['public.ledger'], phase: 'write-new' },
  },
});

const READ = 'SELECT note FROM orders WHERE id = 1';
const reads = (client: pg.Client): Promise<unknown> => value(client, READ);
/** By the simple protocol. */
const readsSimply = async (client: pg.Client): Promise<unknown> =>
  ((await client.query(READ)).rows[0] as { note: string } | undefined)?.note;
const asService = (name: string): Promise<pg.Client> => shop.connect({ application_name: name });
const ask = (client: pg.Client, sql: string): Promise<unknown> => client.query(sql);

t.test('the service decides where a session reads', async (t) => {
  t.equal(await reads(await asService('order-service')), 'new');
  t.equal(await reads(await asService('billing')), 'old');
  t.equal(await reads(await shop.connect()), 'new', 'without application_name the user is the service');
});

t.test('application_name set later', async (t) => {
  const client = await asService('billing');
  t.equal(await reads(client), 'old');
  for (const [sql, where] of [
    ["SET application_name = 'order-service'", 'new'],
    ['RESET application_name', 'old'],
    ["SELECT set_config('application_name', 'order-service', false)", 'new'],
    ['DISCARD ALL', 'old'],
    ["SET application_name = ''", 'new'],
    ['SET application_name TO DEFAULT', 'old'],
  ] as const) {
    await ask(client, sql);
    t.equal(await reads(client), where, sql);
    t.equal(await readsSimply(client), where, `${sql}, by a simple query`);
  }
});

t.test('application_name for a transaction, and rolled back', async (t) => {
  const client = await asService('billing');
  await ask(client, 'BEGIN');
  await ask(client, "SET LOCAL application_name = 'order-service'");
  t.equal(await reads(client), 'old', 'a transaction under way reads on where it did');
  await ask(client, 'COMMIT');
  t.equal(await reads(client), 'old', 'it was for the transaction');
  await ask(client, 'BEGIN');
  await ask(client, "SET application_name = 'order-service'");
  await ask(client, 'ROLLBACK');
  t.equal(await reads(client), 'old', 'undone');
  await ask(client, 'BEGIN');
  await ask(client, "SET application_name = 'order-service'");
  await ask(client, 'COMMIT');
  t.equal(await reads(client), 'new', 'committed');
});

t.test('the log names the service of the moment', async (t) => {
  const client = await asService('first-name');
  await ask(client, "SET application_name = 'second-name'");
  t.match(await failure(ask(client, 'SELECT 1 FROM users, ledger')), { code: '0A000' });
  await until(() => /"service":"second-name"/.test(shop.pgfig.logs()), 'a line of the log with the new name');
});

t.test('what a transaction has written, it reads where it is written', async (t) => {
  for (const write of [
    "UPDATE orders SET note = 'mine' WHERE id = 1",
    'SELECT 1 FROM orders WHERE id = 1 FOR UPDATE',
    'SELECT touches_orders()',
    "MERGE INTO orders o USING (VALUES (1)) v(id) ON o.id = v.id WHEN MATCHED THEN UPDATE SET note = 'mine'",
    "WITH w AS (UPDATE orders SET note = 'mine' WHERE id = 1 RETURNING id) SELECT id FROM w",
  ]) {
    for (const read of [reads, readsSimply]) {
      const client = await asService('order-service');
      await ask(client, 'BEGIN');
      await ask(client, write);
      const note = await read(client);
      t.ok(note === 'mine' || note === 'old', `${write}: ${note}`);
      await ask(client, 'SAVEPOINT a');
      await ask(client, 'ROLLBACK TO a');
      t.equal(await read(client), note, 'and after a savepoint');
      await ask(client, 'ROLLBACK');
      t.equal(await read(client), 'new', 'the next one reads from the new database again');
      await client.end();
    }
  }
});

t.test('a chained transaction begins afresh', async (t) => {
  const client = await asService('order-service');
  for (const [end, protocol] of [
    ['COMMIT AND CHAIN', []],
    ['ROLLBACK AND CHAIN', []],
    ['COMMIT AND CHAIN', null],
  ] as const) {
    const run = (sql: string): Promise<unknown> =>
      protocol === null ? client.query(sql) : client.query({ text: sql, values: [...protocol] });
    await run('BEGIN');
    await run('UPDATE orders SET user_id = 1 WHERE id = 1');
    t.equal(await reads(client), 'old');
    await run(end);
    t.equal(await reads(client), 'new', end);
    await run('COMMIT');
  }
});

t.test('read in the new database first, then written in the old one', async (t) => {
  const client = await asService('order-service');
  await ask(client, 'BEGIN');
  t.equal(await reads(client), 'new');
  await ask(client, "UPDATE orders SET note = 'changed' WHERE id = 2");
  t.equal(await value(client, 'SELECT note FROM orders WHERE id = 2'), 'changed', 'its own write is seen');
  t.equal(await value(client, 'SELECT name FROM users WHERE id = 1'), 'Ada');
  await ask(client, 'COMMIT');
  t.strictSame(await shop.inMonolith('SELECT note FROM orders WHERE id = 2'), [{ note: 'changed' }]);
  t.strictSame(
    await shop.inOrders('SELECT note FROM orders WHERE id = 2'),
    [{ note: 'new' }],
    'the copy took no write',
  );
  await shop.inMonolith("UPDATE orders SET note = 'old'");
});

t.test('the copy that took part becomes READ ONLY: what a function writes there unseen fails', async (t) => {
  await shop.inOrders(`CREATE OR REPLACE FUNCTION hidden() RETURNS int LANGUAGE plpgsql VOLATILE AS
    $$ BEGIN INSERT INTO audit VALUES (9); RETURN 1; END $$;
    CREATE OR REPLACE VIEW orders_and_more AS SELECT id, hidden() AS h FROM orders`);
  const client = await asService('order-service');
  await ask(client, 'BEGIN');
  t.equal(await reads(client), 'new');
  await ask(client, "UPDATE orders SET note = 'changed' WHERE id = 2");
  await ask(client, 'ROLLBACK');
  t.strictSame(await shop.inOrders('SELECT * FROM audit'), []);
});

t.test('the implicit transaction of a pipeline, and of a query string', async (t) => {
  const client = await asService('order-service');
  const inString = (await client.query(
    "UPDATE orders SET note = 'mine' WHERE id = 1; SELECT note FROM orders WHERE id = 1",
  )) as unknown as pg.QueryResult<{ note: string }>[];
  t.equal(inString[1]?.rows[0]?.note, 'mine', 'read in the string that wrote it');
  t.equal(await reads(client), 'new');
  const before = (await client.query(
    "SELECT note FROM orders WHERE id = 1; UPDATE orders SET note = 'old' WHERE id = 1",
  )) as unknown as pg.QueryResult<{ note: string }>[];
  t.equal(before[0]?.rows[0]?.note, 'mine', 'a string that writes reads where it writes');
  const both = (await client.query(
    'SELECT note FROM orders WHERE id = 1; SELECT name FROM users WHERE id = 1',
  )) as unknown as pg.QueryResult<{ note?: string; name?: string }>[];
  t.equal(both[0]?.rows[0]?.note, 'old', 'one database that serves all of it is preferred to two');
});

t.test(
  'a pipeline of the extended protocol: one transaction up to Sync, whichever order its messages come in',
  async (t) => {
    const { host, port } = shop.pgfig;
    const client = await WireClient.connect({ host, port, user: 'postgres', database: 'shop' });
    t.teardown(() => client.end());
    const told = async (...messages: string[]): Promise<string[]> => {
      await client.send(messages.map(parseSend));
      const lines = (await client.until('ReadyForQuery')).map(({ line }) => line);
      return lines.filter((line) => line.startsWith('DataRow') || line.startsWith('Error'));
    };
    await told('Startup {"user": "postgres", "database": "shop", "application_name": "order-service"}');
    const run = (statement: string): string[] => [`Bind "" "${statement}" []`, 'Execute "" 0'];
    await told(`Parse "r" "${READ}" []`, 'Parse "w" "UPDATE orders SET note = \'mine\' WHERE id = 1" []', 'Sync');
    t.strictSame(await told(...run('r'), ...run('w'), ...run('r'), 'Sync'), ['DataRow "new"', 'DataRow "mine"']);
    t.strictSame(await told(...run('r'), 'Sync'), ['DataRow "new"'], 'over with Sync');
    t.strictSame(
      await told(...run('w'), `Parse "" "${READ}" []`, 'Bind "" "" []', 'Execute "" 0', 'Sync', ...run('r'), 'Sync'),
      ['DataRow "mine"'],
      'by a statement that is parsed after it',
    );
    t.strictSame(await told(), ['DataRow "new"'], 'the second pipeline of the same packet');
    t.strictSame(
      await told('Parse "" "BEGIN" []', 'Bind "" "" []', 'Execute "" 0', ...run('w'), ...run('r'), 'Sync'),
      ['DataRow "mine"'],
      'with BEGIN',
    );
    t.strictSame(await told(...run('r'), 'Sync'), ['DataRow "mine"'], 'the block goes on');
    t.strictSame(
      await told('Parse "" "ROLLBACK" []', 'Bind "" "" []', 'Execute "" 0', ...run('r'), 'Sync'),
      ['DataRow "new"'],
      'and ends within a pipeline',
    );
    t.strictSame(await told(...run('w'), 'Parse "" "BEGIN" []', 'Bind "" "" []', 'Execute "" 0', ...run('r'), 'Sync'), [
      'DataRow "mine"',
    ]);
    await told('Query "ROLLBACK"');
    await shop.inMonolith("UPDATE orders SET note = 'old'");
  },
);

t.test('one snapshot for a whole transaction: reads stay with the database that is authoritative', async (t) => {
  const client = await asService('order-service');
  const inBlock = async (...sql: string[]): Promise<unknown> => {
    for (const one of sql) await ask(client, one);
    const note = [await reads(client), await readsSimply(client)];
    t.equal(await value(client, 'SELECT name FROM users WHERE id = 1'), 'Ada', 'the monolith takes part');
    await ask(client, 'COMMIT');
    return note.join(' ');
  };
  t.equal(await inBlock('BEGIN ISOLATION LEVEL REPEATABLE READ'), 'old old');
  t.equal(await inBlock('START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY'), 'old old');
  t.equal(await inBlock('BEGIN', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'), 'old old');
  t.equal(await inBlock('BEGIN', "SET LOCAL transaction_isolation = 'repeatable read'"), 'old old');
  t.equal(await inBlock('BEGIN ISOLATION LEVEL READ COMMITTED'), 'new new');
  t.equal(await inBlock('BEGIN', 'SAVEPOINT a'), 'new new');
  for (const sql of [
    'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    "SET default_transaction_isolation = 'repeatable read'",
    "SELECT set_config('default_transaction_isolation', 'serializable', false)",
  ]) {
    await ask(client, sql);
    t.equal(await inBlock('BEGIN'), 'old old', sql);
    t.equal(await inBlock('BEGIN ISOLATION LEVEL READ COMMITTED'), 'new new', 'the transaction says otherwise');
    await ask(client, 'RESET default_transaction_isolation');
    t.equal(await inBlock('BEGIN'), 'new new', 'reset');
  }
});

t.test('the level that a database begins with', async (t) => {
  await shop.inMonolith("ALTER DATABASE shop SET default_transaction_isolation = 'repeatable read'");
  t.teardown(() => shop.inMonolith('ALTER DATABASE shop RESET default_transaction_isolation'));
  const client = await asService('order-service');
  await ask(client, 'BEGIN');
  t.equal(await reads(client), 'old');
  await ask(client, 'COMMIT');
  await ask(client, "SET default_transaction_isolation = 'read committed'");
  t.equal(await reads(client), 'new');
  await ask(client, 'RESET ALL');
  t.equal(await reads(client), 'old');
});

t.test('a prepared statement goes to and fro', async (t) => {
  const client = await asService('order-service');
  const named = async (): Promise<unknown> =>
    ((await client.query({ name: 'q', text: READ, values: [] })).rows[0] as { note: string }).note;
  t.equal(await named(), 'new');
  await ask(client, 'BEGIN');
  await ask(client, 'UPDATE orders SET user_id = user_id WHERE id = 1');
  t.equal(await named(), 'old');
  await ask(client, 'COMMIT');
  t.equal(await named(), 'new');
});

t.test('a percentage is one of sessions, and each keeps to its side', async (t) => {
  const rule = { database: 'orders_db', tables: ['public.orders'], phase: 'read-new', mirror: { capture: 'none' } };
  const clients = await Promise.all(Array.from({ length: 40 }, () => asService('billing')));
  const all = (): Promise<unknown[]> => Promise.all(clients.map(reads));
  const held = clients[0] as pg.Client;
  await ask(held, 'BEGIN');
  t.equal(await reads(held), 'old');
  await shop.pgfig.writeRule('orders', { ...rule, reads: { new: '50%' } });
  await until(async () => (await all()).slice(1).includes('new'), 'half of the sessions');
  t.equal(await reads(held), 'old', 'a transaction keeps what it has');
  const once = await all();
  t.ok(once.includes('old'), 'not all of them');
  for (let i = 0; i < 5; i++) t.strictSame(await all(), once, 'the same ones');
  await shop.pgfig.writeRule('orders', { ...rule, reads: { new: '100%' } });
  await until(async () => (await all()).slice(1).every((note) => note === 'new'), 'all of them');
  t.equal(await reads(held), 'old', 'a transaction keeps what it has');
  await ask(held, 'COMMIT');
  t.equal(await reads(held), 'new');
  await shop.pgfig.writeRule('orders', { ...rule, reads: { new: '0%' } });
  await until(async () => (await all()).every((note) => note === 'old'), 'none of them');
  await shop.pgfig.writeRule('orders', rule);
  await until(async () => (await all()).every((note) => note === 'new'), 'all, as nothing else is said');
});
