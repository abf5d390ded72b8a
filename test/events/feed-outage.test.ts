import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { installMirror } from '../../src/mirror/capture/install.js';
import { DEFAULT_MIRROR } from '../../src/mirror/mirror.js';
import { startKafka } from '../support/kafka.js';
import { startPostgres } from '../support/postgres.js';
import { compacted, feeding, NUMBERED, nOf, readTopics, startWorld, WAITING } from './events-support.js';

const { kafka, missing } = await startKafka({ own: true });
const needsKafka = { skip: missing ?? false };
const source = await startPostgres({ version: 15 });
const target = await startPostgres();

t.test('what is not to be sent stalls its table, and no other', needsKafka, async (t) => {
  if (kafka === null) return;
  const both = `${NUMBERED.schema}; CREATE TABLE big (id int PRIMARY KEY, pad text)`;
  const rule = { events: { per: 'table' } };
  const names = { 'orders.public.orders': 1, 'orders.public.big': 1 };
  const options = { schema: both, tables: [...NUMBERED.tables, 'public.big'], topics: names, rule };
  const world = await startWorld(t, kafka, source, target, options);
  await feeding(world);
  const reader = await readTopics(
    t,
    kafka.client(),
    Object.keys(names).map((name) => world.prefix + name),
  );
  await world.sql("INSERT INTO big VALUES (1, repeat('x', 2000000)); INSERT INTO orders VALUES (1, 1)");
  await reader.until((all) => nOf(all, 1).length === 1, 'the other table goes on');
  const stalled = 'pgfig_events_stalled{domain="orders",kind="changes",table="public.big"}';
  await world.pgfig.until(async () => (await world.metric(stalled)) === 1, 'it is told as a metric');
  t.match(world.pgfig.logs(), /"table":"public.big".*larger than the max.*key .{1,9}id.{1,9}1.*, 20000\d\d bytes/);
  await world.sql("INSERT INTO big VALUES (2, 'small'); INSERT INTO orders VALUES (2, 1)");
  await reader.until((all) => nOf(all, 2).length === 1, 'the other table still goes on');
  const answer = await fetch(`http://127.0.0.1:${world.pgfig.adminPort}/api/status`);
  t.match(await answer.json(), { events: [{ domain: 'orders', stalled: [{ table: 'public.big' }] }] });
  t.notOk(
    reader.messages.some(({ headers }) => headers.table === 'public.big'),
    'nothing is skipped',
  );
  await world.sql("UPDATE big SET pad = 'short' WHERE id = 1");
  await world.pgfig.stop();
  await world.another();
  await reader.until(
    (all) => all.filter(({ headers }) => headers.table === 'public.big').length === 2,
    'once it is mended',
  );
  await world.pgfig.until(
    async () => (await world.sql("SELECT FROM pgfig.consumers WHERE consumer LIKE 'kafka:%'")).length === 0,
    'it goes with the others again',
  );
});

t.test('the broker is away: nothing is lost, and a backlog goes in bounded turns', needsKafka, async (t) => {
  if (kafka === null) return;
  const world = await startWorld(t, kafka, source, target, { ...NUMBERED, rule: { events: {} } });
  await feeding(world);
  await world.sql('INSERT INTO orders VALUES (1, 0)');
  const before = await readTopics(t, kafka.client(), [`${world.prefix}orders`]);
  await before.until((all) => all.length === 1, 'the first');
  await kafka.kill();
  for (let turn = 0; turn < 5; turn++) {
    await world.sql(
      'INSERT INTO orders SELECT g, $1 FROM generate_series(2, 3001) g ON CONFLICT (id) DO UPDATE SET n = $1',
      [turn],
    );
  }
  await world.pgfig.until(async () => (await world.metric(WAITING)) === 15_000, 'it waits');
  const late = 'pgfig_events_lag_seconds{domain="orders",kind="changes"}';
  await world.pgfig.until(async () => Number(await world.metric(late)) > 0, 'it is late');
  const failures = 'pgfig_events_failures_total{domain="orders",kind="changes"}';
  await world.pgfig.until(async () => Number(await world.metric(failures)) > 0, 'a try has failed');
  await kafka.restart();
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`]);
  await reader.until((all) => compacted(all).size === 3_001 && nOf(all, 3_001).includes(4), 'all of it');
  await world.pgfig.until(async () => (await world.metric(WAITING)) === 0, 'nothing waits any more');
  const view = compacted(reader.messages);
  const rows = await world.sql('SELECT id, row_to_json(o)::text AS row FROM orders o');
  t.strictSame(
    rows.filter(({ id, row }) => view.get(`{"table":"public.orders","key":{"id":${id}}}`) !== row),
    [],
  );
  t.match(world.pgfig.logs(), /events go on/);
});

t.test('a table leaves the rule while the broker is away: what it wrote before is sent', needsKafka, async (t) => {
  if (kafka === null) return;
  const schema = `${NUMBERED.schema}; CREATE TABLE lines (id int PRIMARY KEY, n int NOT NULL)`;
  const tables = [...NUMBERED.tables, 'public.lines'];
  const world = await startWorld(t, kafka, source, target, {
    schema,
    tables,
    topics: { orders: 1 },
    rule: { events: {} },
  });
  await feeding(world);
  await kafka.kill();
  await world.sql('INSERT INTO lines VALUES (1, 1), (2, 1); INSERT INTO orders VALUES (1, 1)');
  const without = { database: 'orders_db', tables: NUMBERED.tables, phase: 'dual-write', events: {} };
  await world.pgfig.writeRule('orders', without);
  const ofLines = `SELECT table_name FROM pgfig.captured WHERE table_name = 'public.lines'`;
  const triggers = `SELECT FROM pg_trigger WHERE tgrelid = 'lines'::regclass AND NOT tgisinternal`;
  await world.pgfig.until(async () => (await world.sql(triggers)).length === 0, 'it is recorded no longer');
  await world.sql('INSERT INTO lines VALUES (3, 1)');
  const loaded = loadConfig(world.pgfig.configFile);
  const sides = { domain: 'orders', source: 'monolith', target: 'orders_db', phase: 'dual-write' } as const;
  const mirror = { ...sides, tables: NUMBERED.tables, rule: DEFAULT_MIRROR };
  await installMirror(loaded, mirror);
  t.equal((await world.sql(ofLines)).length, 1, 'an install keeps what is to be sent');
  await kafka.restart();
  const reader = await readTopics(t, kafka.client(), [`${world.prefix}orders`]);
  await reader.until((all) => all.filter(({ headers }) => headers.table === 'public.lines').length === 2, 'its rows');
  await world.pgfig.until(async () => (await world.metric(WAITING)) === 0, 'its position has moved');
  const steps: string[] = [];
  await installMirror(loaded, mirror, { onStep: ({ kind, table }) => void steps.push(`${kind} ${table}`) });
  t.strictSame(steps, ['released public.lines']);
  t.strictSame(await world.sql(ofLines), []);
  await world.sql('INSERT INTO orders VALUES (2, 1)');
  await reader.until((all) => nOf(all, 2).length > 0, 'the others go on');
  t.equal(reader.messages.filter(({ headers }) => headers.table === 'public.lines').length, 2);
});

t.test('without events: in the rule, nothing is kept for them', needsKafka, async (t) => {
  if (kafka === null) return;
  const world = await startWorld(t, kafka, source, target, { ...NUMBERED, rule: { events: {} } });
  await feeding(world);
  await world.pgfig.writeRule('orders', { database: 'orders_db', tables: NUMBERED.tables, phase: 'dual-write' });
  await world.pgfig.until(
    async () => (await world.sql('SELECT FROM pgfig.consumers')).length === 0,
    'the position is gone',
  );
});
