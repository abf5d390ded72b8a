import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { captureIsWhole } from '../../src/mirror/capture/capture-table.js';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { DEFAULT_MIRROR } from '../../src/mirror/mirror.js';
import { readShapes } from '../../src/mirror/shape/read-shapes.js';
import { Mirrors } from '../../src/operator/mirror/mirrors.js';
import { SyncSources } from '../../src/operator/mirror/sync-source.js';
import { releaseUnwantedFeeds } from '../../src/operator/mirror/unwanted-feeds.js';
import { buildRuleSet } from '../../src/rules/build.js';
import type { Domain } from '../../src/rules/rule-set.js';
import { startPostgres } from '../support/postgres.js';
import { makePair, type Pair } from './capture-support.js';

const server = await startPostgres({ version: 15 });
const SCHEMA = `
CREATE TABLE orders (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE orders_0 PARTITION OF orders FOR VALUES FROM (0) TO (10);`;

const domainOf = (change: Partial<Domain>): Domain => ({
  ...{ name: 'orders', database: 'orders_db', tables: ['public.orders'], phase: 'dual-write', owner: null },
  ...{ crossDatabase: 'refuse', file: 'orders.yaml' },
  ...change,
});

const rulesOf = (...domains: readonly Partial<Domain>[]) =>
  buildRuleSet(domains.map(domainOf), { defaultDatabase: 'monolith', version: 1 });

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function start(t: Test, pair: Pair, options?: ConstructorParameters<typeof Mirrors>[3]) {
  const paper = new PassThrough();
  const said = { lines: '' };
  paper.on('data', (chunk) => {
    said.lines += String(chunk);
  });
  const mirrors = new Mirrors(pair.config, pino({ level: 'info' }, paper), new SyncSources(() => {}), options);
  t.teardown(() => mirrors.close());
  return { mirrors, said };
}

const captured = async (pair: Pair): Promise<number> =>
  (
    await server.query(
      "SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.pronamespace = to_regnamespace('pgfig')",
      pair.from,
    )
  ).rowCount ?? 0;

t.test('a partition that comes gets its triggers once the relay has stalled the table', async (t) => {
  const pair = await makePair(server, server, SCHEMA, ['public.orders']);
  const { mirrors } = start(t, pair);
  mirrors.update(rulesOf({}));
  await until(() => mirrors.all[0]?.relay.leader != null, 'it leads');
  await server.query("UPDATE pgfig.relay_tables SET state = 'in-step'", pair.to);
  mirrors.all[0]?.relay.leader?.outdated();
  const client = await openMirrorClient(pair.config, 'monolith', 'test');
  t.teardown(() => client.end());
  const whole = async () => {
    const shape = (await readShapes(client, ['public.orders'])).get('public.orders');
    if (shape === undefined) throw new Error('no table');
    return captureIsWhole(client, 1, shape);
  };
  t.same(await whole(), { whole: true, reason: '' });
  const add = 'CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (10) TO (20)';
  await server.query(`BEGIN; ${add}; INSERT INTO orders VALUES (11); COMMIT`, pair.from);
  await until(async () => (await whole()).whole, 'captured');
  t.equal(
    (
      await server.query(
        "SELECT FROM pg_trigger WHERE tgrelid = 'orders_1'::regclass AND tgname = 'pgfig_capture_truncate'",
        pair.from,
      )
    ).rowCount,
    1,
  );
  await server.query('ALTER TABLE orders_1 DISABLE TRIGGER pgfig_capture', pair.from);
  t.match(await whole(), { whole: false, reason: /missing or disabled/ });
});

t.test('a domain that goes back to monolith, or is captured no more, is removed', async (t) => {
  for (const change of [{ phase: 'monolith' }, { mirror: { ...DEFAULT_MIRROR, capture: 'none' } }] as const) {
    const pair = await makePair(server, server, SCHEMA, ['public.orders']);
    const { mirrors, said } = start(t, pair, { graceMs: 0 });
    mirrors.update(rulesOf({}));
    await until(() => mirrors.all[0]?.relay.leader != null, 'it leads');
    mirrors.update(rulesOf({ phase: 'write-new' }));
    await mirrors.look();
    t.ok((await captured(pair)) > 0, 'a phase after the move changes nothing');
    mirrors.update(rulesOf(change));
    await until(async () => (await captured(pair)) === 0, 'removed');
    await until(() => /mirror removed/.test(said.lines), 'told');
    await server.query('INSERT INTO orders VALUES (1)', pair.to);
  }
});

t.test('what was left behind before pgfig began is removed, but not while somebody leads its relay', async (t) => {
  const pair = await makePair(server, server, SCHEMA, ['public.orders']);
  await pair.install();
  const leader = await pair.connect('source');
  await leader.query('SELECT pg_advisory_lock(706466711, 1)');
  const { mirrors, said } = start(t, pair, { graceMs: 0 });
  mirrors.update(rulesOf({ phase: 'monolith' }));
  await mirrors.look();
  t.ok((await captured(pair)) > 0, 'another instance leads');
  const { mirrors: patient } = start(t, pair);
  await leader.end();
  patient.update(rulesOf({ phase: 'monolith' }));
  await patient.look();
  t.ok((await captured(pair)) > 0, 'an edit by mistake can be put right');
  mirrors.update(rulesOf());
  await mirrors.look();
  t.ok((await captured(pair)) > 0, 'there are no rules at all');
  mirrors.update(rulesOf({ name: 'other', tables: ['public.other'], phase: 'monolith' }));
  await until(async () => {
    await mirrors.look();
    return (await captured(pair)) === 0;
  }, 'removed');
  t.match(said.lines, /no rule says in which database/);
});

t.test('what a target keeps that does not answer is removed when it does', async (t) => {
  const copy = await startPostgres();
  const pair = await makePair(server, copy, SCHEMA, ['public.orders']);
  await pair.install();
  const { mirrors, said } = start(t, pair, { graceMs: 0 });
  await copy.stop();
  mirrors.update(rulesOf({ phase: 'monolith' }));
  await until(() => /mirror removed in part/.test(said.lines), 'told');
  t.equal(await captured(pair), 0, 'the source records nothing');
  await mirrors.look();
  await copy.restart();
  const write = () => copy.query('INSERT INTO orders VALUES (1)', pair.to);
  await t.rejects(write(), { code: 'PF002' }, 'guarded still');
  await mirrors.look();
  await write();
  t.match(said.lines, /what was left of a removed mirror is gone from orders_db/);
  t.equal((await copy.query("SELECT FROM pg_namespace WHERE nspname = 'pgfig'", pair.to)).rowCount, 0);
});

t.test('what is left of a mirror is not taken from another instance that has captured the domain again', async (t) => {
  const copy = await startPostgres();
  const schema = 'CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int PRIMARY KEY);';
  const pair = await makePair(server, copy, schema, ['public.one', 'public.two']);
  const domains = [
    { domain: 'one', tables: ['public.one'] },
    { domain: 'two', tables: ['public.two'] },
  ];
  for (const mirror of domains) await pair.install({ mirror });
  const { mirrors, said } = start(t, pair, { graceMs: 0 });
  await copy.stop();
  mirrors.update(
    rulesOf(...domains.map(({ domain, tables }) => ({ name: domain, tables, phase: 'monolith' }) as const)),
  );
  await until(() => said.lines.split('mirror removed in part').length === 3, 'both are removed in part');
  await copy.restart();
  const reader = await pair.connect('target');
  await reader.query('BEGIN; LOCK TABLE one IN ACCESS SHARE MODE');
  const looking = mirrors.look();
  await until(async () => {
    const { rows } = await copy.query("SELECT FROM pg_locks WHERE relation = 'one'::regclass AND NOT granted", pair.to);
    return rows.length > 0;
  }, 'the first one waits');
  for (const mirror of domains) await pair.install({ mirror });
  const before = await captured(pair);
  await reader.query('COMMIT');
  await looking;
  t.equal(await captured(pair), before, 'captured still');
  const registered = await copy.query<{ domain: string }>('SELECT domain FROM pgfig.relay ORDER BY 1', pair.to);
  t.same(
    registered.rows.map(({ domain }) => domain),
    ['one', 'two'],
  );
  for (const table of ['one', 'two']) {
    await t.rejects(copy.query(`INSERT INTO ${table} VALUES (1)`, pair.to), { code: 'PF002' }, 'guarded still');
  }
});

t.test('who asks for a turn while the relay is being elected waits for it', async (t) => {
  const pair = await makePair(server, server, SCHEMA, ['public.orders']);
  await pair.install();
  await server.query("UPDATE pgfig.relay_tables SET state = 'in-step'", pair.to);
  const { mirrors } = start(t, pair);
  await server.query('INSERT INTO orders VALUES (1)', pair.from);
  mirrors.update(rulesOf({}));
  t.equal(await mirrors.find('orders')?.turnAfterNow(), 'applied');
  t.equal((await server.query('SELECT FROM orders', pair.to)).rowCount, 1);
  const away = start(t, {
    ...pair,
    config: {
      ...pair.config,
      databases: new Map([...pair.config.databases].map(([name, one]) => [name, { ...one, port: 1 }])),
    },
  });
  away.mirrors.update(rulesOf({}));
  t.equal(await away.mirrors.find('orders')?.turnAfterNow(), 'failed', 'nobody can lead');
});

t.test('positions of feeds that no rule wants are released, but not from a feed that runs', async (t) => {
  const pair = await makePair(server, server, SCHEMA, ['public.orders']);
  await pair.install();
  await server.query(
    `INSERT INTO pgfig.consumers SELECT 1, c, pg_current_snapshot(), now() FROM unnest('{kafka,kafka:public.orders}'::text[]) c`,
    pair.from,
  );
  const positions = async () => (await server.query('SELECT FROM pgfig.consumers', pair.from)).rowCount;
  const log = pino({ level: 'silent' });
  const feed = await pair.connect('source');
  await feed.query('SELECT pg_advisory_lock(706466713, 1)');
  await releaseUnwantedFeeds(pair.config, rulesOf({}), log);
  t.equal(await positions(), 2, 'a feed runs');
  await feed.query('SELECT pg_advisory_unlock(706466713, 1)');
  await releaseUnwantedFeeds(pair.config, rulesOf({ phase: 'write-new' }), log);
  t.equal(await positions(), 2, 'after the move nothing is touched');
  await releaseUnwantedFeeds(pair.config, rulesOf({}), log);
  t.equal(await positions(), 0);
});
