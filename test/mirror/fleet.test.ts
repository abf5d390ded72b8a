import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { removeMirror } from '../../src/mirror/capture/remove.js';
import { Follower } from '../../src/mirror/relay/follower.js';
import { connect } from '../session/two-databases.js';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { makePair } from './capture-support.js';
import { inStep, rowsOf, startRelay } from './relay-support.js';

const SCHEMA = 'CREATE TABLE orders (id serial PRIMARY KEY, note text);';
const rule = (phase: string, more: object = {}) => ({
  ...{ database: 'orders_db', tables: ['public.orders'], phase },
  mirror: { syncTimeout: '20s' },
  ...more,
});

interface Report {
  readonly role: string;
  readonly phase: string;
  readonly error: string | null;
  readonly lagSeconds?: number;
  readonly tables?: readonly { state: string }[];
}

async function report({ adminPort }: TestPgfig): Promise<Report | undefined> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/api/mirrors`);
  return ((await answer.json()) as { mirrors: Report[] }).mirrors[0];
}

async function metric({ adminPort }: TestPgfig, series: string): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

interface Shop {
  readonly monolith: TestPostgres;
  readonly orders: TestPostgres;
  readonly fleet: readonly TestPgfig[];
}

/** Two servers, and instances of pgfig that mirror from one to the other. The table is in step. */
async function shop(instances: number): Promise<Shop> {
  const [monolith, orders] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  await monolith.query('CREATE DATABASE shop');
  await orders.query('CREATE DATABASE orders');
  await monolith.query(SCHEMA, 'shop');
  await orders.query(SCHEMA, 'orders');
  const fleet: TestPgfig[] = [];
  for (let i = 0; i < instances; i++) {
    const pgfig = await startPgfig({
      databases: { monolith: monolith.url('shop'), orders_db: orders.url('orders') },
      rules: { orders: rule('dual-write') },
    });
    fleet.push(pgfig);
    const role = i === 0 ? 'leading' : 'following';
    await pgfig.until(async () => (await report(pgfig))?.role === role, role);
  }
  await orders.query("UPDATE pgfig.relay_tables SET state = 'in-step'", 'orders');
  await fleet[0]?.until(async () => (await report(fleet[0] as TestPgfig))?.tables?.[0]?.state === 'in-step', 'in step');
  return { monolith, orders, fleet };
}

async function equal(t: Test, { monolith, orders }: Shop, rows: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  const both = async () => [await rowsOf(monolith, 'shop', 'orders'), await rowsOf(orders, 'orders', 'orders')];
  let [source, target] = await both();
  while (String(source) !== String(target) && Date.now() < deadline) [source, target] = await both();
  t.equal(source?.length, rows, 'rows of the source');
  t.strictSame(target, source, 'both copies');
}

t.test('one instance leads, the other one waits for its turns, and takes over when it dies', async (t) => {
  const both = await shop(2);
  const [leader, follower] = both.fleet as [TestPgfig, TestPgfig];
  const client = await connect(follower.url());
  for (let i = 1; i <= 10; i++) {
    await client.query('INSERT INTO orders (note) VALUES ($1)', [`n${i}`]);
    t.equal((await rowsOf(both.orders, 'orders', 'orders')).length, i, 'read your writes in the copy');
  }
  t.equal(await metric(follower, 'pgfig_apply_sync_total{domain="orders",outcome="applied"}'), 10);
  t.equal(await metric(follower, 'pgfig_relay_leads{domain="orders"}'), 0);
  t.equal(await metric(follower, 'pgfig_mirror_lag_seconds{domain="orders"}'), undefined, 'the leader tells');

  await leader.kill();
  let rows = 10;
  while ((await report(follower))?.role !== 'leading' && rows < 2_000) {
    await client.query("INSERT INTO orders (note) VALUES ('meanwhile')");
    rows += 1;
  }
  t.equal((await report(follower))?.role, 'leading', `took over while ${rows - 10} rows were written`);
  await follower.until(async () => (await report(follower))?.tables?.[0]?.state === 'in-step', 'in step');
  await client.query("INSERT INTO orders (note) VALUES ('after')");
  t.equal((await rowsOf(both.orders, 'orders', 'orders')).length, rows + 1, 'at once, with all that came before');
  await equal(t, both, rows + 1);
});

/** Pid of the control process of an instance. */
function controlOf({ pid }: TestPgfig): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const control = children.find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('control'));
  return Number(control);
}

t.test('the control process that leads is killed: some instance leads again, and nothing is lost', async (t) => {
  const both = await shop(2);
  const [leader, follower] = both.fleet as [TestPgfig, TestPgfig];
  const clients = [await connect(leader.url()), await connect(follower.url())];
  const killed = controlOf(leader);
  process.kill(killed, 'SIGKILL');
  const leads = async (): Promise<boolean> => {
    const roles = await Promise.all(both.fleet.map((pgfig) => report(pgfig).catch(() => undefined)));
    return roles.some((one) => one?.role === 'leading' && one.tables?.[0]?.state === 'in-step');
  };
  let rows = 0;
  do {
    for (const client of clients) await client.query("INSERT INTO orders (note) VALUES ('meanwhile')");
    rows += clients.length;
  } while (rows < 1_000 && !(await leads()));
  await follower.until(leads, 'one leads');
  await leader.until(() => controlOf(leader) !== killed && controlOf(leader) > 0, 'it has a control process again');
  await leader.until(async () => (await report(leader).catch(() => undefined)) !== undefined, 'and a mirror');
  for (const client of clients) await client.query("INSERT INTO orders (note) VALUES ('after')");
  await equal(t, both, rows + clients.length);
});

t.test('a target that is down harms no client, and gets all that came meanwhile', async (t) => {
  const one = await shop(1);
  const [pgfig] = one.fleet as [TestPgfig];
  const client = await connect(pgfig.url());
  await client.query("INSERT INTO orders (note) VALUES ('before')");
  await one.orders.kill();
  await pgfig.until(async () => (await report(pgfig))?.role === 'starting', 'the relay has lost its target');
  for (let i = 0; i < 20; i++) await client.query("INSERT INTO orders (note) VALUES ('meanwhile')");
  t.ok(((await metric(pgfig, 'pgfig_apply_sync_total{domain="orders",outcome="failed"}')) ?? 0) >= 15, 'at once');
  t.equal(await metric(pgfig, 'pgfig_relay_leads{domain="orders"}'), 0);
  await pgfig.until(async () => ((await metric(pgfig, 'pgfig_mirror_lag_seconds{domain="orders"}')) ?? 0) > 1, 'lag');
  const size = async (): Promise<number> =>
    (await metric(pgfig, 'pgfig_mirror_outbox_bytes{database="monolith"}')) ?? 0;
  await pgfig.until(async () => (await size()) > 0, 'the size of the outbox is known');
  await one.orders.restart();
  await equal(t, one, 21);

  await t.test('and so does a source that is started again', async (t) => {
    await pgfig.until(async () => (await report(pgfig))?.role === 'leading', 'leads again');
    await one.monolith.kill();
    await one.monolith.restart();
    await pgfig.until(async () => (await report(pgfig))?.role === 'leading', 'leads again');
    let again = await connect(pgfig.url());
    await again.query("INSERT INTO orders (note) VALUES ('after')").catch(async () => {
      again = await connect(pgfig.url());
      await again.query("INSERT INTO orders (note) VALUES ('after')");
    });
    await equal(t, one, 22);
  });
});

t.test('the mirror follows the phases, and tells when nobody reads what is recorded', async (t) => {
  const one = await shop(1);
  const [pgfig] = one.fleet as [TestPgfig];
  const client = await connect(pgfig.url());
  const turnsOf = async (): Promise<number> => (await metric(pgfig, 'pgfig_mirror_turns_total{domain="orders"}')) ?? 0;
  for (const phase of ['shadow-read', 'read-new']) {
    const turns = await turnsOf();
    await pgfig.writeRule('orders', rule(phase));
    await pgfig.until(async () => (await report(pgfig))?.phase === phase, phase);
    const guarded = async (): Promise<boolean> =>
      one.orders.query("INSERT INTO orders (note) VALUES ('past')", 'orders').then(
        () => false,
        (error: Error & { hint?: string; detail?: string }) =>
          `${error.message} ${error.detail} ${error.hint}`.includes(phase),
      );
    await pgfig.until(guarded, `the guard names ${phase}`);
    t.equal((await report(pgfig))?.role, 'leading');
    await client.query('INSERT INTO orders (note) VALUES ($1)', [phase]);
    t.ok(
      (await rowsOf(one.orders, 'orders', 'orders')).some((row) => row.includes(phase)),
      'still mirrored',
    );
    t.ok((await turnsOf()) > turns, 'by the same relay');
  }
  t.equal(pgfig.logs().match(/"role":"leading"/g)?.length ?? 0, 1, 'it began once');

  await pgfig.writeRule('orders', rule('monolith', { mirror: undefined }));
  await pgfig.until(async () => (await report(pgfig)) === undefined, 'the mirror has ended');
  await pgfig.until(async () => (await metric(pgfig, 'pgfig_mirror_abandoned{domain="orders"}')) === 1, 'told');
  t.match(pgfig.logs(), /nobody reads them, so the outbox grows: pgfig mirror remove orders/);
  await client.query("INSERT INTO orders (note) VALUES ('unread')");
  t.equal((await rowsOf(one.orders, 'orders', 'orders')).length, 2);
  await t.rejects(one.orders.query("INSERT INTO orders (note) VALUES ('past')", 'orders'), 'the copy stays guarded');

  await pgfig.writeRule('orders', rule('dual-write'));
  await equal(t, one, 3);
  await pgfig.until(async () => (await metric(pgfig, 'pgfig_mirror_abandoned{domain="orders"}')) === undefined, 'read');

  await pgfig.writeRule('orders', rule('monolith', { mirror: undefined }));
  await pgfig.until(async () => (await metric(pgfig, 'pgfig_mirror_abandoned{domain="orders"}')) === 1, 'told again');
  const sides = { domain: 'orders', source: 'monolith', target: 'orders_db' };
  t.match(await removeMirror(loadConfig(pgfig.configFile), sides), { released: ['public.orders'], left: '' });
  await pgfig.until(async () => (await metric(pgfig, 'pgfig_mirror_abandoned{domain="orders"}')) === undefined, 'gone');
  await client.query("INSERT INTO orders (note) VALUES ('recorded nowhere')");
});

t.test('a copy that is registered for another source is left alone', async (t) => {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  for (const [column, value, what] of [
    ['source_system', '1', /the copy in orders_db is of system 1, .* but database monolith is now system \d{10,}/],
    ['source_timeline', '7', /timeline 7, but database monolith is now .* timeline 1/],
    ['source_database', 'x', /database x, timeline 1, but database monolith is now/],
  ] as const) {
    const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY)', ['public.a']);
    await pair.install();
    await inStep(pair);
    await target.query(`UPDATE pgfig.relay SET ${column} = '${value}'`, pair.to);
    await source.query('INSERT INTO a VALUES (1)', pair.from);
    const running = await startRelay(pair);
    await running.until(() => running.told.errors.length > 0, 'refused');
    t.match(running.told.errors[0], what);
    t.match(running.relay.status, { role: 'starting', error: what });
    t.equal(running.relay.turnAfterNow(), null, 'nobody waits');
    t.same(await rowsOf(target, pair.to, 'a'), []);
    await running.relay.close();
  }
});

t.test('what a commit hears that came through an instance that does not lead', async (t) => {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  const schema = 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)';
  const pair = await makePair(source, target, schema, ['public.a', 'public.b']);
  await pair.install();
  await inStep(pair);
  const { relay, until } = await startRelay(pair);
  await until(() => relay.leader !== null, 'the relay leads');
  const follower = new Follower(pair.config, pair.mirror);
  await onTeardown(async () => follower.close());
  for (let i = 1; i <= 5; i++) {
    await source.query(`INSERT INTO a VALUES (${i})`, pair.from);
    const group = [follower.turnAfterNow(), follower.turnAfterNow(), follower.turnAfterNow()];
    t.same(await Promise.all(group), ['applied', 'applied', 'applied']);
    t.equal((await rowsOf(target, pair.to, 'a')).length, i, 'the copy has it');
  }
  await target.query('ALTER TABLE b ADD CONSTRAINT never CHECK (id < 0)', pair.to);
  await source.query('INSERT INTO b VALUES (1)', pair.from);
  await until(() => relay.leader?.inStep === false, 'stalled');
  t.equal(await follower.turnAfterNow(), 'stalled');
  await target.kill();
  t.equal(await follower.turnAfterNow(), 'failed');
  t.equal(await follower.turnAfterNow(), 'failed', 'also of a target that was down before');
});
