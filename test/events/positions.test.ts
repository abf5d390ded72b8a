import t from 'tap';
import { readPositions } from '../../src/events/feed/positions.js';
import { snapshotText } from '../../src/mirror/position/snapshot.js';
import { makePair } from '../mirror/capture-support.js';
import { startPostgres } from '../support/postgres.js';

/** A sweep deletes what the target has and no consumer's row holds back; a commit may wait for a standby. */
t.test('what is swept while a feed registers, its position has', async (t) => {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY)', ['public.a']);
  await pair.install();
  const [feed, writer] = [await pair.connect('source'), await pair.connect('source')];
  await writer.query('SET synchronous_commit = local');
  const { rows: mirrors } = await writer.query<{ id: number }>('SELECT id FROM pgfig.mirrors');
  const mirror = mirrors[0]?.id ?? 0;
  const standby = async (name: string): Promise<void> => {
    await writer.query(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
    await writer.query('SELECT pg_reload_conf()');
  };
  const waits = async (sql: string, values: readonly unknown[] = []): Promise<void> => {
    const deadline = Date.now() + 20_000;
    while ((await writer.query(sql, [...values])).rows.length === 0) {
      if (Date.now() > deadline) throw new Error(`not in 20 s: ${sql}`);
    }
  };
  await standby('nobody');
  const probe = await pair.connect('source');
  let probing = true;
  const probes = (async () => {
    while (probing) await probe.query("SELECT pg_logical_emit_message(true, 'probe', ''), pg_current_xact_id()");
  })();
  await waits("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  probing = false;
  const reading = readPositions(feed, mirror);
  const pid = (feed as unknown as { processID: number }).processID;
  await waits("SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'", [pid]);
  await writer.query('INSERT INTO a VALUES (1)');
  const { rows: consumers } = await writer.query('SELECT FROM pgfig.consumers');
  t.equal(consumers.length, 0, 'a sweep would not see the consumer now, and delete the event');
  await standby('');
  await probes;
  const { position } = await reading;
  const { rows: seen } = await writer.query(
    'SELECT key, pg_visible_in_snapshot(xid, $1::pg_snapshot) AS seen FROM pgfig.outbox',
    [snapshotText(position)],
  );
  t.same(seen, [{ key: '1', seen: true }], 'the position has it: it misses nothing');
  await writer.query("UPDATE pgfig.consumers SET position = '3:3:'");
  await writer.query('INSERT INTO a VALUES (2)');
  const again = await readPositions(feed, mirror);
  t.not(snapshotText(again.position), '3:3:', 'who has crashed in between begins now');
});
