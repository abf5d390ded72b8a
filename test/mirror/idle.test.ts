import t from 'tap';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { covers, parseSnapshot, type Snapshot } from '../../src/mirror/position/snapshot.js';
import type { RelayEvents } from '../../src/mirror/relay/relay-events.js';
import { SourceSide } from '../../src/mirror/relay/source-side.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { makePair, type Pair } from './capture-support.js';
import { bothOf, inStep, startRelay, type TestRelay } from './relay-support.js';

/** A relay that nobody has asked for anything. */
const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);

/** What the relays of this process have done to the source. */
const counts = { turns: 0, looks: 0, found: 0 };
/** Happens once, when the next turn has its snapshot. */
let meanwhile: (() => Promise<void>) | null = null;
const { begin, look } = SourceSide.prototype;
SourceSide.prototype.begin = async function (...given) {
  counts.turns += 1;
  const moment = await begin.apply(this, given);
  const happens = meanwhile;
  meanwhile = null;
  await happens?.();
  return moment;
};
SourceSide.prototype.look = async function (...given) {
  counts.looks += 1;
  const looked = await look.apply(this, given);
  if (looked.waits) counts.found += 1;
  return looked;
};

async function idle(events: Partial<RelayEvents> = {}): Promise<Pair & { running: TestRelay }> {
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY, v int)', ['public.a']);
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair, events);
  await running.caughtUp();
  return { ...pair, running };
}

const turnsOf = ({ relay }: TestRelay): number => relay.status.leading?.turns ?? 0;

/** The position has moved, although nothing waited. */
async function advanced(running: TestRelay): Promise<void> {
  const before = turnsOf(running);
  await running.until(() => turnsOf(running) > before, 'the position moves');
}

t.test('where nothing is written, only the turns that move the position lock and read the catalog', async (t) => {
  const { running } = await idle();
  await advanced(running);
  const [before, moved] = [{ ...counts }, turnsOf(running)];
  for (let i = 0; i < 3; i++) await advanced(running);
  t.equal(counts.turns - before.turns, turnsOf(running) - moved, 'no turn for nothing');
  t.ok(counts.looks - before.looks > 0, 'it has looked');
  t.equal(counts.found, before.found, 'and found nothing');
  await running.relay.close();
});

t.test('who asks gets a turn, also where nothing waits', async (t) => {
  const { running } = await idle();
  await advanced(running);
  for (let i = 0; i < 20; i++) {
    const before = counts.turns;
    t.equal(await running.relay.turnAfterNow(), 'applied');
    t.ok(counts.turns > before, 'a turn began');
  }
  const before = counts.turns - turnsOf(running);
  running.relay.poke();
  await running.until(() => counts.turns - turnsOf(running) > before, 'a turn that moves nothing');
  await running.relay.close();
});

t.test('what is written past the proxy is found by a look', async (t) => {
  const { running, ...pair } = await idle();
  const before = counts.found;
  for (let id = 0; counts.found - before < 5; id++) {
    // The turn that moves the position may come first.
    t.ok(id < 100, `${id} writes, ${counts.found - before} of them found`);
    if (id === 100) break;
    await source.query(`INSERT INTO a VALUES (${id}, ${id})`, pair.from);
    await running.until(async () => (await bothOf(pair, 'a')).target.length === id + 1, 'applied');
    const { turns } = counts;
    const looked = counts.looks;
    await running.until(() => counts.looks > looked || counts.turns > turns + 2, 'it is idle again');
  }
  const both = await bothOf(pair, 'a');
  t.strictSame(both.target, both.source);
  await running.relay.close();
});

t.test('a row whose transaction was under way when the position moved is found by a look', async (t) => {
  const { running, ...pair } = await idle();
  const writer = await pair.connect('source');
  const before = counts.found;
  let id = 0;
  do {
    id += 1;
    await writer.query(`BEGIN; INSERT INTO a VALUES (${id}, 0)`);
    // One that has begun later has ended, so that the position's xmax is beyond it.
    await source.query('SELECT pg_current_xact_id()', pair.from);
    await advanced(running);
    await advanced(running);
    const looked = counts.looks;
    await running.until(() => counts.looks > looked, 'it has looked while the row was not there yet');
    await writer.query('COMMIT');
    await running.until(async () => (await bothOf(pair, 'a')).target.length === id, 'applied');
  } while (counts.found === before && id < 5);
  t.ok(counts.found > before, `${id} writes`);
  await running.relay.close();
});

t.test('a definition that changes without an event is found all the same', async (t) => {
  let stalled = '';
  let told = Number.NaN;
  const { running, ...pair } = await idle({
    onStalled: (_, table, reason) => {
      stalled = `${table}: ${reason}`;
      // From now on it is that of the other tables.
      told = running.relay.status.leading?.moment ?? Number.NaN;
    },
  });
  await advanced(running);
  const { found } = counts;
  await source.query('ALTER TABLE a ALTER v TYPE bigint', pair.from);
  const altered = Date.now();
  await running.until(() => stalled !== '', 'stalled');
  t.match(stalled, /public\.a: column v was integer and is bigint/);
  t.equal(counts.found, found);
  t.ok(told <= altered, 'no moment was told that nobody had judged');
  await running.relay.close();
});

t.test('a copy is as of now where nothing at all has committed', async () => {
  const { running } = await idle();
  await advanced(running);
  let [turns, moment] = [counts.turns, running.relay.status.leading?.moment ?? 0];
  await running.until(() => {
    const now = running.relay.status.leading?.moment ?? 0;
    if (counts.turns === turns && now > moment) return true;
    [turns, moment] = [counts.turns, now];
    return false;
  }, 'the moment moves without a turn');
  await running.relay.close();
});

t.test('a look sees what each position does not', async (t) => {
  const pair = await makePair(
    source,
    target,
    'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)',
    ['public.a', 'public.b'],
  );
  const { mirror } = await pair.install();
  const side = new SourceSide(await openMirrorClient(pair.config, 'monolith', 'test'));
  await onTeardown(() => side.client.end());
  await side.prepare();
  const [row] = await side.rows("SELECT 'public.a'::regclass::oid::text, 'public.b'::regclass::oid::text");
  const [a, b] = [Number(row?.[0]), Number(row?.[1])];
  const waits = async (ofA: string, ofB: string | null): Promise<boolean> => {
    const tables = [
      { oid: a, position: parseSnapshot(ofA) },
      ...(ofB === null ? [] : [{ oid: b, position: parseSnapshot(ofB) }]),
    ];
    const { waits, seen, at } = await side.look(tables);
    t.ok(seen.xmax > 110n);
    t.ok(Math.abs(at - Date.now()) < 600_000);
    return waits;
  };
  const event = (oid: number, xid: number): Promise<unknown> =>
    source.query(
      `INSERT INTO pgfig.outbox (xid, mirror, tbl, op, key) VALUES ('${xid}', ${mirror}, ${oid}, 'I', '1')`,
      pair.from,
    );
  t.equal((await side.look([])).waits, false, 'no table');
  t.equal(await waits('90:110:90,100', '110:110:'), false, 'nothing is there');
  await event(b, 100);
  t.equal(await waits('100:110:100', null), false, 'of a table that is not followed');
  t.equal(await waits('110:110:', '110:110:'), false, 'it was seen');
  t.equal(await waits('110:110:', '100:110:100'), true, 'it was under way');
  t.equal(await waits('110:110:', '90:110:90,99,101'), false, 'others were');
  t.equal(await waits('110:110:', '100:100:'), true, 'it had not begun');
  t.equal(await waits('100:100:', '110:110:'), false, 'the position of another table');
  await event(a, 105);
  t.equal(await waits('100:110:100,105', '110:110:'), true, 'the other one too');
  t.equal(await waits('105:105:', null), true, 'from xmax on');
  t.equal(await waits('106:106:', null), false);
});

t.test('dead entries of the outbox are not walked by a look', async (t) => {
  const { running, ...pair } = await idle();
  await running.relay.close();
  const [client, old] = [await pair.connect('source'), await pair.connect('source')];
  await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_snapshot()');
  await client.query('INSERT INTO a SELECT i, i FROM generate_series(1, 20000) i; DELETE FROM pgfig.outbox');
  const side = new SourceSide(await openMirrorClient(pair.config, 'monolith', 'test'));
  await onTeardown(() => side.client.end());
  await side.prepare();
  const [row] = await side.rows("SELECT 'public.a'::regclass::oid::text, pg_current_snapshot()::text");
  const since = [{ oid: Number(row?.[0]), position: parseSnapshot(row?.[1] ?? '') }];
  // A backend tells of its blocks when it is asked to, or at its end.
  const told = async (): Promise<void> => {
    await side.rows('SELECT pg_stat_force_next_flush()');
    await client.query('SELECT pg_stat_force_next_flush()');
  };
  const blocks = async (): Promise<number> => {
    await told();
    const { rows } = await client.query<{ n: string }>(
      `SELECT heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit AS n FROM pg_statio_all_tables
        WHERE relid = 'pgfig.outbox'::regclass`,
    );
    return Number(rows[0]?.n);
  };
  const before = await blocks();
  for (let i = 0; i < 10; i++) t.equal((await side.look(since)).waits, false);
  const read = (await blocks()) - before;
  t.ok(read > 0, 'they are counted');
  t.ok(read < 10 * 20, `${read} blocks for 10 looks`);
  await old.query('COMMIT');
});

t.test('who waits at another instance is heard during a turn that moves the position', async (t) => {
  const { running, connect, to } = await idle();
  await advanced(running);
  const other = await connect('source');
  let wanted: Snapshot | null = null;
  let next: Promise<unknown> = Promise.resolve();
  meanwhile = async () => {
    await other.query('SELECT pg_current_xact_id()');
    const { rows } = await other.query('SELECT pg_current_snapshot()::text AS position');
    wanted = parseSnapshot(rows[0]?.position);
    await other.query('NOTIFY pgfig_poke');
    next = running.relay.turnAfterNow() ?? next;
  };
  await other.query('NOTIFY pgfig_poke');
  await running.until(() => wanted !== null, 'a turn that moves the position');
  await next;
  const { rows } = await target.query('SELECT position::text FROM pgfig.relay', to);
  t.ok(wanted !== null && covers(parseSnapshot(rows[0]?.position), wanted), 'the next turn has moved it again');
  await running.relay.close();
});
