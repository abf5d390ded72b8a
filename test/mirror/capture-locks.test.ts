import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { onlyAutovacuum } from '../../src/mirror/capture/lock-queue.js';
import type { LockWait } from '../../src/mirror/capture/short-locks.js';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';

const SCHEMA = `
CREATE TABLE orders (id int PRIMARY KEY, n int);
CREATE TABLE parts (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
${[0, 1, 2, 3].map((at) => `CREATE TABLE parts_${at} PARTITION OF parts FOR VALUES FROM (${at}) TO (${at + 1});`).join('\n')}
INSERT INTO orders SELECT i, 0 FROM generate_series(1, 100) i;
INSERT INTO parts SELECT i, 0 FROM generate_series(0, 3) i`;

const server = await startPostgres({ version: 15, settings: { log_lock_waits: 'on' } });

for (const table of ['orders', 'parts'] as const) {
  t.test(`writers of ${table} wait for a moment alone while a long transaction holds it`, async (t) => {
    const pair = await makePair(server, server, SCHEMA, [`public.${table}`]);
    const holders = [await pair.connect('source'), await pair.connect('source')];
    // Of a partitioned table two leaves are held, one after the other in the order of locking.
    const held =
      table === 'orders'
        ? ['UPDATE orders SET n = n WHERE id = 100', 'SELECT']
        : ['UPDATE parts_1 SET n = n', 'UPDATE parts_3 SET n = n'];
    for (const [at, holder] of holders.entries()) await holder.query(`BEGIN; ${held[at]}`);
    const stop = { done: false };
    let longest = 0;
    let writes = 0;
    const write = async (id: number): Promise<void> => {
      const client = await pair.connect('source');
      while (!stop.done) {
        const began = performance.now();
        await client.query(`UPDATE ${table} SET n = n + 1 WHERE id = ${id}`);
        longest = Math.max(longest, performance.now() - began);
        writes += 1;
        await sleep(5);
      }
      await client.end();
    };
    const writers = Promise.all((table === 'orders' ? [1, 2, 3] : [0, 2]).map(write));
    const waits: LockWait[] = [];
    const release = async (): Promise<void> => {
      for (const holder of holders) await holder.query('COMMIT');
    };
    const onWait = (wait: LockWait): void => {
      waits.push(wait);
      if (waits.length === 2) void release();
    };
    const installed = pair.install({ budget: 30_000, onWait });
    t.match(await installed, { changed: [`public.${table}`] });
    stop.done = true;
    await writers;
    t.ok(waits.length >= 2, 'it tried, left the queue, and tried again');
    t.match(waits[0], { what: `capture of public.${table}`, attempt: 1, holders: [/pid \d+ \(.*in transaction/] });
    // It stands in the queue for 50 ms; what is above is the machine's.
    t.ok(longest < 50 + 1_000, `longest write: ${longest.toFixed(0)} ms`);
    t.ok(writes > 0);
    t.same((await server.query('SELECT count(*)::int AS n FROM pgfig.captured', pair.from)).rows, [{ n: 1 }]);
  });
}

t.test('stands in the queue for long only where an autovacuum is in the way', async (t) => {
  const look = (autovacuum: boolean, ...others: string[]) => ({ autovacuum, others: new Set(others) });
  t.equal(onlyAutovacuum(look(false), null), false);
  t.equal(onlyAutovacuum(look(true), null), true);
  t.equal(onlyAutovacuum(look(true, '3/1'), null), false, 'who else it is, is not known yet');
  t.equal(onlyAutovacuum(look(true, '3/2'), look(true, '3/1')), true, 'writers that come and go');
  t.equal(onlyAutovacuum(look(true, '3/2', '4/1'), look(true, '4/1')), false, 'one that stays');
});

t.test('gives up after its budget, and the next run completes what is there', async (t) => {
  const pair = await makePair(server, server, SCHEMA, ['public.orders', 'public.parts']);
  const holder = await pair.connect('source');
  await holder.query('BEGIN; UPDATE parts SET n = n WHERE id = 2');
  await t.rejects(pair.install({ budget: 0 }), {
    code: 'MIRROR_BUSY',
    message: /capture of public\.parts got no lock.*held by pid \d+/,
    retryable: true,
  });
  const { rows } = await server.query('SELECT table_name FROM pgfig.captured', pair.from);
  t.same(rows, [{ table_name: 'public.orders' }], 'what was installed stays');
  await server.query('UPDATE orders SET n = 1 WHERE id = 1', pair.from);
  await holder.query('COMMIT');
  t.match(await pair.install(), { changed: ['public.parts', 'public.orders'] });
});

t.test('a lock_timeout above the deadlock_timeout makes autovacuum give way', async (t) => {
  const slow = await startPostgres({
    version: 18,
    settings: {
      autovacuum: 'on',
      autovacuum_naptime: '1',
      autovacuum_vacuum_cost_delay: '100',
      autovacuum_vacuum_cost_limit: '1',
      deadlock_timeout: '1200',
    },
  });
  const pair = await makePair(slow, slow, SCHEMA, ['public.orders']);
  await slow.query(
    `ALTER TABLE orders SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
    INSERT INTO orders SELECT i, 0 FROM generate_series(1000, 60000) i; DELETE FROM orders WHERE id % 2 = 0`,
    pair.from,
  );
  const vacuuming = async (): Promise<boolean> =>
    (
      await slow.query(
        `SELECT FROM pg_locks WHERE relation = 'orders'::regclass AND mode = 'ShareUpdateExclusiveLock' AND granted`,
        pair.from,
      )
    ).rowCount === 1;
  const deadline = Date.now() + 60_000;
  while (!(await vacuuming())) {
    if (Date.now() > deadline) throw new Error('autovacuum has not come');
    await sleep(50);
  }
  const waits: LockWait[] = [];
  await pair.install({ budget: 0, onWait: (wait) => void waits.push(wait) });
  t.same(waits, [], 'at the first try');
});
