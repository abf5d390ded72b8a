import t, { type Test } from 'tap';
import { covers, join, parseSnapshot, type Snapshot, sees } from '../../src/mirror/position/snapshot.js';
import { retryStalled } from '../../src/mirror/relay/relay-view.js';
import { startPostgres } from '../support/postgres.js';
import { makePair, type Pair } from './capture-support.js';
import { bothOf, inStep, startRelay, type TestRelay } from './relay-support.js';

/** Transactions that are late, or a table that is behind, have more than one turn takes: nothing goes back by that. */
const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
const SCHEMA = 'CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text);';
const MANY = "INSERT INTO b SELECT i, 'many' FROM generate_series(1, 30001) i";

const positionOf = async (pair: Pair) =>
  parseSnapshot((await target.query('SELECT position::text FROM pgfig.relay', pair.to)).rows[0]?.position);

async function started() {
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b']);
  await pair.install();
  await inStep(pair);
  return pair;
}

/** Something of `a` is applied, and its events are gone from the outbox. */
async function sweptA(pair: Pair, { until }: TestRelay): Promise<void> {
  await source.query("INSERT INTO a VALUES (1, 'first')", pair.from);
  await until(async () => {
    const { rows } = await source.query(
      "SELECT swept FROM pgfig.captured WHERE table_name = 'public.a' AND swept IS NOT NULL",
      pair.from,
    );
    return rows.length > 0;
  }, 'garbage of a is gone');
}

/** A relay that ends after the first turn that has cut the backlog. */
async function untilCut(pair: Pair): Promise<TestRelay> {
  let cut = false;
  const running = await startRelay(pair, {
    onTurn: (_, { whole }) => {
      if (whole) return;
      cut = true;
      void running.relay.close();
    },
  });
  await running.until(() => cut, 'the backlog was cut');
  await running.relay.close();
  return running;
}

async function goesOn(t: Test, pair: Pair): Promise<void> {
  const { told, caughtUp } = await startRelay(pair);
  await caughtUp();
  t.same(told.stalled, [], 'nothing has gone back');
  const { rows } = await target.query('SELECT FROM pgfig.relay_tables WHERE position IS NOT NULL', pair.to);
  t.equal(rows.length, 0, 'all follow the domain');
  for (const table of ['a', 'b']) {
    const { source: mine, target: theirs } = await bothOf(pair, table);
    t.strictSame(theirs, mine);
  }
}

t.test('a large transaction that ends late', async (t) => {
  const pair = await started();
  const late = await pair.connect('source');
  await late.query('BEGIN');
  await late.query(MANY);
  const first = await startRelay(pair);
  await sweptA(pair, first);
  await first.relay.close();
  const before = await positionOf(pair);
  await late.query('COMMIT');
  await untilCut(pair);
  t.ok(covers(await positionOf(pair), before), 'the position has not gone back');
  await goesOn(t, pair);
});

t.test('a table that was stalled', async (t) => {
  const pair = await started();
  const first = await startRelay(pair);
  await target.query('ALTER TABLE b ADD CHECK (id < 0)', pair.to);
  await source.query("INSERT INTO b VALUES (0, 'refused')", pair.from);
  await first.until(() => first.told.stalled.length > 0, 'b is stalled');
  await source.query(MANY, pair.from);
  await source.query("UPDATE b SET v = 'once more' WHERE id = 7", pair.from);
  await sweptA(pair, first);
  await first.relay.close();
  const before = await positionOf(pair);
  await target.query('ALTER TABLE b DROP CONSTRAINT b_id_check', pair.to);
  await retryStalled(pair.config, pair.mirror);
  await untilCut(pair);
  t.ok(covers(await positionOf(pair), before), 'the position has not gone back');
  await goesOn(t, pair);
});

t.test('two positions joined see what either sees', async (t) => {
  const all: Snapshot[] = [];
  for (const xmax of [3n, 5n, 6n]) {
    for (const xip of [[], [3n], [4n], [5n], [3n, 4n], [4n, 5n], [3n, 4n, 5n]]) {
      if (xip.every((xid) => xid < xmax)) all.push({ xmin: xip[0] ?? xmax, xmax, xip });
    }
  }
  for (const a of all) {
    for (const b of all) {
      const both = join(a, b);
      for (let xid = 2n; xid < 8n; xid++) {
        if (sees(both, xid) !== (sees(a, xid) || sees(b, xid))) t.fail(`${xid}`, { a, b, both });
      }
      t.equal(both.xmin, both.xip[0] ?? both.xmax);
    }
  }
});
