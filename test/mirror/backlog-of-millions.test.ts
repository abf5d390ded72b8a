import t from 'tap';
import { FEED_SETTINGS } from '../../src/events/feed/change-feed.js';
import { anyWaiting, findCut } from '../../src/events/feed/waiting.js';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { parseSnapshot } from '../../src/mirror/position/snapshot.js';
import { eventsSince } from '../../src/mirror/relay/events-sql.js';
import { SourceSide } from '../../src/mirror/relay/source-side.js';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';
import { inStep, startRelay } from './relay-support.js';

/**
 * The target is down for hours, and a pg_dump of the monolith runs all the while: what waits costs the monolith space
 * alone, and drains. Half a million changes; .ci/run has five million (PGFIG_BACKLOG).
 */
t.setTimeout(900_000);
const CHANGES = Number(process.env.PGFIG_BACKLOG ?? 500_000);
const ROUNDS = 10;
const ROWS = CHANGES / ROUNDS;
/** Rows of one transaction. */
const AT_ONCE = 10_000;
/** A turn takes about 30,000 changes of each table, and no transaction in part. */
const MOST_OF_TURN = 60_000;
const STANDSTILL_MS = 60_000;
/** Garbage goes in small transactions, which leave the monolith the room that it needs. */
const PATIENCE_MS = 300_000;

async function patiently(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in ${PATIENCE_MS / 1_000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const [source, target] = await Promise.all([
  startPostgres({ version: 15, settings: { autovacuum: 'on', max_wal_size: '8GB' } }),
  startPostgres({ settings: { autovacuum: 'on', max_wal_size: '8GB' } }),
]);

t.test(`${CHANGES} changes wait, and a snapshot is held that is older than all of them`, async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE b (id int PRIMARY KEY, v int NOT NULL)', ['public.b']);
  await pair.install();
  await inStep(pair);
  const turns: number[] = [];
  const { relay, told, until } = await startRelay(pair, { onTurn: (_, { changes }) => turns.push(changes) });
  await until(() => relay.leader !== null, 'the relay leads');
  const position = String((await target.query('SELECT position::text FROM pgfig.relay', pair.to)).rows[0]?.position);
  const holder = await pair.connect('source');
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM b');
  await target.stop();

  const writer = await pair.connect('source');
  const oid = Number((await writer.query("SELECT 'b'::regclass::oid::int8 AS oid")).rows[0]?.oid);
  for (let round = 0; round < ROUNDS; round++) {
    for (let from = 0; from < ROWS; from += AT_ONCE) {
      await writer.query(
        round === 0
          ? `INSERT INTO b SELECT i, 0 FROM generate_series(${from + 1}, ${from + AT_ONCE}) i`
          : `UPDATE b SET v = ${round} WHERE id > ${from} AND id <= ${from + AT_ONCE}`,
      );
    }
  }
  const waiting = async (): Promise<number> =>
    Number((await writer.query('SELECT count(*) FROM pgfig.outbox')).rows[0]?.count);
  t.equal(await waiting(), CHANGES);

  await t.test('what a turn asks costs as little as ever', async (t) => {
    const side = new SourceSide(await openMirrorClient(pair.config, 'monolith', 'test'));
    await side.prepare();
    const since = [{ oid, position: parseSnapshot(position) }];
    const look = `SELECT tbl, op, key FROM (${eventsSince(since, null)}) e LIMIT 201`;
    const [row] = await side.rows(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${look}`);
    const [{ Plan: plan }] = JSON.parse(row?.[0] ?? '');
    const pages = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    t.ok(pages < 100, `a turn's look touches ${pages} pages`);
    await side.client.end();
  });

  await t.test('nor what a turn of the change feed asks', async (t) => {
    const feed = await openMirrorClient(pair.config, 'monolith', 'test');
    await feed.query(FEED_SETTINGS);
    const touched = async (): Promise<number> => {
      await feed.query('SELECT pg_stat_force_next_flush()');
      const { rows } = await feed.query(
        `SELECT heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit AS pages
           FROM pg_statio_all_tables WHERE relid = 'pgfig.outbox'::regclass`,
      );
      return Number(rows[0]?.pages);
    };
    const since = [{ mirror: 1, oids: [oid], position: parseSnapshot(position) }];
    const before = await touched();
    t.ok((await findCut(feed, since, 1_000)).below, 'the backlog is cut');
    t.ok(await anyWaiting(feed, since), 'something waits');
    const pages = (await touched()) - before;
    t.ok(pages > 0 && pages < 500, `it touches ${pages} pages`);
    await feed.end();
  });

  const before = process.memoryUsage.rss();
  let most = before;
  await target.restart();
  for (let seen = -1, at = Date.now(); (await relay.turnAfterNow()) !== 'applied'; ) {
    most = Math.max(most, process.memoryUsage.rss());
    if (turns.length !== seen) [seen, at] = [turns.length, Date.now()];
    if (Date.now() - at > STANDSTILL_MS) throw new Error(`no turn in a minute: ${relay.status.error}`);
    // The monolith is written all the while.
    await writer.query(`UPDATE b SET v = v + 1 WHERE id = ${1 + (seen % ROWS)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.ok(turns.length > CHANGES / MOST_OF_TURN, `${turns.length} turns`);
  t.ok(Math.max(...turns) <= MOST_OF_TURN, `the largest took ${Math.max(...turns)}`);
  t.ok(most - before < 200 * 1024 * 1024, `${Math.round((most - before) / 1024 / 1024)} MiB of memory`);
  t.same(told.stalled, []);

  await patiently(async () => (await relay.turnAfterNow()) === 'applied', 'the last of the writes');
  const sums = 'SELECT count(*)::int4 AS n, sum(hashtextextended(t::text, 0))::text AS h FROM b t';
  const [here, there] = [await source.query(sums, pair.from), await target.query(sums, pair.to)];
  t.equal(here.rows[0]?.n, ROWS);
  t.strictSame(there.rows, here.rows, 'both copies');

  await holder.query('COMMIT');
  await patiently(async () => (await waiting()) === 0, 'garbage goes');
  const size = async (): Promise<number> => {
    await writer.query('VACUUM (TRUNCATE) pgfig.outbox');
    return Number((await writer.query("SELECT pg_table_size('pgfig.outbox') AS size")).rows[0]?.size);
  };
  await patiently(async () => (await size()) < 200_000, 'and the space is free');
});
