import pg from 'pg';
import t from 'tap';
import { startKafka } from '../support/kafka.js';
import { startPostgres } from '../support/postgres.js';
import { makeTopic, type Read, readTopics, startWorld } from './events-support.js';

const { kafka, missing } = await startKafka();
const needsKafka = { skip: missing ?? false };
const source = await startPostgres({ version: 15 });
const target = await startPostgres();
const base = { tables: ['public.orders'], phase: 'monolith' };
const orders = 'CREATE TABLE orders (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)';
const OUTBOX = 'aggregatetype text NOT NULL, aggregateid text NOT NULL, type text NOT NULL, payload jsonb';

const withoutRepeats = (messages: readonly Read[]): readonly Read[] => {
  const seen = new Set<string>();
  return messages.filter(({ headers }) => !seen.has(String(headers.id)) && seen.add(String(headers.id)));
};

t.test('20 writers at once: in order per aggregate, exactly what committed', needsKafka, async (t) => {
  if (kafka === null) return;
  const schema = `${orders}; CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ${OUTBOX})`;
  const topic = 'outbox.event.order';
  const rule = { outbox: { tables: ['public.outbox'] } };
  const world = await startWorld(t, kafka, source, target, { ...base, schema, rule, topics: { [topic]: 3 } });
  const reader = await readTopics(t, kafka.client(), [world.prefix + topic]);
  await world.sql('INSERT INTO orders SELECT generate_series(1, 5)');
  const writers = Array.from({ length: 20 }, async (_, writer) => {
    const client = new pg.Client({ connectionString: source.url(world.from) });
    await client.connect();
    for (let i = 0; i < 25; i++) {
      const id = 1 + ((writer + i) % 5);
      await client.query('BEGIN');
      // The transaction id is taken here, before the transaction waits for the aggregate.
      await client.query('SELECT pg_current_xact_id()');
      const { rows } = await client.query<{ n: number }>('UPDATE orders SET n = n + 1 WHERE id = $1 RETURNING n', [id]);
      await client.query(
        "INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', $1, 'counted', $2)",
        [id, { n: rows[0]?.n }],
      );
      await client.query((writer + i) % 4 === 0 ? 'ROLLBACK' : 'COMMIT');
    }
    await client.end();
  });
  await Promise.all(writers);
  const rows = await world.sql('SELECT id, n FROM orders ORDER BY id');
  const total = rows.reduce((sum, { n }) => sum + Number(n), 0);
  await reader.until((all) => withoutRepeats(all).length >= total, 'all events');
  await world.pgfig.until(async () => (await world.sql('SELECT FROM outbox')).length === 0, 'they are taken out');
  for (const { id, n } of rows) {
    const seen = withoutRepeats(reader.messages).filter(({ key }) => key === String(id));
    t.strictSame(
      seen.map(({ value }) => (JSON.parse(String(value)) as { n: number }).n),
      Array.from({ length: Number(n) }, (_, at) => at + 1),
    );
  }
  t.match(reader.messages[0]?.headers, {
    type: 'counted',
    aggregatetype: 'order',
    table: 'public.outbox',
    domain: 'orders',
  });
});

t.test(
  'names of columns, marks in place of deletes, bytes, envelope, an order that cannot be told',
  needsKafka,
  async (t) => {
    if (kafka === null) return;
    const schema = `${orders};
    CREATE TABLE sent (seq bigserial PRIMARY KEY, uid uuid NOT NULL DEFAULT gen_random_uuid(), kind text, who text, what text,
                       body bytea, done timestamptz);
    CREATE TABLE unordered (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), ${OUTBOX});`;
    const columns = {
      id: 'uid',
      aggregateType: 'kind',
      aggregateId: 'who',
      type: 'what',
      payload: 'body',
      sentAt: 'done',
    };
    const rule = {
      outbox: {
        tables: ['public.sent'],
        columns,
        after: 'mark',
        topic: 'app.{aggregatetype}',
        envelope: 'cloudevents',
      },
    };
    const world = await startWorld(t, kafka, source, target, { ...base, schema, rule, topics: { 'app.a_b': 1 } });
    const reader = await readTopics(t, kafka.client(), [`${world.prefix}app.a_b`]);
    await world.sql(
      `INSERT INTO sent (kind, who, what, body) VALUES ('a b', 'k', 'one', '\\x00ff'), ('a b', 'k', 'two', NULL)`,
    );
    await reader.until((all) => all.length >= 2, 'both');
    await world.pgfig.until(
      async () => (await world.sql('SELECT FROM sent WHERE done IS NOT NULL')).length === 2,
      'both are marked',
    );
    const [uid] = await world.sql("SELECT uid::text FROM sent WHERE what = 'one'");
    t.match(reader.messages[0], {
      key: 'k',
      headers: { id: String(uid?.uid), ce_type: 'one', ce_id: String(uid?.uid), ce_subject: 'k' },
    });
    t.equal(reader.messages[0]?.value, Buffer.from([0, 0xff]).toString('utf8'));
    t.equal(reader.messages[1]?.value, null);

    await world.pgfig.writeRule('orders', {
      database: 'orders_db',
      tables: base.tables,
      outbox: { tables: ['public.unordered'] },
    });
    await world.sql("INSERT INTO unordered (aggregatetype, aggregateid, type, payload) VALUES ('x', '1', 'one', '{}')");
    await world.pgfig.until(() => /order of the events .* cannot be told/.test(world.pgfig.logs()), 'it is refused');
    t.match(await world.metric('pgfig_events_stalled{domain="orders",kind="outbox",table="public.unordered"}'), 1);
    await makeTopic(kafka, `${world.prefix}outbox.event.x`, 1);
    await world.pgfig.writeRule('orders', {
      ...{ database: 'orders_db', tables: base.tables },
      outbox: { tables: ['public.unordered'], columns: { order: 'xmin' } },
    });
    const next = await readTopics(t, kafka.client(), [`${world.prefix}outbox.event.x`]);
    await next.until((all) => all.length >= 1, 'by transaction ids, as the rule says');
  },
);

t.test('pgfig.publish: with the transaction, for whom it is granted to', needsKafka, async (t) => {
  if (kafka === null) return;
  const rule = { outbox: { publish: true } };
  const topic = 'outbox.event.orders';
  const world = await startWorld(t, kafka, source, target, { ...base, schema: orders, rule, topics: { [topic]: 1 } });
  const reader = await readTopics(t, kafka.client(), [world.prefix + topic]);
  await world.pgfig.until(
    async () => (await world.sql("SELECT FROM pg_proc WHERE proname = 'publish'")).length === 1,
    'the function is there',
  );
  const role = `app_${process.pid}`;
  await world.sql(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA pgfig TO ${role}`);
  const app = new pg.Client({ connectionString: source.url(world.from).replace('//postgres:', `//${role}:`) });
  await app.connect();
  t.teardown(() => app.end());
  const call = "SELECT pgfig.publish('order.paid', '7', '{\"total\": 12345678901234567890.10}') AS id";
  await t.rejects(app.query(call), { code: '42501' });
  await world.sql(`GRANT EXECUTE ON FUNCTION pgfig.publish(text, text, jsonb) TO ${role}`);
  await app.query(`BEGIN; ${call}; ROLLBACK`);
  const { rows } = await app.query<{ id: string }>(call);
  await t.rejects(app.query('SELECT FROM pgfig.published'), { code: '42501' }, 'and no more than that');
  await reader.until((all) => all.length >= 1, 'the event');
  t.match(reader.messages[0], {
    key: '7',
    value: '{"total": 12345678901234567890.10}',
    headers: { id: String(rows[0]?.id), type: 'order.paid', aggregatetype: 'orders' },
  });
  await world.pgfig.until(async () => (await world.sql('SELECT FROM pgfig.published')).length === 0, 'it is taken out');
  t.equal(withoutRepeats(reader.messages).length, 1);
});
