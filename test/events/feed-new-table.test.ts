import t from 'tap';
import type { EventMessage } from '../../src/events/event.js';
import { ChangeFeed } from '../../src/events/feed/change-feed.js';
import { openMirrorClient } from '../../src/mirror/connection.js';
import { makePair } from '../mirror/capture-support.js';
import { startPostgres } from '../support/postgres.js';

const DEADLINE_MS = 20_000;

/** A domain is captured table by table, and rules grow: the feed's position is one for all of them. */
t.test('the position does not pass what a table wrote that the feed does not know yet', async (t) => {
  const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  const tables = ['public.a', 'public.b'];
  const schema = 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)';
  const pair = await makePair(source, target, schema, tables);
  await pair.install({ mirror: { tables: ['public.a'] } });
  const sent: EventMessage[] = [];
  const feed = new ChangeFeed({
    domain: 'orders',
    envelope: 'plain',
    topicOf: () => 'topic',
    shared: true,
    connect: () => openMirrorClient(pair.config, 'monolith', 'feed'),
    openSink: async () => ({ send: async (batch) => void sent.push(...batch), close: async () => undefined }),
    listener: { onTrouble: () => undefined, onStall: () => undefined, onWarning: () => undefined },
  });
  t.teardown(() => feed.close());
  const until = async (holds: () => boolean, what: string): Promise<void> => {
    for (const deadline = Date.now() + DEADLINE_MS; !holds(); await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (Date.now() > deadline) throw new Error(`not in ${DEADLINE_MS} ms: ${what}`);
    }
  };
  const keys = (): (string | undefined)[] => sent.map(({ key }) => key?.toString());
  await until(() => feed.status.waiting === 0, 'the feed has begun');
  await source.query('INSERT INTO a VALUES (1)', pair.from);
  await until(() => sent.length === 1, 'the first row is sent');
  await pair.install();
  await source.query('INSERT INTO b VALUES (1)', pair.from);
  await source.query('INSERT INTO a VALUES (2)', pair.from);
  await until(() => sent.length >= 3, 'both are sent');
  t.strictSame(keys().toSorted(), [
    '{"table":"public.a","key":{"id":1}}',
    '{"table":"public.a","key":{"id":2}}',
    '{"table":"public.b","key":{"id":1}}',
  ]);
});
