import t from 'tap';
import { bind, describePortal, execute, parse, query, sync } from '../../src/wire/frontend-messages.js';
import { errorFields, type Message, RawClient } from '../hostile/raw-client.js';
import { startShop } from './two-databases.js';

/**
 * Random sessions, held with bare Postgres, which has all tables in one database, and through pgfig with the tables
 * in two: message by message they must read the same, and leave the same rows. PGFIG_SEED and PGFIG_SESSIONS repeat
 * or prolong a run.
 */
const TABLES = `
  CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
  INSERT INTO users VALUES (1, 'Ada'), (2, 'Ben');`;
const ORDERS = `
  CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL, note text);
  INSERT INTO orders VALUES (1, 1, 'tea'), (2, 2, 'cup');`;
const shop = await startShop();
await shop.monolith.query('CREATE DATABASE bare');
await shop.monolith.query(TABLES + ORDERS, 'bare');

const SEED = Number(process.env.PGFIG_SEED ?? 1);
const SESSIONS = Number(process.env.PGFIG_SESSIONS ?? 120);

let state = 0;
/** A small generator, so that a seed always makes the same session. */
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}
const pick = <T>(...choices: readonly T[]): T => choices[random(choices.length)] as T;

let next = 100;
const name = (): string => pick('a', 'b');
const table = (): string => pick('users', 'orders');
const SETTING = "coalesce(current_setting('app.x', true), '')";

const control = (): string =>
  pick(
    'BEGIN',
    'BEGIN',
    'START TRANSACTION READ ONLY',
    'COMMIT',
    'COMMIT',
    'ROLLBACK',
    'END',
    'COMMIT AND CHAIN',
    `SAVEPOINT ${name()}`,
    `SAVEPOINT ${name()}`,
    `RELEASE ${name()}`,
    `ROLLBACK TO ${name()}`,
    `ROLLBACK TO SAVEPOINT ${name()}`,
  );
const read = (): string =>
  pick(
    'SELECT id, name FROM users ORDER BY id',
    'SELECT id, note FROM orders ORDER BY id',
    `SELECT ${SETTING} FROM users LIMIT 1`,
    `SELECT ${SETTING} FROM orders LIMIT 1`,
    'SELECT 1',
    `SELECT ${SETTING}`,
    'SHOW work_mem',
    '',
  );
const write = (): string =>
  pick(
    `INSERT INTO orders VALUES (${next++}, 1, 'new')`,
    `INSERT INTO orders VALUES (${next++}, 2, ${SETTING}) RETURNING note`,
    `UPDATE orders SET note = note || '+' WHERE id = ${pick(1, 2, next - 1)}`,
    `DELETE FROM orders WHERE id = ${next - 1}`,
  );
const wrong = (): string =>
  pick(
    `SELECT 1/0 FROM ${table()}`,
    `SELECT nope FROM ${table()}`,
    'SELECT 1/0',
    'SELEC 1',
    'INSERT INTO orders VALUES (1)',
  );
const setting = (): string =>
  pick(
    `SET app.x = 'v${next++}'`,
    `SET LOCAL app.x = 'v${next++}'`,
    `SELECT set_config('app.x', 'v${next++}', true)`,
    `SELECT set_config('app.x', 'v${next++}', false)`,
    'RESET app.x',
    `SET work_mem = '${1 + random(9)}MB'`,
    `SET LOCAL work_mem = '${1 + random(9)}MB'`,
  );
const named = (): string =>
  pick(
    `PREPARE ${name()} AS SELECT count(*) FROM ${table()}`,
    `EXECUTE ${name()}`,
    `DEALLOCATE ${name()}`,
    `DECLARE ${name()} CURSOR FOR SELECT id FROM ${table()} ORDER BY id`,
    `FETCH 1 FROM ${name()}`,
    `CLOSE ${name()}`,
  );
/** One that may stand anywhere; a cursor's declaration is not for pipelines, where it depends on what ran before it there. */
function statement(): string {
  const dice = random(100);
  if (dice < 32) return control();
  if (dice < 58) return read();
  if (dice < 72) return write();
  if (dice < 80) return wrong();
  if (dice < 92) return setting();
  return named();
}

/** What is sent before the next answer is awaited, and how many ReadyForQuery it brings. */
interface Turn {
  readonly text: string;
  readonly bytes: Buffer;
  readonly readies: number;
}

function turn(prepared: Map<string, string>): Turn {
  const dice = random(100);
  if (dice < 55) {
    const sql = statement();
    return { text: `Q ${sql}`, bytes: query(sql), readies: 1 };
  }
  if (dice < 62) {
    const all = Array.from({ length: 2 + random(3) }, statement);
    return { text: `Q ${all.join(' | Q ')}`, bytes: Buffer.concat(all.map(query)), readies: all.length };
  }
  if (dice < 70) {
    const key = pick('s1', 's2');
    const known = prepared.get(key);
    const sql =
      known ?? pick(read(), write(), `SELECT id FROM ${table()} WHERE id = 1`, pick('BEGIN', 'COMMIT', 'ROLLBACK'));
    const run = [bind('', key), describePortal(''), execute('', 0), sync];
    prepared.set(key, sql);
    return {
      text: `${known === undefined ? 'P' : 'B'} ${key} ${sql}`,
      bytes: Buffer.concat(known === undefined ? [parse(key, sql), ...run] : run),
      readies: 1,
    };
  }
  const all = Array.from({ length: 1 + random(4) }, statement).filter((sql) => !sql.startsWith('DECLARE'));
  const bytes = all.flatMap((sql) => [parse('', sql), bind('', ''), describePortal(''), execute('', 0)]);
  return { text: `X ${all.join(' | X ')}`, bytes: Buffer.concat([...bytes, sync]), readies: 1 };
}

/** One line per message, with what must not differ. */
function lineOf({ type, body }: Message): string {
  if (type === 'E' || type === 'N') {
    const { S, C, M, P } = errorFields({ type, body });
    return `${type} ${S} ${C} ${M} ${P ?? ''}`;
  }
  // Tables have other OIDs in the other database.
  if (type === 'T') return `T ${columns(body)}`;
  return `${type} ${body.toString('latin1').replaceAll('\0', '.')}`;
}

function columns(body: Buffer): string {
  const names: string[] = [];
  for (let at = 2; at < body.length; ) {
    const end = body.indexOf(0, at);
    names.push(`${body.toString('utf8', at, end)}:${body.readInt32BE(end + 7)}`);
    at = end + 19;
  }
  return names.join();
}

async function answers(client: RawClient, { bytes, readies }: Turn): Promise<string[]> {
  client.send(bytes);
  const lines: string[] = [];
  for (let i = 0; i < readies; i++) lines.push(...(await client.untilReady()).map(lineOf));
  return lines;
}

const bareTarget = { host: shop.monolith.host, port: shop.monolith.port, dbname: 'bare' } as never;
const target = { host: shop.pgfig.host, port: shop.pgfig.port, dbname: 'shop' } as never;

/** @returns what differs, with all that led to it; null where nothing does */
async function hold(seed: number): Promise<string | null> {
  state = seed;
  next = 100;
  for (let i = 0; i < 5; i++) random(2);
  const [bare, proxied] = await Promise.all([RawClient.login(bareTarget), RawClient.login(target)]);
  const prepared = new Map<string, string>();
  held = [];
  try {
    for (let turns = 3 + random(14); turns > 0; turns--) {
      const sent = turn(prepared);
      held.push(sent.text);
      const expected = await answers(bare, sent);
      const seen = await answers(proxied, sent).catch((error: unknown) => [String(error)]);
      if (seen.some((line) => /^E ERROR 0A000/.test(line))) {
        refused++;
        return null;
      }
      // In a transaction that pgfig itself has failed, text that does not parse is refused like any other (docs/limits.md).
      if (expected.some((line) => / 42601 /.test(line)) && seen.some((line) => / 25P02 /.test(line))) return null;
      if (expected.some((line) => / 26000 /.test(line))) prepared.clear();
      const differs = expected.findIndex((line, at) => line !== seen[at]);
      if (differs < 0 && seen.length === expected.length) continue;
      return `seed ${seed}\n${held.join('\n')}\nPostgres:\n  ${expected.join('\n  ')}\npgfig:\n  ${seen.join('\n  ')}`;
    }
    return null;
  } finally {
    bare.vanish();
    proxied.vanish();
  }
}
let refused = 0;
/** What was sent in the session held last. */
let held: string[] = [];

const ROWS = 'SELECT string_agg(id || note, $$,$$ ORDER BY id) AS all FROM orders';
const RESET = "TRUNCATE orders; INSERT INTO orders VALUES (1, 1, 'tea'), (2, 2, 'cup')";

t.test('random sessions read the same', async (t) => {
  for (let seed = SEED; seed < SEED + SESSIONS; seed++) {
    const before = refused;
    const difference = await hold(seed);
    if (difference !== null) t.fail(difference);
    // The sessions went without a word: what they had open is rolled back soon, and TRUNCATE waits for it.
    if (refused === before && difference === null) {
      const [bare, split] = await Promise.all([settled('bare'), settled('orders')]);
      if (bare !== split) t.fail(`seed ${seed} left other rows: ${split} instead of ${bare}\n${held.join('\n')}`);
    }
    await Promise.all([shop.monolith.query(RESET, 'bare'), shop.orders.query(RESET, 'orders')]);
  }
  t.comment(`${refused} of ${SESSIONS} sessions were ended by a refusal`);
  t.ok(refused < SESSIONS / 4, `${refused} refused`);
});

/** The rows, when no transaction is left that could still be on its way to its end. */
async function settled(dbname: 'bare' | 'orders'): Promise<string> {
  const server = dbname === 'bare' ? shop.monolith : shop.orders;
  await server.query('BEGIN; LOCK TABLE orders; COMMIT', dbname);
  return String((await server.query(ROWS, dbname)).rows[0]?.all);
}
