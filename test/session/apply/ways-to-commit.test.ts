import t, { type Test } from 'tap';
import {
  bind,
  copyDone,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  sync,
} from '../../../src/wire/frontend-messages.js';
import { cstring, describe, frame, int16, int32, type RawClient } from '../../hostile/raw-client.js';
import type { EmbeddedTraffic } from './embedded-traffic.js';
import { login, mirroredShop } from './mirrored-shop.js';

/** Every way to commit, with the matrix and without: which ReadyForQuery is held, and which is not. */

const shop = await mirroredShop();
const functionOid = Number(
  (await shop.server.query("SELECT 'writes_unseen'::regproc::oid AS oid", 'shop')).rows[0]?.oid as number,
);

/** Sent in one write; then how many ReadyForQuery come, and which of them are held. `gives`: of a sequence of types. */
interface Step {
  readonly send: readonly Buffer[];
  readonly held: readonly boolean[];
}
const free = (...send: readonly Buffer[]): Step => ({ send, held: [false] });
const held = (...send: readonly Buffer[]): Step => ({ send, held: [true] });
const q = (sql: string): Step => free(query(sql));
const h = (sql: string): Step => held(query(sql));

/** A statement by the extended protocol, without its Sync. */
const run = (sql: string, ...values: readonly string[]): Buffer =>
  Buffer.concat([parse('', sql), bind('', '', values), execute()]);

let ids = 1_000;
const insert = (): string => `INSERT INTO orders VALUES (${++ids})`;
const copyData = (text: string): Buffer => frame('d', Buffer.from(text));

const functionCall = (value: string): Buffer =>
  frame(
    'F',
    Buffer.concat([
      int32(functionOid),
      int16(1),
      int16(0),
      int16(1),
      int32(value.length),
      Buffer.from(value),
      int16(0),
    ]),
  );

const HELD: Readonly<Record<string, () => readonly Step[]>> = {
  'a statement': () => [h(insert())],
  'other statements that write': () => [
    h('UPDATE orders SET id = id WHERE id < 0'),
    h('DELETE FROM orders WHERE id < 0'),
    h('WITH x AS (DELETE FROM orders WHERE id < 0 RETURNING 1) SELECT count(*) FROM x'),
    h('MERGE INTO orders o USING users u ON o.id = u.id WHEN MATCHED THEN DELETE'),
    h('TRUNCATE slow, orders'),
    h('EXPLAIN ANALYZE DELETE FROM orders WHERE id < 0'),
  ],
  'a view, a partition': () => [h('DELETE FROM all_orders WHERE id < 0'), h('DELETE FROM days_1 WHERE id < 0')],
  'a transaction': () => [q('BEGIN'), q(insert()), q('SELECT 1'), h('COMMIT'), q('SELECT 1')],
  'END, and START TRANSACTION': () => [q('START TRANSACTION'), q(insert()), h('END')],
  'a transaction that goes back to a savepoint': () => [
    ...[q('BEGIN'), q(insert()), q('SAVEPOINT a'), q('SELECT 1/0'), q('ROLLBACK TO a')],
    h('COMMIT'),
  ],
  'COMMIT AND CHAIN': () => [
    ...[q('BEGIN'), q(insert()), h('COMMIT AND CHAIN'), q('SELECT 1')],
    ...[q('COMMIT AND CHAIN'), q(insert()), h('COMMIT')],
  ],
  'a string': () => [h(`SELECT 1; ${insert()}; SELECT 2`)],
  'a string that begins and commits': () => [h(`BEGIN; ${insert()}; COMMIT`), q('SELECT 1')],
  'a string that begins, and COMMIT': () => [q(`BEGIN; ${insert()}`), h('COMMIT')],
  'a string that commits': () => [q('BEGIN'), q(insert()), h('COMMIT; SELECT 1'), q('SELECT 1')],
  'a string that commits and begins': () => [q('BEGIN'), q(insert()), h('COMMIT; BEGIN'), q('COMMIT')],
  'a string that commits and fails': () => [q('BEGIN'), q(insert()), h('COMMIT; SELECT 1/0')],
  'a string that writes, commits and fails': () => [h(`${insert()}; COMMIT; SELECT 1/0`)],
  'a string that commits, writes and rolls back': () => [h(`BEGIN; ${insert()}; COMMIT; BEGIN; ${insert()}; ROLLBACK`)],
  COPY: () => [held(query('COPY orders FROM STDIN'), copyData(`${++ids}\t\\N\n`), copyDone)],
  'COPY in a transaction': () => [
    q('BEGIN'),
    free(query('COPY orders FROM STDIN'), copyData(`${++ids}\t\\N\n`), copyDone),
    h('COMMIT'),
  ],
  'COPY by the extended protocol': () => [
    held(run('COPY orders FROM STDIN'), copyData(`${++ids}\t\\N\n`), copyDone, sync),
  ],
  'the extended protocol': () => [held(run(insert()), sync)],
  'a pipeline until Sync': () => [held(run(insert()), run('SELECT 1'), run(insert()), sync)],
  'a pipeline with Flush': () => [held(run(insert()), flush, run('SELECT 1'), flush, sync)],
  'several pipelines, each with its Sync': () => [
    { send: [run(insert()), sync, run('SELECT 1'), sync, run(insert()), sync], held: [true, false, true] },
  ],
  'several queries in one write': () => [
    { send: [query('SELECT 1'), query(insert()), query('SELECT 2')], held: [false, true, false] },
  ],
  'a transaction by the extended protocol': () => [
    ...[free(run('BEGIN'), sync), free(run(insert()), sync), held(run('COMMIT'), sync)],
  ],
  'a transaction in one pipeline': () => [held(run('BEGIN'), run(insert()), run('COMMIT'), sync)],
  'a transaction in one pipeline that fails afterwards': () => [
    held(run('BEGIN'), run(insert()), run('COMMIT'), run('SELECT 1/0'), sync),
  ],
  'COMMIT in a pipeline without BEGIN': () => [held(run(insert()), run('COMMIT'), sync)],
  'AND CHAIN by the extended protocol': () => [
    ...[free(run('BEGIN'), sync), free(run(insert()), sync), held(run('COMMIT AND CHAIN'), sync)],
    ...[free(run('SELECT 1'), sync), free(run('COMMIT'), sync)],
  ],
  'a statement prepared once': () => [
    free(parse('once', 'INSERT INTO orders VALUES ($1)'), describeStatement('once'), sync),
    held(bind('', 'once', [`${++ids}`]), execute(), sync),
    held(bind('p', 'once', [`${++ids}`]), execute('p'), sync),
  ],
  'PREPARE and EXECUTE': () => [
    q('PREPARE ins (int) AS INSERT INTO orders VALUES ($1)'),
    h(`EXECUTE ins (${++ids})`),
    held(run(`EXECUTE ins (${++ids})`), sync),
    h(`SELECT 1; EXECUTE ins (${++ids})`),
    held(bind('', 'ins', [`${++ids}`]), execute(), sync),
    h(`EXPLAIN ANALYZE EXECUTE ins (${++ids})`),
  ],
  'PREPARE in a string, of which only the server knows': () => [
    q('PREPARE unseen (int) AS INSERT INTO orders VALUES ($1); SELECT 1'),
    h(`EXECUTE unseen (${++ids})`),
    held(bind('', 'unseen', [`${++ids}`]), execute(), sync),
  ],
  'a function with dynamic SQL': () => [
    h(`SELECT writes_unseen(${++ids})`),
    ...[q('BEGIN'), q(`SELECT writes_unseen(${++ids})`), h('COMMIT')],
    held(run('SELECT writes_unseen($1)', `${++ids}`), sync),
  ],
  'a function with dynamic SQL, through a cursor': () => [
    ...[q('BEGIN'), q(`DECLARE c CURSOR FOR SELECT writes_unseen(${++ids})`), q('FETCH ALL FROM c'), h('COMMIT')],
  ],
  DO: () => [h(`DO $$ BEGIN EXECUTE '${insert()}'; END $$`), h(`DO $$ BEGIN ${insert()}; END $$`)],
  'a procedure that commits and fails': () => [
    h(`CALL commits_and_fails(${++ids})`),
    held(run(`CALL commits_and_fails(${++ids})`), sync),
  ],
  FunctionCall: () => [held(functionCall(`${++ids}`)), q('BEGIN'), free(functionCall(`${++ids}`)), h('COMMIT')],
  'a trigger, a cascade': () => [
    h(`INSERT INTO notes VALUES (${++ids})`),
    q('INSERT INTO customers VALUES (1)'),
    h('DELETE FROM customers'),
  ],
  'a transaction over two databases': () => [
    ...[q('BEGIN'), q('SELECT * FROM moved'), q(insert()), q('SELECT * FROM moved'), h('COMMIT')],
    ...[q('BEGIN'), q(insert()), q('SELECT * FROM moved'), h('COMMIT AND CHAIN'), q('SELECT 1'), q('COMMIT')],
    q('BEGIN'),
    ...[free(run(insert()), run('SELECT * FROM moved'), sync), held(run('COMMIT'), sync)],
  ],
  'a pipeline over two databases': () => [
    held(run('SELECT * FROM moved'), run(insert()), run('SELECT * FROM moved'), sync),
    held(run('SELECT * FROM moved'), run(insert()), run('COMMIT'), sync),
  ],
  // Since version 17 its implicit transaction goes on.
  'a pipeline without Sync, a Query behind it, and COMMIT': () => [free(run(insert()), query('SELECT 1')), h('COMMIT')],
  'a string that is split': () => [h(`SELECT writes_unseen(${++ids}); SELECT * FROM public.moved`)],
  'what was prepared for two phases': () => [
    ...[q('BEGIN'), q(insert()), q("PREPARE TRANSACTION 'two'"), h("COMMIT PREPARED 'two'")],
  ],
};

const FREE: Readonly<Record<string, () => readonly Step[]>> = {
  reads: () => [
    ...[q('SELECT * FROM orders'), q('SELECT * FROM orders FOR UPDATE'), free(run('SELECT * FROM orders'), sync)],
    ...[q('BEGIN'), q('SELECT * FROM orders FOR UPDATE'), q('COMMIT'), q('COPY orders TO STDOUT')],
    ...[q('SELECT harmless(1)'), q('SELECT 1'), q('EXPLAIN DELETE FROM orders'), q('SHOW search_path')],
  ],
  'tables of no domain': () => [
    ...[q('DELETE FROM users'), q('CREATE TEMP TABLE own (id int)'), q('INSERT INTO own VALUES (1)')],
    ...[free(run('DELETE FROM users'), sync), q('BEGIN'), q('DELETE FROM users'), q('COMMIT')],
  ],
  'a domain that has moved': () => [q('DELETE FROM moved'), free(run('DELETE FROM moved'), sync)],
  'statement capture, which writes both itself': () => [q('DELETE FROM teed')],
  ROLLBACK: () => [
    ...[q('BEGIN'), q(insert()), q('ROLLBACK'), q('SELECT 1')],
    ...[q('BEGIN'), q(insert()), q('ROLLBACK AND CHAIN'), q('COMMIT')],
    ...[q(`BEGIN; ${insert()}; ROLLBACK`), q(`${insert()}; ROLLBACK`)],
    ...[free(run('BEGIN'), run(insert()), run('ROLLBACK'), sync)],
  ],
  'a statement that fails': () => [
    q('INSERT INTO orders SELECT 1/0'),
    q('INSERT INTO orders VALUES (1, 12345)'),
    free(run('INSERT INTO orders SELECT 1/0'), sync),
    q(`${insert()}; SELECT 1/0`),
    q(`${insert()} and so on`),
    q('INSERT INTO nowhere VALUES (1)'),
  ],
  'a pipeline that fails': () => [free(run(insert()), run('SELECT 1/0'), run(insert()), sync)],
  'a pipeline over two databases that fails': () => [
    free(run('SELECT * FROM moved'), run(insert()), run('SELECT 1/0 FROM moved RIGHT JOIN (SELECT 1) a ON true'), sync),
  ],
  'COMMIT of a transaction that has failed': () => [
    ...[q('BEGIN'), q(insert()), q('SELECT 1/0'), q('COMMIT')],
    ...[q('BEGIN'), q(insert()), q('SELECT 1/0'), q('COMMIT AND CHAIN'), q('COMMIT')],
    ...[q('BEGIN'), q(insert()), q('SELECT 1/0'), free(run('COMMIT'), sync)],
  ],
  'COMMIT that a deferred constraint refuses': () => [
    ...[q('BEGIN'), q('SET CONSTRAINTS ALL DEFERRED'), q(`INSERT INTO orders VALUES (${++ids}, 12345)`), q('COMMIT')],
  ],
  'COPY that is given up': () => [free(query('COPY orders FROM STDIN'), frame('f', cstring('no')))],
  'a transaction that only reads, whatever its functions do': () => [
    ...[q('BEGIN READ ONLY'), q('SELECT looks_unseen(1)'), q('COMMIT')],
    ...[q('BEGIN'), q('SET TRANSACTION READ ONLY'), q('SELECT looks_unseen(1)'), q('COMMIT')],
  ],
  'PREPARE, and EXECUTE of what reads': () => [
    ...[q('PREPARE ins2 (int) AS INSERT INTO orders VALUES ($1)'), q('PREPARE sel AS SELECT * FROM orders')],
    ...[q('EXECUTE sel'), free(run('EXECUTE sel'), sync), free(parse('s', insert()), describeStatement('s'), sync)],
  ],
  'what leaves state behind, prepared by SQL and run by the extended protocol': () => [
    q("PREPARE next AS SELECT nextval('numbers')"),
    free(bind('', 'next'), execute(), sync),
    q("PREPARE setting AS SELECT set_config('app.x', 'y', false)"),
    free(bind('', 'setting'), execute(), sync),
  ],
  'LOCK, and what was only prepared for two phases': () => [
    ...[q('BEGIN'), q('LOCK TABLE orders'), q('COMMIT')],
    ...[q('BEGIN'), q(insert()), q("PREPARE TRANSACTION 'undone'"), q("ROLLBACK PREPARED 'undone'")],
  ],
};

/** What the client has been said so far, one string for each ReadyForQuery and what came before it. */
async function read(client: RawClient, said: string[], count: number): Promise<void> {
  while (said.length < count) said.push((await client.untilReady()).map(describe).join(' '));
}

async function play(t: Test, traffic: EmbeddedTraffic, steps: readonly Step[]): Promise<void> {
  const [client, other] = await Promise.all([login(traffic), login(traffic)]);
  const { relays } = traffic;
  relays.forget();
  for (const [at, { send, held }] of steps.entries()) {
    const said: string[] = [];
    client.send(...send);
    const all = read(client, said, held.length);
    const first = held.indexOf(true);
    await Promise.race([relays.request(), all]);
    if (relays.open.length > 0 !== first >= 0) {
      return void t.fail(`step ${at + 1} is ${first < 0 ? '' : 'not '}held`, { said });
    }
    if (first < 0) continue;
    // A round trip: what was on its way to the client has arrived by then.
    await other.rows('SELECT 1');
    if (said.length > first)
      return void t.fail(`step ${at + 1}: ReadyForQuery came without the relay's answer`, { said });
    while (said.length < held.length) {
      relays.answer();
      await Promise.race([all, relays.request()]);
    }
  }
  t.strictSame(relays.open, [], 'nothing is asked for in vain');
}

/** The next test begins with nothing outstanding. */
async function settled({ relays, traffic }: EmbeddedTraffic): Promise<void> {
  while (relays.open.length > 0) relays.answer();
  traffic.registry.closeAll();
}

for (const enabled of [true, false]) {
  const traffic = await shop.open({ matrix: { enabled } });
  const title = enabled ? 'with the matrix' : 'without the matrix';
  for (const [name, steps] of Object.entries(HELD)) {
    t.test(`${title}: held: ${name}`, async (t) => {
      await play(t, traffic, steps()).finally(() => settled(traffic));
      t.ok(traffic.relays.asked.length > 0);
    });
  }
  for (const [name, steps] of Object.entries(FREE)) {
    t.test(`${title}: not held: ${name}`, async (t) => {
      await play(t, traffic, steps()).finally(() => settled(traffic));
      t.strictSame(traffic.relays.asked, []);
    });
  }
}
