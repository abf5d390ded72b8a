import t from 'tap';
import { describe, query, RawClient } from '../hostile/raw-client.js';
import { startShop, until } from './two-databases.js';

/**
 * A request is answered once, whatever becomes of the databases while it is worked on. A second answer would be taken
 * for the next request's, and every answer after it for the one after that: a COMMIT that is told what an INSERT was.
 */
const shop = await startShop();
const { host, port } = shop.pgfig;

const stopped = new Set<number>();
t.teardown(() => {
  for (const pid of stopped) process.kill(pid, 'SIGCONT');
});

/** The backend hears nothing, and is still there. */
function stop(pid: number): void {
  stopped.add(pid);
  process.kill(pid, 'SIGSTOP');
}

function goOn(pid: number): void {
  stopped.delete(pid);
  process.kill(pid, 'SIGCONT');
}

async function open(): Promise<{ readonly client: RawClient; readonly inUsers: number; readonly inOrders: number }> {
  const client = await RawClient.login({ host, port, dbname: 'shop' } as never);
  const pidOf = async (table: string): Promise<number> =>
    Number((await client.rows(`SELECT pg_backend_pid() FROM ${table} LIMIT 1`))[0]);
  return { client, inUsers: await pidOf('users'), inOrders: await pidOf('orders') };
}

async function ask(client: RawClient, sql: string): Promise<string> {
  client.send(query(sql));
  return (await client.untilReady()).map((message) => describe(message).replace(/ connection to .*/, '')).join(' | ');
}

const lostLinks = (): number => shop.pgfig.logs().split('backend failed').length;

t.test('a link dies while another is asked whether the statement may write there', async (t) => {
  const { client, inUsers, inOrders } = await open();
  for (const sql of ['BEGIN', 'SELECT count(*) FROM orders', 'SELECT count(*) FROM users', 'SAVEPOINT a'])
    t.match(await ask(client, sql), /C \| Z$/);
  stop(inUsers);
  // It waits for the users' backend, with the savepoint, which is to go before it, already held for its own.
  client.send(query("INSERT INTO orders VALUES (300, 1, 'x')"));
  const before = lostLinks();
  await shop.inOrders(`SELECT pg_terminate_backend(${inOrders})`);
  await until(() => lostLinks() > before, 'the loss');
  goOn(inUsers);
  t.match((await client.untilReady()).map(describe).join(' | '), /^E ERROR 08006 [^|]+ \| Z$/);
  t.equal(await ask(client, 'COMMIT'), 'C | Z');
  t.strictSame(await client.rows('SELECT 41 + 1'), ['42'], 'answers and requests are in step');
  t.strictSame(await client.rows('SELECT 41 + 2'), ['43']);
  t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 300'), []);
  client.vanish();
});

t.test('a link dies while what resets a session is repeated there', async (t) => {
  const { client, inUsers } = await open();
  stop(inUsers);
  t.match(await ask(client, 'DISCARD ALL'), /^C \| Z$/);
  await shop.inMonolith(`SELECT pg_terminate_backend(${inUsers})`);
  client.send(query('SELECT 41 + 1 FROM orders LIMIT 1'));
  goOn(inUsers);
  const rows = (await client.untilReady())
    .filter(({ type }) => type === 'D')
    .map(({ body }) => body.toString('utf8', 6));
  t.strictSame(rows, ['42']);
  t.strictSame(await client.rows('SELECT 41 + 2 FROM orders LIMIT 1'), ['43']);
  client.vanish();
});
