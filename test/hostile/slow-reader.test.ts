import t, { type Test } from 'tap';
import { until } from '../clients/conditions.js';
import { onEachTarget, type Target } from '../clients/target.js';
import { MB, mb, residentMemory, serves } from './health.js';
import { cstring, frame, int16, int32, query, RawClient, SYNC } from './raw-client.js';

/** A result of more than a gigabyte. */
const BIG = 'SELECT o.id, repeat(md5(g::text), 30) AS body FROM orders o CROSS JOIN generate_series(1, 1200) g';
const extended = (sql: string): Buffer =>
  Buffer.concat([
    frame('P', Buffer.concat([cstring(''), cstring(sql), int16(0)])),
    frame('B', Buffer.concat([cstring(''), cstring(''), int16(0), int16(0), int16(0)])),
    frame('E', Buffer.concat([cstring(''), int32(0)])),
    SYNC,
  ]);

const KINDS: readonly [name: string, bytes: Buffer][] = [
  ['a simple Query', query(BIG)],
  ['the extended protocol', extended(BIG)],
  ['COPY TO STDOUT', query(`COPY (${BIG}) TO STDOUT`)],
];
const CLIENTS = 4;

/** How many of the clients' servers wait for somebody to take their bytes. */
async function waiting(target: Target, event: string): Promise<number> {
  const [row] = await target.inOrders<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'slow' AND wait_event = '${event}'`,
  );
  return row?.n ?? 0;
}

t.test('clients that do not read', (t) =>
  onEachTarget(t, async (t, target) => {
    for (const [name, bytes] of KINDS) {
      await t.test(`${name}: the server waits, the proxy does not grow`, async (t) => {
        const before = residentMemory(target);
        const clients = await slowClients(target);
        for (const client of clients) client.send(bytes);
        for (const client of clients) t.ok(await client.more());
        await until('servers that wait', async () => (await waiting(target, 'ClientWrite')) === CLIENTS);
        grownLittle(t, target, before);
        await serves(t, target);
        for (const client of clients) client.vanish();
        await until('the end of their servers', async () => (await waiting(target, 'ClientWrite')) === 0);
      });
    }

    await t.test('a client that reads late gets everything', async (t) => {
      const [client] = await slowClients(target);
      if (client === undefined) return;
      client.send(query("SELECT repeat('x', 1000) FROM orders CROSS JOIN generate_series(1, 50)"));
      await until('a server that waits', async () => (await waiting(target, 'ClientWrite')) === 1);
      const messages = await client.untilReady();
      t.equal(messages.filter((message) => message.type === 'D').length, 50_000);
      client.vanish();
    });

    await t.test('COPY FROM STDIN into a server that does not read', async (t) => {
      const before = residentMemory(target);
      const [client] = await slowClients(target);
      if (client === undefined) return;
      await target.inOrders('CREATE TABLE order_scratch (body text)');
      // The first row takes a lock that is held elsewhere, so the server stops reading.
      const holder = await RawClient.login(target);
      await holder.rows('BEGIN');
      await holder.rows('SELECT 1 FROM orders WHERE id = 1 FOR UPDATE');
      await target.inOrders(`
        CREATE FUNCTION wait_for_lock() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN PERFORM 1 FROM orders WHERE id = 1 FOR UPDATE; RETURN NEW; END';
        CREATE TRIGGER wait_for_lock BEFORE INSERT ON order_scratch EXECUTE FUNCTION wait_for_lock();`);
      client.send(query('COPY order_scratch FROM STDIN'));
      t.equal((await client.message())?.type, 'G');
      const data = frame('d', Buffer.from(`${'y'.repeat(999)}\n`.repeat(64)));
      let sent = 0;
      // Until the kernel's buffers on the way are full and none of them has moved for a while.
      for (let stuck = 0; stuck < 10 && sent < 200 * MB; ) {
        if (client.socket.writableLength > MB) {
          const left = client.socket.writableLength;
          await new Promise((resolve) => setTimeout(resolve, 50));
          stuck = client.socket.writableLength === left ? stuck + 1 : 0;
        } else {
          client.send(data);
          sent += data.length;
        }
      }
      t.ok(sent < 100 * MB, `the client could only send ${mb(sent)}`);
      grownLittle(t, target, before);
      await serves(t, target);
      holder.vanish();
      client.send(frame('c'));
      const done = (await client.untilReady()).find((message) => message.type === 'C');
      t.equal(done?.body.toString(), `COPY ${(sent / data.length) * 64}\0`);
      await target.inOrders('DROP TABLE order_scratch; DROP FUNCTION wait_for_lock()');
      client.vanish();
    });
  }),
);

const slowClients = (target: Target): Promise<RawClient[]> =>
  Promise.all(Array.from({ length: CLIENTS }, () => RawClient.login(target, { application_name: 'slow' })));

/** A buffered result would be hundreds of megabytes for each client. */
function grownLittle(t: Test, target: Target, before: number): void {
  const grown = residentMemory(target) - before;
  t.ok(grown < 120 * MB, `${CLIENTS} clients cost ${mb(grown)}`);
}
