import t from 'tap';
import { startKafka } from '../support/kafka.js';
import { startPostgres } from '../support/postgres.js';
import { compacted, feeding, type Read, readTopics, startWorld } from './events-support.js';

const { kafka, missing } = await startKafka();
const needsKafka = { skip: missing ?? false };
const source = await startPostgres({ version: 15 });
const target = await startPostgres();

const parsed = (read: Read | undefined): unknown => (read?.value == null ? null : JSON.parse(read.value));
const of = (messages: readonly Read[], key: unknown): readonly Read[] =>
  messages.filter((one) => one.key === JSON.stringify(key));

t.test('every changed key arrives with its state, deletes as tombstones', needsKafka, async (t) => {
  if (kafka === null) return;
  const schema = `
    CREATE TABLE orders (id int PRIMARY KEY, state text NOT NULL);
    CREATE TABLE lines (order_id int, line int, sku text, PRIMARY KEY (order_id, line));`;
  const tables = ['public.orders', 'public.lines'];
  const world = await startWorld(t, kafka, source, target, {
    schema,
    tables,
    rule: { events: {} },
    topics: { orders: 1 },
  });
  await feeding(world);
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`]);
  await world.sql("INSERT INTO orders VALUES (1, 'new'), (2, 'new')");
  await world.sql("INSERT INTO lines VALUES (1, 1, 'a''b'), (1, 2, NULL)");
  const order1 = { table: 'public.orders', key: { id: 1 } };
  const line12 = { table: 'public.lines', key: { order_id: 1, line: 2 } };
  await reader.until((all) => all.length >= 4, 'the inserts');
  t.strictSame(parsed(of(reader.messages, order1)[0]), { id: 1, state: 'new' });
  t.strictSame(parsed(of(reader.messages, line12)[0]), { order_id: 1, line: 2, sku: null });
  t.match(of(reader.messages, order1)[0]?.headers, {
    op: 'insert',
    table: 'public.orders',
    domain: 'orders',
    id: /^orders:\d+:\d+$/,
    position: /^\d+:\d+:/,
    time: /^\d{4}-.*Z$/,
  });
  await world.sql("UPDATE orders SET state = 'paid' WHERE id = 1");
  await reader.until((all) => of(all, order1).length === 2, 'the update');
  t.equal(of(reader.messages, order1)[1]?.headers.op, 'update');
  await world.sql('DELETE FROM orders WHERE id = 1');
  await reader.until((all) => of(all, order1).length === 3, 'the delete');
  t.match(of(reader.messages, order1)[2], { value: null, headers: { op: 'delete' } });
  await world.sql('UPDATE orders SET id = 20 WHERE id = 2');
  await reader.until((all) => of(all, { table: 'public.orders', key: { id: 20 } }).length === 1, 'the new key');
  const old = of(reader.messages, { table: 'public.orders', key: { id: 2 } }).at(-1);
  t.match(old, { value: null, headers: { op: 'delete' } }, 'a changed key leaves a tombstone');
  t.equal(new Set(reader.messages.map(({ headers }) => headers.id)).size, reader.messages.length, 'ids are unique');
  await world.pgfig.until(
    async () =>
      (await world.metric('pgfig_events_messages_total{domain="orders",kind="changes"}')) === reader.messages.length,
    'messages are counted',
  );
  t.equal(await world.metric('pgfig_events_leading{domain="orders",kind="changes"}'), 1);
});

t.test('what was rolled back never arrives', needsKafka, async (t) => {
  if (kafka === null) return;
  const schema = 'CREATE TABLE orders (id int PRIMARY KEY)';
  const rule = { events: { per: 'table' } };
  const topic = 'orders.public.orders';
  const world = await startWorld(t, kafka, source, target, {
    schema,
    tables: ['public.orders'],
    rule,
    topics: { [topic]: 1 },
  });
  await feeding(world);
  const reader = await readTopics(t, kafka.client(), [world.prefix + topic]);
  await world.sql('BEGIN; INSERT INTO orders VALUES (1); ROLLBACK');
  await world.sql(
    'BEGIN; INSERT INTO orders VALUES (2); SAVEPOINT s; INSERT INTO orders VALUES (3); ROLLBACK TO s; COMMIT',
  );
  await world.sql('INSERT INTO orders VALUES (4)');
  await reader.until((all) => of(all, { id: 4 }).length === 1, 'the last');
  t.strictSame(
    reader.messages.map(({ key }) => key),
    ['{"id":2}', '{"id":4}'],
  );
});

t.test('values are unharmed, and equal keys have one text', needsKafka, async (t) => {
  if (kafka === null) return;
  const digits = '1234567890123456789012345678901234567890.0123456789';
  const schema = `CREATE EXTENSION hstore; CREATE EXTENSION citext;
    CREATE DOMAIN amount AS numeric;
    CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TYPE pair AS (a numeric, b text);
    CREATE TABLE t (t amount PRIMARY KEY, big int8, num numeric, f float8, j json, jb jsonb, a int[], r tstzrange,
      i interval, b bytea, h hstore, c citext, m mood, p pair, "odd ""name" money, ts timestamptz, g int GENERATED ALWAYS AS (1) STORED);
    CREATE TABLE fixed (id char(5), bits bit(3), f float8, PRIMARY KEY (id, bits, f));`;
  const tables = ['public.t', 'public.fixed'];
  const rule = { events: { per: 'table' } };
  const topics = { 'orders.public.t': 1, 'orders.public.fixed': 1 };
  const world = await startWorld(t, kafka, source, target, { schema, tables, rule, topics });
  await feeding(world);
  const reader = await readTopics(
    t,
    kafka.client(),
    Object.keys(topics).map((topic) => world.prefix + topic),
  );
  await world.sql(`SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Tokyo';
    INSERT INTO t VALUES (1.0, 9223372036854775807, ${digits}, 0.1::float8 + 0.2::float8, '{"a": 1,  "a": 12345678901234567890}',
      '{"n": 12345678901234567890.10}', '[2:3]={1,2}', '[2026-02-01 00:00+00,2026-03-01 00:00+00)', '1 day 2 hours',
      '\\x00ff', 'a=>1, b=>NULL', 'Text', 'good', ROW(${digits}, 'x'), 12.5, '2026-01-01 00:00+00')`);
  await reader.until((all) => all.length === 1, 'the row');
  const [{ key, value } = { key: '', value: '' }] = reader.messages;
  t.equal(key, '{"t":1}');
  for (const part of [
    '"t":1.0,',
    '"big":9223372036854775807,',
    `"num":${digits},`,
    '"f":0.30000000000000004,',
    '"j":{"a": 1,  "a": 12345678901234567890},',
    '"jb":{"n": 12345678901234567890.10},',
    '"a":[1,2],',
    '"r":"[\\"2026-02-01 00:00:00+00\\",\\"2026-03-01 00:00:00+00\\")",',
    '"i":"P1DT2H",',
    '"b":"\\\\x00ff",',
    '"h":{"a": "1", "b": null},',
    '"c":"Text",',
    '"m":"good",',
    `"p":{"a":${digits},"b":"x"},`,
    '"odd \\"name":"$12.50",',
    '"ts":"2026-01-01T00:00:00+00:00",',
    '"g":1',
  ]) {
    t.ok(value?.includes(part), `${part} in ${value}`);
  }
  await world.sql('UPDATE t SET t = 1.00');
  await reader.until((all) => all.length === 2, 'the same key, written otherwise');
  await world.sql('DELETE FROM t');
  await reader.until((all) => all.length === 3, 'its end');
  t.equal(reader.messages[2]?.value, null);
  t.strictSame([...new Set(reader.messages.map((one) => one.key))], ['{"t":1}'], '1.0 and 1.00 are one key');
  await world.sql("INSERT INTO fixed VALUES ('ab', '101', '-0')");
  await reader.until((all) => all.length === 4, 'the row of fixed width');
  t.match(reader.messages[3], {
    key: '{"id":"ab","bits":"101","f":0}',
    value: /^\{"id":"ab {3}","bits":"101","f":-0\}$/,
  });
});

t.test('order per key under load, and the compacted topic equals the table', needsKafka, async (t) => {
  if (kafka === null) return;
  const schema = 'CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL, pad text)';
  const rule = { events: { topic: 'load' } };
  const world = await startWorld(t, kafka, source, target, {
    schema,
    tables: ['public.counters'],
    rule,
    topics: { load: 4 },
  });
  await feeding(world);
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}load`]);
  await world.sql('INSERT INTO counters SELECT g, 0 FROM generate_series(1, 20) g');
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: source.url(world.from) });
    await client.connect();
    for (let i = 0; i < 150; i++) {
      const id = 1 + ((writer * 7 + i * 3) % 20);
      if (i % 50 === 49) await client.query('DELETE FROM counters WHERE id = $1', [100 + writer]);
      else if (i % 25 === 24) {
        await client.query('INSERT INTO counters VALUES ($1, 0) ON CONFLICT (id) DO UPDATE SET n = counters.n + 1', [
          100 + writer,
        ]);
      } else await client.query('UPDATE counters SET n = n + 1 WHERE id = $1', [id]);
    }
    await client.end();
  });
  await Promise.all(writers);
  await world.sql("INSERT INTO counters SELECT g, 0, repeat('x', 3000) FROM generate_series(1000, 8000) g");
  await world.sql("INSERT INTO counters VALUES (9999, 0, 'last')");
  await reader.until((all) => all.some(({ value }) => value?.includes('"last"')), 'the last');
  await world.pgfig.until(
    async () => (await world.metric('pgfig_events_waiting{domain="orders",kind="changes"}')) === 0,
    'nothing waits',
  );
  const rows = await world.sql('SELECT id, row_to_json(c)::text AS row FROM counters c');
  await reader.until((all) => compacted(all).size >= rows.length, 'all rows');
  const view = compacted(reader.messages);
  t.strictSame(
    new Map([...view].toSorted()),
    new Map(
      rows
        .map(({ id, row }): [string, string] => [`{"table":"public.counters","key":{"id":${id}}}`, String(row)])
        .toSorted(),
    ),
  );
  const last = new Map<string, number>();
  for (const { key, value } of reader.messages) {
    if (key === null || value === null || !/:(?:[1-9]|1\d|20)\}\}$/.test(key)) continue;
    const { n } = JSON.parse(value) as { n: number };
    if (n < (last.get(key) ?? -1)) t.fail(`${key}: ${n} after ${last.get(key)}`);
    last.set(key, n);
  }
  t.equal(last.size, 20);
});

t.test('an emptied table is told in every partition, before what is written afterwards', needsKafka, async (t) => {
  if (kafka === null) return;
  const schema = `CREATE TABLE orders (id int PRIMARY KEY);
    CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
    CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);`;
  const tables = ['public.orders', 'public.parted'];
  const world = await startWorld(t, kafka, source, target, {
    schema,
    tables,
    rule: { events: {} },
    topics: { orders: 3 },
  });
  await feeding(world);
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`]);
  await world.sql('INSERT INTO orders SELECT generate_series(1, 30)');
  await reader.until((all) => all.length === 30, 'the rows');
  await world.sql(
    'BEGIN; INSERT INTO orders VALUES (31); TRUNCATE orders; INSERT INTO orders VALUES (5), (40); COMMIT',
  );
  await reader.until((all) => compacted(all).size === 2, 'only what came afterwards is left');
  t.same(
    [...compacted(reader.messages).keys()].toSorted(),
    [5, 40].map((id) => `{"table":"public.orders","key":{"id":${id}}}`).toSorted(),
  );
  const told = reader.messages.filter(({ headers }) => headers.op === 'truncate');
  t.strictSame(told.map(({ partition }) => partition).toSorted(), [0, 1, 2]);
  t.equal(new Set(told.map(({ headers }) => headers.id)).size, 3);
  t.match(told[0], {
    key: '{"table":"public.orders","key":null}',
    value: '{"op":"truncate","table":"public.orders","partition":null}',
  });
  await world.sql('INSERT INTO parted VALUES (1), (101); TRUNCATE parted_2');
  await reader.until((all) => all.some(({ value }) => value?.includes('public.parted_2')), 'the emptied partition');
});

t.test('envelopes', needsKafka, async (t) => {
  if (kafka === null) return;
  const schema = 'CREATE TABLE orders (id int PRIMARY KEY, n numeric)';
  const tables = ['public.orders'];
  const start = async (envelope: string) => {
    const world = await startWorld(t, kafka, source, target, {
      schema,
      tables,
      rule: { events: { envelope } },
      topics: { orders: 1 },
    });
    await feeding(world);
    const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`]);
    await world.sql('INSERT INTO orders VALUES (1, 0.12345678901234567890123)');
    await reader.until((all) => all.length === 1, 'the insert');
    await world.sql('DELETE FROM orders');
    await reader.until((all) => all.at(-1)?.value === null, 'the tombstone');
    await world.pgfig.stop();
    return reader.messages;
  };
  const cloud = await start('cloudevents');
  t.match(cloud[0]?.headers, {
    ce_specversion: '1.0',
    ce_id: String(cloud[0]?.headers.id),
    ce_source: '/pgfig/orders',
    ce_type: 'public.orders.insert',
    ce_subject: '{"table":"public.orders","key":{"id":1}}',
    'content-type': 'application/json',
  });
  t.equal(cloud[0]?.value, '{"id":1,"n":0.12345678901234567890123}');
  const debezium = await start('debezium');
  t.equal(debezium.length, 3);
  t.match(debezium[0]?.value, /^\{"before":null,"after":\{"id":1,"n":0.12345678901234567890123\},/);
  t.match(parsed(debezium[0]), { op: 'c', source: { connector: 'pgfig', table: 'public.orders' } });
  t.match(parsed(debezium[1]), { op: 'd', after: null });
  t.not(debezium[1]?.headers.id, debezium[2]?.headers.id);
});
