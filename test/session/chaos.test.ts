import pg from 'pg';
import t from 'tap';
import { startShop, until, value } from './two-databases.js';

/**
 * Backends die at any moment while clients write. Whatever happens, what a client was told must be true: COMMIT means
 * that its rows are there, ROLLBACK or an error before COMMIT that they are not; and nobody waits for ever.
 */
const shop = await startShop({
  inOrders: 'CREATE TABLE entries (id int PRIMARY KEY);',
  rules: { entries: { database: 'orders_db', tables: ['public.entries'], phase: 'write-new' } },
});
const DURATION = Number(process.env.PGFIG_CHAOS_MS ?? 6_000);
const CLIENTS = 8;
const PATIENCE = 10_000;

const committed = new Set<number>();
const undone = new Set<number>();
const counts = { transactions: 0, unknown: 0, errors: 0, sessionsLost: 0, kills: 0 };
const surprises: string[] = [];
let ids = 0;
let over = false;

async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer for ${PATIENCE} ms: ${what}`)), PATIENCE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One transaction in one of several shapes; notes what its end was told. */
async function transact(client: pg.Client, shape: number): Promise<void> {
  const kept: number[] = [];
  const gone: number[] = [];
  const send = (sql: string, name?: string): Promise<pg.QueryResult> =>
    inTime(client.query(name === undefined ? sql : { name, text: sql, values: [] }), sql);
  const insert = async (list: number[]): Promise<void> => {
    const id = ++ids;
    list.push(id);
    const text = 'INSERT INTO entries VALUES ($1) RETURNING id';
    const { rows } =
      shape % 3 === 0
        ? await inTime(client.query({ name: 'insert', text, values: [id] }), 'insert')
        : await send(text.replace('$1', String(id)));
    if (rows[0]?.id !== id) surprises.push(`INSERT of ${id} got another's answer: ${JSON.stringify(rows)}`);
  };
  let ending = false;
  counts.transactions++;
  try {
    await send('BEGIN', shape % 2 === 0 ? 'begin' : undefined);
    if (shape % 4 < 3) await send('SELECT count(*) FROM users');
    await insert(kept);
    if (shape % 5 === 0) {
      await send('SAVEPOINT a');
      await insert(gone);
      await send('SELECT count(*) FROM users');
      await send('ROLLBACK TO a');
    }
    if (shape % 3 === 1) await send('SELECT count(*) FROM users');
    await insert(kept);
    ending = true;
    const { command } = await send('COMMIT', shape % 2 === 0 ? 'commit' : undefined);
    for (const id of gone) undone.add(id);
    for (const id of kept) (command === 'COMMIT' ? committed : undone).add(id);
    // Nothing has failed, so there is no reason for anything else.
    if (command !== 'COMMIT') surprises.push(`COMMIT answered ${command} without an error before`);
  } catch (raised) {
    const error = raised as pg.DatabaseError;
    if (/no answer/.test(error.message)) surprises.push(error.message);
    counts.errors++;
    if (ending) {
      // 08007, or the client's own connection has ended: nobody knows.
      if (error.code !== '08007' && error.code !== '57P01' && error.code !== undefined) {
        for (const id of [...kept, ...gone]) undone.add(id);
      } else counts.unknown++;
    } else for (const id of [...kept, ...gone]) undone.add(id);
    await rollBack(client, [...kept, ...gone], ending);
  }
}

/** After an error, COMMIT must say ROLLBACK: half of a transaction must not be committed. */
async function rollBack(client: pg.Client, ids: readonly number[], ending: boolean): Promise<void> {
  if (ended.has(client)) return;
  try {
    const { command } = await inTime(client.query('COMMIT'), 'COMMIT after an error');
    if (!ending && command !== 'ROLLBACK') surprises.push(`COMMIT after an error answered ${command} (${ids.join()})`);
  } catch (error) {
    if (/no answer/.test(String(error))) surprises.push(String(error));
  }
}

const ended = new WeakSet<pg.Client>();
async function client(number: number): Promise<void> {
  let current: pg.Client | null = null;
  for (let shape = number; !over; shape++) {
    if (current === null || ended.has(current)) {
      if (current !== null) counts.sessionsLost++;
      const fresh: pg.Client = new pg.Client({ connectionString: shop.pgfig.url() });
      fresh.on('error', () => ended.add(fresh));
      fresh.on('end', () => ended.add(fresh));
      current = await inTime(fresh.connect(), 'login').then(
        () => fresh,
        () => null,
      );
      if (current === null) continue;
    }
    await transact(current, shape);
  }
  await current?.end().catch(() => undefined);
}

async function killer(): Promise<void> {
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND query !~ 'pg_stat|pg_catalog' ORDER BY random() LIMIT 1`;
  for (let i = 0; !over; i++) {
    const rows = i % 3 === 0 ? await shop.inMonolith(sql) : await shop.inOrders(sql);
    counts.kills += rows.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

t.test('what was told is true, whatever dies', async (t) => {
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
  const killing = killer();
  setTimeout(() => {
    over = true;
  }, DURATION);
  await Promise.all([...clients, killing]);
  t.comment(JSON.stringify({ ...counts, committed: committed.size, undone: undone.size }));
  t.strictSame(surprises, []);
  await until(
    async () =>
      (await shop.inOrders("SELECT 1 FROM pg_stat_activity WHERE state LIKE '%in transaction%'")).length === 0,
    'the last transactions are over',
  );
  const there = new Set((await shop.inOrders<{ id: number }>('SELECT id FROM entries')).map(({ id }) => id));
  const lost = [...committed].filter((id) => !there.has(id));
  const revived = [...undone].filter((id) => there.has(id));
  t.strictSame(lost, [], 'told COMMIT, and lost');
  t.strictSame(revived, [], 'told that they are undone, and there');
  t.ok(committed.size > 20, `${committed.size} committed`);
  t.ok(counts.kills > 20 && counts.errors > 5, `${counts.kills} kills, ${counts.errors} errors`);
});

t.test('afterwards everything works', async (t) => {
  const fresh = await shop.connect();
  t.equal(await value(fresh, 'SELECT count(*)::int FROM users'), 2);
  t.equal(await value(fresh, 'SELECT count(*)::int FROM orders'), 2);
  t.notMatch(shop.pgfig.logs(), /unexpected error|TypeError/);
});
