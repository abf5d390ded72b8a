import t from 'tap';
import { parseSend } from '../../conversations/encode.js';
import { WireClient } from '../../conversations/wire-client.js';
import { failure, statusOf, until } from '../two-databases.js';
import { alike, startMirroredShop, TABLES } from './mirrored-shop.js';

const shop = await startMirroredShop();
// The same tables without a proxy: what a client is to be answered.
await shop.monolith.query('CREATE DATABASE bare');
await shop.monolith.query(`${TABLES} CREATE TABLE users (id int PRIMARY KEY, name text);`, 'bare');

t.test('parameters in text and binary, named and unnamed statements', async (t) => {
  const client = await shop.connect();
  const insert = 'INSERT INTO orders (id, note, raw, tags, mood) VALUES ($1, $2, $3, $4, $5) RETURNING id';
  for (let id = 100; id < 103; id++) {
    const values = [id, `n${id}`, Buffer.from([0, 255, id]), ['a', 'b,c', '"'], 'happy'];
    t.match(await client.query({ name: 'ins', text: insert, values }), { rows: [{ id }], rowCount: 1 });
  }
  t.match(await client.query('UPDATE orders SET note = note || $1 WHERE id = $2', ['+', 100]), { rowCount: 1 });
  t.match(await client.query('UPDATE orders SET n = $1 WHERE id = ANY($2)', [3, [100, 101]]), { rowCount: 2 });
  t.match(await client.query('UPDATE orders SET note = $1 WHERE id = $2', [null, 102]), { rowCount: 1 });
  t.equal(await statusOf(client), 'I');
  t.equal((await alike(t, shop, 'all of it')).length, 5);
  t.strictSame(await shop.divergences(), {});
});

t.test('transactions, savepoints and errors by the extended protocol', async (t) => {
  const client = await shop.connect();
  const run = (text: string, values: unknown[] = []): Promise<unknown> => client.query({ text, values });
  await run('BEGIN');
  await run('INSERT INTO orders (id) VALUES ($1)', [110]);
  await run('SAVEPOINT a');
  t.match(await failure(run('INSERT INTO orders (id) VALUES ($1)', [110])), { code: '23505' });
  await run('ROLLBACK TO a');
  await run('INSERT INTO orders (id) VALUES ($1)', [111]);
  await run('COMMIT');
  await run('BEGIN');
  await run('INSERT INTO orders (id) VALUES ($1)', [112]);
  await run('ROLLBACK');
  const rows = await alike(t, shop, 'both');
  t.strictSame(
    [110, 111, 112].map((id) => rows.some((row) => row.startsWith(`(${id},`))),
    [true, true, false],
  );
  for (let i = 0; i < 3; i++) {
    for (const text of ['BEGIN', 'UPDATE orders SET n = n + 1 WHERE id = 110', 'COMMIT']) {
      await client.query({ name: text.slice(0, 6), text, values: [] });
    }
  }
  t.ok((await alike(t, shop, 'prepared BEGIN and COMMIT')).some((row) => row.startsWith('(110,,3')));
  t.strictSame(await shop.divergences(), {});
});

/** Sends the lines, and reads the answers until as many ReadyForQuery have come as Query and Sync were sent. */
async function play(client: WireClient, lines: readonly string[]): Promise<string[]> {
  await client.send(lines.map(parseSend));
  const ready = lines.filter((line) => /^(Query|Sync)/.test(line)).length;
  return (await client.until('ReadyForQuery', ready)).map(({ line }) => line);
}

const bound = (sql: string, values: string, portal = ''): string[] => [
  `Parse "" ${JSON.stringify(sql)} []`,
  `Bind "${portal}" "" ${values}`,
  `Execute "${portal}" 0`,
];

const CONVERSATIONS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'a pipeline is one transaction': [
    [
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["200"]'),
      ...bound('UPDATE orders SET n = 4 WHERE id = $1', '["200"]'),
      'Sync',
    ],
  ],
  'an error takes the whole pipeline along': [
    [
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["201"]'),
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["1"]'),
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["202"]'),
      'Sync',
    ],
    ['Query "SELECT count(*) FROM orders WHERE id IN (201, 202)"'],
  ],
  'an error in what is not mirrored does too': [
    [...bound('INSERT INTO orders (id) VALUES ($1)', '["203"]'), ...bound('SELECT 1/$1::int', '["0"]'), 'Sync'],
  ],
  'pipelines behind each other': [
    [
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["204"]'),
      'Sync',
      ...bound('INSERT INTO users VALUES ($1, $2)', '["1", "Ada"]'),
      'Sync',
      ...bound('DELETE FROM orders WHERE id = $1 RETURNING id, note', '["204"]'),
      'Sync',
    ],
  ],
  'BEGIN and COMMIT within a pipeline': [
    [
      ...bound('BEGIN', '[]'),
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["205"]'),
      ...bound('COMMIT', '[]'),
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["206"]'),
      'Sync',
    ],
    [
      ...bound('BEGIN', '[]'),
      ...bound('DELETE FROM orders WHERE id = $1', '["205"]'),
      ...bound('ROLLBACK', '[]'),
      'Sync',
    ],
  ],
  'BEGIN in the middle of a pipeline': [
    [
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["207"]'),
      ...bound('BEGIN', '[]'),
      ...bound('INSERT INTO orders (id) VALUES ($1)', '["208"]'),
      'Sync',
    ],
    ['Query "ROLLBACK"'],
    ['Query "SELECT count(*) FROM orders WHERE id IN (207, 208)"'],
  ],
  'Describe and RETURNING, a portal in parts': [
    [
      'Parse "many" "INSERT INTO orders (id, note) SELECT i, $1 FROM generate_series(210, 214) i RETURNING id" []',
      'Describe "S" "many"',
      'Bind "p" "many" ["x"]',
      'Describe "P" "p"',
      'Execute "p" 2',
      'Execute "p" 2',
      'Execute "p" 0',
      'Close "P" "p"',
      'Close "S" "many"',
      'Sync',
    ],
  ],
  'binary parameters': [
    [
      'Parse "" "INSERT INTO orders (id, raw) VALUES ($1, $2)" [23, 17]',
      'Bind "" "" [{"hex":"00 00 00 dc"}, {"hex":"00 ff 10"}] [1]',
      'Execute "" 0',
      'Sync',
    ],
  ],
  'a Query behind a pipeline without Sync': [
    [...bound('INSERT INTO orders (id) VALUES ($1)', '["223"]'), 'Query "SELECT 1"'],
    [...bound('INSERT INTO orders (id) VALUES ($1)', '["224"]'), 'Query "SELECT 1/0"'],
  ],
  'queries behind each other': [
    [
      'Query "INSERT INTO orders (id) VALUES (230)"',
      'Query "UPDATE orders SET n = 1 WHERE id = 230"',
      'Query "INSERT INTO orders (id) VALUES (230)"',
      'Query "SELECT n FROM orders WHERE id = 230"',
      'Query "BEGIN"',
      'Query "DELETE FROM orders WHERE id = 230"',
      'Query "ROLLBACK"',
    ],
  ],
  'a statement in a failed transaction': [
    ['Query "BEGIN"', 'Query "SELECT 1/0"', 'Query "UPDATE orders SET n = 9 WHERE id = 1"', 'Query "COMMIT"'],
    [...bound('BEGIN', '[]'), ...bound('SELECT 1/0', '[]'), 'Sync'],
    [...bound('UPDATE orders SET n = 9 WHERE id = 1', '[]'), 'Sync', ...bound('ROLLBACK', '[]'), 'Sync'],
  ],
  'COPY by the simple protocol': [
    [
      'Query "COPY orders (id, note) FROM STDIN"',
      'CopyData "300\\tcopied\\n"',
      'CopyData "301\\t\\\\N\\n"',
      'CopyDone',
    ],
    ['Query "SELECT count(*) FROM orders WHERE id >= 300"'],
    ['Query "COPY orders (id) FROM STDIN"', 'CopyData "302\\n"', 'CopyFail "changed my mind"'],
    ['Query "COPY orders (id) FROM STDIN"', 'CopyData "303\\n1\\n"', 'CopyDone'],
    ['Query "BEGIN"'],
    ['Query "COPY orders (id) FROM STDIN"', 'CopyData "304\\n"', 'CopyDone'],
    ['Query "COMMIT"'],
  ],
  'COPY by the extended protocol': [
    [...bound('COPY orders (id, note) FROM STDIN', '[]'), 'CopyData "310\\tx\\n"', 'CopyDone', 'Sync'],
    [...bound('COPY orders (id, note) FROM STDIN', '[]'), 'CopyData "311\\tx\\n"', 'CopyFail "no"', 'Sync'],
    [...bound('COPY orders (id) FROM STDIN', '[]'), 'CopyData "312\\n1\\n"', 'CopyDone', 'Sync'],
    ['Query "SELECT count(*) FROM orders WHERE id BETWEEN 310 AND 319"'],
  ],
};

for (const [name, steps] of Object.entries(CONVERSATIONS)) {
  t.test(name, async (t) => {
    const before = await shop.divergences();
    const answers: string[][] = [];
    for (const [port, database] of [
      [shop.monolith.port, 'bare'],
      [shop.pgfig.port, 'shop'],
    ] as const) {
      const client = await WireClient.connect({ host: '127.0.0.1', port, user: 'postgres', database });
      await client.send([parseSend(`Startup {"user":"postgres","database":"${database}"}`)]);
      await client.until('ReadyForQuery');
      const lines: string[] = [];
      for (const step of steps) lines.push(...(await play(client, step)));
      answers.push(lines);
      await client.end();
    }
    t.strictSame(answers[1], answers[0], 'answered as without a proxy');
    await alike(t, shop, 'both copies are alike');
    t.strictSame(await shop.divergences(), before, 'and nothing is missing');
  });
}

t.test('user types: their OIDs differ in the copy', async (t) => {
  const oid = async (dbname: string, server = shop.monolith): Promise<number> =>
    Number((await server.query<{ o: number }>("SELECT 'mood'::regtype::oid::int AS o", dbname)).rows[0]?.o);
  const [here, there] = [await oid('shop'), await oid('orders', shop.copy)];
  t.not(here, there);
  const client = await WireClient.connect({
    host: '127.0.0.1',
    port: shop.pgfig.port,
    user: 'postgres',
    database: 'shop',
  });
  await client.send([parseSend('Startup {"user":"postgres","database":"shop"}')]);
  await client.until('ReadyForQuery');
  const lines = await play(client, [
    `Parse "" "UPDATE orders SET mood = $1 WHERE id = $2" [${here}, 23]`,
    'Bind "" "" ["sad", {"hex":"00 00 00 01"}] [0, 1]',
    'Execute "" 0',
    'Sync',
  ]);
  t.ok(lines.includes('CommandComplete UPDATE 1'), lines.join('\n'));
  await client.end();
  t.ok((await alike(t, shop, 'by its own OID there')).some((row) => row.includes('sad')));
});

t.test('refused by name, by the extended protocol', async (t) => {
  const client = await shop.connect();
  await client.query({ text: 'INSERT INTO serials (note) VALUES ($1)', values: ['x'] });
  await client.query({ text: 'SELECT now(), $1::int', values: [1] });
  await client.query('PREPARE p (int) AS UPDATE orders SET n = 5 WHERE id = $1');
  await client.query('EXECUTE p(1)');
  await client.query({ text: 'EXECUTE p(1)', values: [] });
  t.strictSame(await shop.divergences(), { default: 1, execute: 2 });
  await client.query('BEGIN');
  await client.query('UPDATE orders SET n = 6 WHERE id = 1');
  await client.query("PREPARE TRANSACTION 'later'");
  await shop.monolith.query("COMMIT PREPARED 'later'", 'shop');
  t.match(await shop.divergences(), { transaction: 1 });
  await until(() => shop.told().some(({ reason }) => reason === 'transaction'), 'told');
});
