import type pg from 'pg';
import t from 'tap';
import type { EventMessage, EventSink } from '../../src/events/event.js';
import { readFeedTables } from '../../src/events/feed/feed-table.js';
import { movePosition, type Positions, readPositions } from '../../src/events/feed/positions.js';
import { type TurnOutcome, takeTurn } from '../../src/events/feed/turn.js';
import { outboxMessage } from '../../src/events/outbox/outbox-message.js';
import { readOutboxTable } from '../../src/events/outbox/outbox-table.js';
import { takeOutboxTurn } from '../../src/events/outbox/outbox-turn.js';
import { covers } from '../../src/mirror/position/snapshot.js';
import { makePair, type Pair } from '../mirror/capture-support.js';
import { startPostgres } from '../support/postgres.js';

/** Single turns, with a sink that keeps what it is given. */
const source = await startPostgres({
  version: 15,
  settings: { wal_writer_delay: '10000ms', track_commit_timestamp: 'on' },
});
const target = await startPostgres();

interface Turns {
  readonly client: pg.Client;
  readonly sent: EventMessage[];
  onSend: () => Promise<void>;
  /** @param move whether the position is moved, or the process dies before that */
  turn(move?: boolean): Promise<TurnOutcome>;
}

async function feedOf(pair: Pair): Promise<Turns> {
  await pair.install();
  const client = await pair.connect('source');
  await client.query('SET search_path = pg_catalog');
  const found = await readFeedTables(client, 'orders');
  if (found === null) throw new Error('nothing is captured');
  let positions: Positions = await readPositions(client, found.mirror);
  const sent: EventMessage[] = [];
  const turns: Turns = {
    client,
    sent,
    onSend: async () => {},
    turn: async (move = true) => {
      const sink: EventSink = {
        send: async (batch) => {
          await turns.onSend();
          sent.push(...batch);
        },
        close: async () => {},
      };
      const { mirror, tables } = found;
      const outcome = await takeTurn(client, sink, {
        tables,
        since: { mirror, oids: tables.map(({ oid }) => oid), position: positions.position },
        known: new Set(tables.map(({ oid }) => oid)),
        joining: [],
        names: { domain: 'orders', topicOf: () => 'topic', keyOf: (_, key) => key },
        envelope: 'plain',
      });
      if (move) {
        await movePosition(client, positions, outcome.to, [], outcome.moment);
        positions = await readPositions(client, mirror);
      }
      return outcome;
    },
  };
  return turns;
}

const TABLE = 'CREATE TABLE orders (id int PRIMARY KEY, n int)';
const idsOf = ({ sent }: Turns): unknown[] => sent.map(({ headers }) => headers.id);

t.test('a transaction that was under way at a turn is not lost', async (t) => {
  const pair = await makePair(source, target, TABLE, ['public.orders']);
  const feed = await feedOf(pair);
  const slow = await pair.connect('source');
  await slow.query('BEGIN; INSERT INTO orders VALUES (1, 1)');
  await source.query('INSERT INTO orders VALUES (2, 1)', pair.from);
  await feed.turn();
  await slow.query('COMMIT');
  await feed.turn();
  t.strictSame(
    feed.sent.map(({ key }) => key),
    ['{"id":2}', '{"id":1}'],
  );
  t.equal((await feed.turn()).messages, 0);
});

t.test('a newer state never has the id of an older one, whichever transaction began first', async (t) => {
  const pair = await makePair(source, target, TABLE, ['public.orders']);
  const feed = await feedOf(pair);
  const early = await pair.connect('source');
  await source.query('INSERT INTO orders VALUES (1, 0)', pair.from);
  await feed.turn();
  await early.query('BEGIN; SELECT pg_current_xact_id()');
  await source.query('UPDATE orders SET n = 1', pair.from);
  await feed.turn(false);
  await feed.turn(false);
  await early.query('UPDATE orders SET n = 2; COMMIT');
  await feed.turn(false);
  const ids = idsOf(feed);
  t.equal(ids[1], ids[2], 'a repeat has the same id');
  t.not(ids[2], ids[3]);
  t.equal(feed.sent[3]?.value, '{"id":1,"n":2}');
});

t.test('nothing is sent that a crash of the source could still undo', async (t) => {
  const pair = await makePair(source, target, TABLE, ['public.orders']);
  const feed = await feedOf(pair);
  const writer = await pair.connect('source');
  await writer.query('SET synchronous_commit = off');
  await writer.query('INSERT INTO orders VALUES (1, 1)');
  const { rows } = await writer.query<{ lsn: string; flushed: boolean }>(
    'SELECT pg_current_wal_insert_lsn()::text AS lsn, pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() AS flushed',
  );
  t.equal(rows[0]?.flushed, false, 'visible, and not on the disk');
  let safe: unknown = null;
  feed.onSend = async () => {
    const now = await writer.query<{ safe: boolean }>('SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn AS safe', [
      rows[0]?.lsn,
    ]);
    safe = now.rows[0]?.safe;
  };
  await feed.turn();
  t.equal(safe, true);
});

t.test('no snapshot is held while messages are on their way', async (t) => {
  const pair = await makePair(source, target, TABLE, ['public.orders']);
  const feed = await feedOf(pair);
  await source.query('INSERT INTO orders SELECT generate_series(1, 12000)', pair.from);
  const held: unknown[] = [];
  feed.onSend = async () => {
    const { rows } = await source.query<{ state: string }>(
      'SELECT count(*) AS held FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()',
      pair.from,
    );
    held.push(rows[0]);
  };
  await feed.turn();
  t.ok(held.length >= 3, 'several pages');
  t.ok(
    held.every((row) => JSON.stringify(row) === '{"held":"0"}'),
    JSON.stringify(held),
  );
  t.equal(new Set(feed.sent.map(({ key }) => key)).size, 12_000);
});

t.test('a backlog is cut between transactions', async (t) => {
  const pair = await makePair(source, target, TABLE, ['public.orders']);
  const feed = await feedOf(pair);
  for (let at = 0; at < 4; at++) {
    await source.query(`INSERT INTO orders SELECT generate_series(${at * 3000 + 1}, ${at * 3000 + 3000})`, pair.from);
  }
  const first = await feed.turn();
  t.match(first, { whole: false, messages: 3_000 });
  t.match(await feed.turn(), { whole: false, messages: 3_000 });
  while (!(await feed.turn()).whole);
  t.equal(feed.sent.length, 12_000);
  t.equal(new Set(feed.sent.map(({ key }) => key)).size, 12_000);
});

t.test('transactions that end late take no position back', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE many (id int PRIMARY KEY)', ['public.many']);
  const turns = await feedOf(pair);
  const late = await Promise.all([pair.connect('source'), pair.connect('source')]);
  for (const [at, client] of late.entries()) {
    await client.query('BEGIN');
    await client.query(`INSERT INTO many SELECT i FROM generate_series(${at}, 5999, 2) i`);
  }
  await source.query('INSERT INTO many VALUES (6000)', pair.from);
  const { to: before } = await turns.turn();
  for (const client of late) await client.query('COMMIT');
  const first = await turns.turn();
  t.equal(first.whole, false, 'it was cut');
  t.ok(covers(first.to, before), 'what was sent stays sent');
  for (let whole = false; !whole; ) ({ whole } = await turns.turn());
  t.equal(turns.sent.length, 6001, 'each once');
});

t.test('wide rows come in pages of bounded size', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE orders (id int PRIMARY KEY, pad text)', ['public.orders']);
  const feed = await feedOf(pair);
  await source.query("INSERT INTO orders SELECT g, repeat('x', 3000000) FROM generate_series(1, 12) g", pair.from);
  const sizes: number[] = [];
  feed.onSend = async () => void sizes.push(feed.sent.length);
  await feed.turn();
  t.equal(feed.sent.length, 12);
  t.ok(sizes.length >= 4, `${sizes.length} pages`);
});

t.test('the order of an outbox table: by sequence and by commit, not by transaction id', async (t) => {
  const columns = 'aggregatetype text, aggregateid text, type text, payload jsonb';
  const schema = `${TABLE}; INSERT INTO orders VALUES (1, 0);
    CREATE TABLE numbered (id bigserial PRIMARY KEY, ${columns});
    CREATE TABLE stamped (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), ${columns});`;
  const pair = await makePair(source, target, schema, ['public.orders']);
  const [first, second] = [await pair.connect('source'), await pair.connect('source')];
  const publish = `INSERT INTO numbered (aggregateid, type) VALUES ('1', $1)`;
  await second.query('BEGIN; SELECT pg_current_xact_id()');
  for (const [client, name] of [
    [first, 'first'],
    [second, 'second'],
  ] as const) {
    if (client === first) await client.query('BEGIN');
    await client.query('UPDATE orders SET n = n + 1 WHERE id = 1');
    await client.query(publish, [name]);
    await client.query(publish.replace('numbered', 'stamped'), [`${name} a`]);
    await client.query(publish.replace('numbered', 'stamped'), [`${name} b`]);
    await client.query('COMMIT');
  }
  const client = await pair.connect('source');
  await client.query('SET search_path = pg_catalog');
  const names = { domain: 'orders', envelope: 'plain', topicOf: () => 'topic' } as const;
  const defaults = {
    id: 'id',
    aggregateType: 'aggregatetype',
    aggregateId: 'aggregateid',
    type: 'type',
    payload: 'payload',
  };
  const orderOf = async (table: string, order: string | null): Promise<unknown[]> => {
    const read = await readOutboxTable(client, table, { ...defaults, order, sentAt: 'sent_at' }, 'delete');
    const sent: EventMessage[] = [];
    const sink: EventSink = { send: async (batch) => void sent.push(...batch), close: async () => {} };
    await takeOutboxTurn(client, sink, read, (event, from, moment) => outboxMessage(event, from, moment, names));
    return sent.map(({ headers }) => headers.type);
  };
  t.strictSame(await orderOf('public.numbered', null), ['first', 'second']);
  t.strictSame(await orderOf('public.stamped', null), ['first a', 'first b', 'second a', 'second b']);
  t.strictSame(await orderOf('public.stamped', null), [], 'they are taken out');
  await source.query('ALTER SEQUENCE numbered_id_seq CACHE 10', pair.from);
  await t.rejects(orderOf('public.numbered', null), {
    code: 'OUTBOX_UNFIT',
    message: /does not count upwards one by one/,
  });
  await t.rejects(orderOf('public.numbered', 'nix'), { code: 'OUTBOX_UNFIT', message: /no column nix/ });
  await t.rejects(orderOf('public.orders', null), { code: 'OUTBOX_UNFIT', hint: /outbox.columns.aggregateType/ });
  await t.rejects(orderOf('public.nix', null), { code: 'OUTBOX_UNFIT' });
});

t.test('a table whose sent rows are marked is warned of where no index finds the others', async (t) => {
  const pair = await makePair(source, target, TABLE, []);
  const client = await pair.connect('source');
  await client.query(`CREATE TABLE marked (id bigserial PRIMARY KEY, payload jsonb, "Sent at" timestamptz, state int);
    INSERT INTO marked (payload) SELECT '1' FROM generate_series(1, 100001)`);
  const columns = { id: 'id', aggregateType: null, aggregateId: 'id', type: 'id', payload: 'payload', order: null };
  const read = (after: 'mark' | 'delete') =>
    readOutboxTable(client, 'public.marked', { ...columns, sentAt: 'Sent at' }, after);
  const warns = async (index: string): Promise<boolean> => {
    await client.query(`CREATE INDEX tried ON marked ${index}`);
    const { warning } = await read('mark');
    await client.query('DROP INDEX tried');
    return warning !== null;
  };
  t.match((await read('mark')).warning, /CREATE INDEX CONCURRENTLY ON "public"."marked" \("Sent at"\) WHERE/);
  t.equal((await read('delete')).warning, null);
  t.equal(await warns('(state)'), true);
  t.equal(await warns('(state, "Sent at")'), true);
  t.equal(await warns('(id) WHERE "Sent at" IS NOT NULL'), true);
  t.equal(await warns('(id) WHERE "Sent at" IS NULL'), false);
  t.equal(await warns('("Sent at", id)'), false);
  const { rows } = await client.query<{ count: string }>((await read('mark')).countSql);
  t.equal(Number(rows[0]?.count), 100_000, 'counting ends');
});

t.test('an outbox row that is changed while it is on its way is sent as it is then, too', async (t) => {
  const schema = `${TABLE}; CREATE TABLE outbox (id bigserial PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload jsonb)`;
  const pair = await makePair(source, target, schema, ['public.orders']);
  const client = await pair.connect('source');
  await source.query(
    `INSERT INTO outbox (aggregateid, type, payload) VALUES ('1', 'one', '1'), ('1', 'two', '1')`,
    pair.from,
  );
  const names = { domain: 'orders', envelope: 'plain', topicOf: () => 'topic' } as const;
  const columns = {
    id: 'id',
    aggregateType: null,
    aggregateId: 'aggregateid',
    type: 'type',
    payload: 'payload',
    order: null,
    sentAt: '',
  };
  const table = await readOutboxTable(client, 'public.outbox', columns, 'delete');
  const sent: string[] = [];
  const sink: EventSink = {
    send: async (batch) => {
      sent.push(...batch.map(({ headers, value }) => `${headers.type} ${value}`));
      if (sent.length === 2) await source.query("UPDATE outbox SET payload = '2' WHERE type = 'one'", pair.from);
    },
    close: async () => {},
  };
  const turn = () =>
    takeOutboxTurn(client, sink, table, (event, from, moment) => outboxMessage(event, from, moment, names));
  await turn();
  await turn();
  t.strictSame(sent, ['one 1', 'two 1', 'one 2']);
  t.match(await turn(), { sent: 0, more: false });
});

t.test('an outbox table that is rewritten while its rows are on their way loses none', async (t) => {
  const schema = `${TABLE}; CREATE TABLE outbox (id bigserial PRIMARY KEY, aggregateid text, type text, payload jsonb)`;
  const pair = await makePair(source, target, schema, ['public.orders']);
  const client = await pair.connect('source');
  // Of one transaction, and as long as each other: nothing but their place tells them apart.
  await source.query(
    "INSERT INTO outbox (aggregateid, type, payload) SELECT '1', i::text, '1' FROM generate_series(1001, 4000) i",
    pair.from,
  );
  const names = { domain: 'orders', envelope: 'plain', topicOf: () => 'topic' } as const;
  const roles = { id: 'id', aggregateType: null, aggregateId: 'aggregateid', type: 'type', payload: 'payload' };
  const table = await readOutboxTable(client, 'public.outbox', { ...roles, order: null, sentAt: '' }, 'delete');
  const sent = new Set<unknown>();
  let turns = 0;
  const sink: EventSink = {
    send: async (batch) => {
      for (const { headers } of batch) sent.add(headers.type);
      turns += 1;
      if (turns === 2) await source.query('VACUUM FULL outbox', pair.from);
    },
    close: async () => {},
  };
  for (let more = true; more; ) {
    ({ more } = await takeOutboxTurn(client, sink, table, (event, from, moment) =>
      outboxMessage(event, from, moment, names),
    ));
  }
  t.equal(sent.size, 3_000);
  t.equal((await source.query('SELECT FROM outbox', pair.from)).rowCount, 0);
});
