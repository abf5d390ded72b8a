import t from 'tap';
import { cancelRequest } from '../clients/cancel.js';
import { running, until } from '../clients/conditions.js';
import { onEachTarget, type Target } from '../clients/target.js';
import { MB, memoryIsBack, residentMemory, serves } from './health.js';
import { frame, int32, query, RawClient } from './raw-client.js';

/** Waits until neither database has a session left that a vanished client had opened. */
function forgotten(target: Target, service: string): Promise<void> {
  const sql = `SELECT 1 FROM pg_stat_activity WHERE application_name = '${service}'`;
  return until(
    `no session of ${service}`,
    async () => (await target.inOrders(sql)).length + (await target.inMonolith(sql)).length === 0,
  );
}

t.test('clients that vanish', (t) =>
  onEachTarget(t, async (t, target) => {
    await t.test('in an open transaction: it is rolled back, its locks are gone', async (t) => {
      const client = await RawClient.login(target, { application_name: 'vanish-tx' });
      await client.rows('BEGIN');
      await client.rows('SELECT 1 FROM users LIMIT 1');
      await client.rows('DELETE FROM orders');
      client.vanish();
      await forgotten(target, 'vanish-tx');
      t.same(await target.inOrders('SELECT count(*)::int AS n FROM orders'), [{ n: 1000 }]);
      await target.inOrders('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE NOWAIT; COMMIT');
      await serves(t, target);
    });

    await t.test('in the middle of COPY IN: no row of it stays', async (t) => {
      const client = await RawClient.login(target, { application_name: 'vanish-copy-in' });
      client.send(query('COPY orders (user_id, note) FROM STDIN'));
      t.equal((await client.message())?.type, 'G');
      const rows = frame('d', Buffer.from('1\tvanished\n'.repeat(500)));
      client.send(rows, rows, rows.subarray(0, 100));
      await running(target, 'COPY orders');
      client.vanish();
      await forgotten(target, 'vanish-copy-in');
      t.same(await target.inOrders("SELECT 1 FROM orders WHERE note = 'vanished'"), []);
      await serves(t, target);
    });

    await t.test('in the middle of a result, of COPY OUT, and of a cursor', async (t) => {
      const before = residentMemory(target);
      const big = 'SELECT o.id, repeat(md5(g::text), 30) FROM orders o CROSS JOIN generate_series(1, 20000) g';
      for (const sql of [big, `COPY (${big}) TO STDOUT`, `BEGIN; DECLARE c CURSOR FOR ${big}; FETCH 30000 FROM c`]) {
        const clients = await Promise.all(
          Array.from({ length: 10 }, () => RawClient.login(target, { application_name: 'vanish-out' })),
        );
        for (const client of clients) client.send(query(sql));
        for (const client of clients) t.ok(await client.more());
        for (const client of clients) client.vanish();
        await forgotten(target, 'vanish-out');
      }
      await serves(t, target);
      await memoryIsBack(t, target, before, 100 * MB);
    });

    await t.test('while the server waits: the query ends or is found out by its end', async (t) => {
      const client = await RawClient.login(target, { application_name: 'vanish-sleep' });
      client.send(query('SELECT pg_sleep(2) FROM orders LIMIT 1'));
      await running(target, 'pg_sleep(2)');
      client.vanish();
      await forgotten(target, 'vanish-sleep');
      await serves(t, target);
    });

    await t.test('right after login, hundreds of them', async (t) => {
      const before = residentMemory(target);
      for (let turn = 0; turn < 10; turn += 1) {
        const clients = await Promise.all(
          Array.from({ length: 30 }, () => RawClient.login(target, { application_name: 'vanish-login' })),
        );
        for (const client of clients) client.vanish();
        await forgotten(target, 'vanish-login');
      }
      await serves(t, target);
      await memoryIsBack(t, target, before, 100 * MB);
    });

    await t.test('cancel requests with wrong keys do nothing, the right one cancels', async (t) => {
      const client = await RawClient.login(target);
      const { pid, secret } = client.key;
      client.send(query('SELECT pg_sleep(60) /* wrong-keys */ FROM orders LIMIT 1'));
      await running(target, 'wrong-keys');
      const wrong: readonly [number, number][] = [
        [pid, secret + 1],
        [pid, 0],
        [pid + 1, secret],
        [0, 0],
        [-1, -1],
        [secret, pid],
      ];
      for (const [wrongPid, wrongSecret] of wrong) {
        await cancelRequest(target.host, target.port, wrongPid | 0, wrongSecret | 0);
      }
      await running(target, 'wrong-keys');
      await cancelRequest(target.host, target.port, pid, secret);
      const answer = await client.untilReady();
      t.ok(
        answer.some((message) => message.type === 'E' && message.body.includes('57014')),
        'cancelled by the right key alone',
      );
      await serves(t, target);
      client.vanish();
    });

    await t.test('a cancel request of an idle session does not hit its next query', async (t) => {
      const client = await RawClient.login(target);
      for (let turn = 0; turn < 20; turn += 1) {
        await cancelRequest(target.host, target.port, client.key.pid, client.key.secret);
        await client.rows('SELECT count(*) FROM orders').catch((error: Error) => {
          // Bare Postgres sends the signal after it has closed the cancel connection, so it may hit late there.
          if (target.name === 'pgfig') throw error;
        });
      }
      t.pass('twenty times');
      client.vanish();
    });

    await t.test('a session that is cancelled while it copies in can go on', async (t) => {
      const client = await RawClient.login(target);
      client.send(query('COPY orders (user_id) FROM STDIN'));
      t.equal((await client.message())?.type, 'G');
      client.send(frame('d', Buffer.from('1\n')));
      await running(target, 'COPY orders');
      await cancelRequest(target.host, target.port, client.key.pid, client.key.secret);
      // A server that waits for copy data sees the cancellation with the next of them.
      const more = setInterval(() => client.send(frame('d', Buffer.from('1\n'))), 50);
      const answer = await client.untilReady().finally(() => clearInterval(more));
      t.ok(answer.some((message) => message.type === 'E' && message.body.includes('57014')));
      client.send(frame('d', int32(0)), frame('c'));
      t.same(await client.rows('SELECT count(*) FROM orders'), ['1000'], 'late CopyData is dropped');
      client.vanish();
    });
  }),
);
