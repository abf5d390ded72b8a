import t, { type Test } from 'tap';
import { parseSend } from '../conversations/encode.js';
import { WireClient } from '../conversations/wire-client.js';
import { startShop } from './two-databases.js';

/** `orders` has moved; where search_path begins with app, the name means another table, which has not. */
const shop = await startShop({
  inMonolith: `
    CREATE TABLE orders (id int PRIMARY KEY, note text);
    INSERT INTO orders VALUES (1, 'old copy');
    CREATE SCHEMA app;
    CREATE TABLE app.orders (id int, note text);
    INSERT INTO app.orders VALUES (1, 'app');`,
  inOrders: 'CREATE TABLE ledger (id int);',
});

const READ = 'SELECT note FROM orders WHERE id = 1';
const REFUSED = 'SELECT 1 FROM users, public.orders';
const run = (sql: string): string[] => [`Parse "" ${JSON.stringify(sql)} []`, 'Bind "" "" []', 'Execute "" 0'];

/** Rows and errors of one pipeline after the other. */
async function told(client: WireClient, ...pipelines: (readonly string[])[]): Promise<string[][]> {
  const answers: string[][] = [];
  for (const pipeline of pipelines) {
    await client.send([...pipeline, 'Sync'].map(parseSend));
    const lines = (await client.until('ReadyForQuery')).map(({ line }) => line);
    answers.push(lines.filter((line) => line.startsWith('DataRow') || line.startsWith('Error')));
  }
  return answers;
}

async function connect(t: Test): Promise<WireClient> {
  const { host, port } = shop.pgfig;
  const client = await WireClient.connect({ host, port, user: 'postgres', database: 'shop' });
  t.teardown(() => client.end());
  await client.send([parseSend('Startup {"user": "postgres", "database": "shop"}')]);
  await client.until('ReadyForQuery');
  return client;
}

const MOVED = ['DataRow "tea"'];

t.test('search_path for the time of a pipeline ends with it', async (t) => {
  const local = "SELECT 'set' || left(set_config('search_path', 'app, public', true), 0)";
  for (const how of ['alone', 'with a use'] as const) {
    const client = await connect(t);
    const [set, after, again] = await told(
      client,
      how === 'alone' ? run(local) : [...run(local), ...run(READ)],
      run(READ),
      run(READ),
    );
    t.strictSame(set, how === 'alone' ? ['DataRow "set"'] : ['DataRow "set"', 'DataRow "app"'], how);
    t.strictSame([after, again], [MOVED, MOVED], how);
  }
});

t.test('what a pipeline has done before pgfig refuses the rest of it is undone in routes too', async (t) => {
  const firsts = [
    'SET search_path = app, public',
    "SELECT set_config('search_path', 'app, public', false)",
    "SELECT set_config('search_path', 'app, public', true)",
    "CREATE TEMP TABLE orders AS SELECT 1 AS id, 'temp' AS note",
  ];
  for (const first of firsts) {
    const client = await connect(t);
    const [refused, after, again] = await told(client, [...run(first), ...run(REFUSED)], run(READ), run(READ));
    t.match(refused?.at(-1), /0A000/, first);
    t.strictSame([after, again], [MOVED, MOVED], first);
  }
});

t.test('and before an error of the server', async (t) => {
  for (const first of ['SET search_path = app, public', "CREATE TEMP TABLE orders AS SELECT 1 AS id, 'temp' AS note"]) {
    const client = await connect(t);
    const [failed, after] = await told(client, [...run(first), ...run('SELECT 1 / 0')], run(READ));
    t.match(failed?.at(-1), /22012/, first);
    t.strictSame(after, MOVED, first);
  }
});

t.test('BEGIN in the pipeline takes over what was set for its time', async (t) => {
  const client = await connect(t);
  const local = "SELECT 'set' || left(set_config('search_path', 'app, public', true), 0)";
  const [, after] = await told(client, [...run(local), ...run('BEGIN'), ...run(READ), ...run('COMMIT')], run(READ));
  t.strictSame(after, MOVED);
});
