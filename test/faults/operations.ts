import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Random } from './random.js';
import { ACCOUNTS, COUNTERS, SLOTS } from './schema.js';
import { code, oddKey, TYPED_COLUMNS, typedLiteral } from './values.js';

/** Where an operation runs: a connection, in a transaction that somebody else ends. */
export interface Work {
  readonly client: pg.Client;
  readonly random: Random;
  readonly op: string;
  readonly writer: string;
}

type Body = (work: Work) => Promise<unknown>;

const mark = ({ client, op, writer }: Work, kind: string, delta: number | null = null, counter: number | null = null) =>
  client.query('INSERT INTO ops (op, writer, kind, counter, delta) VALUES ($1, $2, $3, $4, $5)', [
    op,
    writer,
    kind,
    counter,
    delta,
  ]);

const transfer: Body = async (work) => {
  const { client, random, op } = work;
  const [source, target, amount] = [1 + random.below(ACCOUNTS), 1 + random.below(ACCOUNTS), 1 + random.below(50)];
  await mark(work, 'transfer');
  await client.query('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, source]);
  await client.query(`UPDATE accounts SET balance = balance + ${amount} WHERE id = ${target}`);
  await client.query('INSERT INTO transfers (op, source, target, amount) VALUES ($1, $2, $3, $4)', [
    op,
    source,
    target,
    amount,
  ]);
};

const count: Body = async (work) => {
  const [counter, by] = [1 + work.random.below(COUNTERS), 1 + work.random.below(5)];
  await work.client.query(`UPDATE counters SET i = i + ${by} WHERE id = ${counter}`);
  await mark(work, 'count', by, counter);
};

/** Counter and mark in one statement. */
const countAtOnce: Body = ({ client, random, op, writer }) => {
  const [counter, by] = [1 + random.below(COUNTERS), 1 + random.below(5)];
  return client.query(`WITH mark AS (INSERT INTO ops (op, writer, kind, counter, delta)
    VALUES ('${op}', '${writer}', 'count at once', ${counter}, ${by})) UPDATE counters SET i = i + ${by} WHERE id = ${counter}`);
};

const bump: Body = ({ client, random, op, writer }) =>
  client.query('SELECT bump($1, $2, $3, $4)', [1 + random.below(COUNTERS), 1 + random.below(5), op, writer]);

const entries: Body = async (work) => {
  const { client, random, op } = work;
  const many = 1 + random.below(4);
  await mark(work, 'entries', many);
  await client.query(`INSERT INTO entries (op, nth) SELECT '${op}', n FROM generate_series(1, ${many}) n`);
};

/** Some of it is rolled back to savepoints, nested ones too. */
const savepoints: Body = async (work) => {
  const { client, random, op } = work;
  await mark(work, 'entries', 2);
  await client.query('SAVEPOINT a');
  await client.query('INSERT INTO entries (op, nth) VALUES ($1, 99)', [op]);
  await client.query('UPDATE keyed SET filler = $1 WHERE n % 50 = $2', ['never', random.below(50)]);
  await client.query('SAVEPOINT b');
  await client.query('DELETE FROM parted WHERE id % 97 = $1', [random.below(97)]);
  await client.query('ROLLBACK TO a');
  await client.query('INSERT INTO entries (op, nth) VALUES ($1, 1)', [op]);
  await client.query('RELEASE a');
  await client.query('SAVEPOINT c');
  await client.query('INSERT INTO entries (op, nth) VALUES ($1, 2)', [op]);
};

/** Whole operations only, so that what is left stays whole. */
const deletes: Body = async (work) => {
  const { client, random } = work;
  const old = await client.query<{ op: string }>(
    "SELECT op FROM ops WHERE kind = 'entries' ORDER BY seq OFFSET $1 LIMIT 2 FOR UPDATE SKIP LOCKED",
    [random.below(20)],
  );
  const ids = old.rows.map(({ op }) => op);
  await mark(work, 'deletes');
  await client.query('DELETE FROM entries WHERE op = ANY ($1)', [ids]);
  await client.query('UPDATE ops SET delta = 0 WHERE op = ANY ($1)', [ids]);
};

const keys: Body = async (work) => {
  const { client, random } = work;
  await mark(work, 'keys');
  const [a, b] = [random.below(60), random.below(60)];
  const one = code(random);
  await client.query("INSERT INTO keyed VALUES ($1, $2, 'one') ON CONFLICT DO NOTHING", [one, a]);
  await client.query('UPDATE keyed SET code = $1, n = $2 WHERE code = $3 AND n = $4', [code(random), b, one, a]);
  if (random.chance(0.3)) await client.query('DELETE FROM keyed WHERE code = $1 AND n = $2', [code(random), a]);
};

/** Two rows take each other's primary key, by way of a third. */
const keySwap: Body = async (work) => {
  const { client, random } = work;
  await mark(work, 'key swap');
  const two = await client.query<{ code: string; n: number }>(
    'SELECT code, n FROM keyed ORDER BY n, code OFFSET $1 LIMIT 2 FOR UPDATE',
    [random.below(40)],
  );
  const [a, b] = two.rows;
  if (a === undefined || b === undefined) return;
  const move = 'UPDATE keyed SET code = $1, n = $2 WHERE code = $3 AND n = $4';
  await client.query(move, ['on its way', -1, a.code, a.n]);
  await client.query(move, [a.code, a.n, b.code, b.n]);
  await client.query(move, [b.code, b.n, 'on its way', -1]);
};

/** Secondary unique values: one after the other, and in one statement against a deferred constraint. */
const uniqueSwap: Body = async (work) => {
  const { client, random } = work;
  const a = 1 + random.below(SLOTS);
  const b = 1 + ((a + random.below(SLOTS - 1)) % SLOTS);
  await mark(work, 'unique swap');
  const found = await client.query<{ id: number; place: number }>(
    'SELECT id, place FROM slots WHERE id IN ($1, $2) ORDER BY id FOR UPDATE',
    [a, b],
  );
  const [one, two] = found.rows;
  if (one === undefined || two === undefined) return;
  const move = 'UPDATE slots SET place = $1 WHERE id = $2';
  await client.query(move, [-one.id, one.id]);
  await client.query(move, [one.place, two.id]);
  await client.query(move, [two.place, one.id]);
  await client.query(
    'UPDATE slots s SET seat = o.seat FROM slots o WHERE s.id IN ($1, $2) AND o.id IN ($1, $2) AND s.id <> o.id',
    [a, b],
  );
};

const cascades: Body = async (work) => {
  const { client, random, op } = work;
  const parent = 1 + random.below(60);
  await mark(work, 'cascades');
  await client.query("INSERT INTO parents VALUES ($1, 'new') ON CONFLICT DO NOTHING", [parent]);
  await client.query('INSERT INTO children (op, parent) SELECT $1, $2 FROM generate_series(1, 3)', [op, parent]);
  const other = 1 + random.below(60);
  if (random.chance(0.5)) await client.query('DELETE FROM parents WHERE id = $1', [other]);
  else
    await client.query('UPDATE parents SET id = $1 WHERE id = $2 AND NOT EXISTS (SELECT FROM parents WHERE id = $1)', [
      60 + other,
      parent,
    ]);
};

const copy: Body = async (work) => {
  const { client, random, op } = work;
  const lines = 5 + random.below(60);
  await mark(work, 'copy', lines);
  const text = Array.from({ length: lines }, (_, n) => `${random.uuid()}\t${op}\tline ${n} \\\\ \\t \\N?\n`);
  await pipeline(Readable.from(text), client.query(copyFrom('COPY copied FROM STDIN')));
};

const merge: Body = async (work) => {
  const { client, random } = work;
  await mark(work, 'merge');
  await client.query(
    `MERGE INTO stock s USING (SELECT DISTINCT 'sku ' || (n * $1) % 25 AS sku FROM generate_series(1, 6) n) n ON s.sku = n.sku
     WHEN MATCHED AND s.qty > 8 THEN DELETE WHEN MATCHED THEN UPDATE SET qty = s.qty + 1
     WHEN NOT MATCHED THEN INSERT VALUES (n.sku, 1)`.replace('$1', String(1 + random.below(9))),
  );
};

const truncate: Body = async (work) => {
  const { client, random } = work;
  await mark(work, 'truncate');
  await client.query(random.chance(0.3) ? 'TRUNCATE parted_rest' : 'TRUNCATE small');
  await client.query('INSERT INTO small SELECT n, md5(random()::text) FROM generate_series(1, $1) n', [
    random.below(20),
  ]);
  if (random.chance(0.2)) await client.query('TRUNCATE small');
};

const small: Body = async (work) => {
  await mark(work, 'small');
  await work.client.query("INSERT INTO small VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET v = 'again ' || now()", [
    work.random.below(40),
  ]);
};

const partitions: Body = async (work) => {
  const { client, random, op } = work;
  const region = () => random.pick(['eu', 'us', 'asia', 'mars']);
  await mark(work, 'partitions');
  const id = random.below(300);
  await client.query('UPDATE parted SET region = $1, v = v + 1 WHERE id = $2', [region(), id]);
  await client.query('INSERT INTO parted VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING', [id, region(), op]);
  await client.query("UPDATE parted_eu SET v = v + 1, region = 'eu' WHERE id = $1", [id]);
  if (random.chance(0.3)) await client.query('DELETE FROM parted_us_1 WHERE id = $1', [random.below(300)]);
};

const types: Body = async (work) => {
  const { client, random } = work;
  await mark(work, 'types');
  const columns = TYPED_COLUMNS.filter(() => random.chance(0.6));
  const values = columns.map((column) => typedLiteral(random, column));
  const id = random.below(150);
  await client.query(`DELETE FROM typed WHERE id = ${id}`);
  await client.query(`INSERT INTO typed (${['id', ...columns].join()}) VALUES (${[String(id), ...values].join()})`);
  const [column] = TYPED_COLUMNS.filter(() => random.chance(0.1));
  if (column !== undefined)
    await client.query(`UPDATE typed SET ${column} = ${typedLiteral(random, column)} WHERE id = ${random.below(150)}`);
};

/** Keys that are equal and print differently, or print as the writer's settings are. */
const oddKeys: Body = async (work) => {
  const { client, random } = work;
  await mark(work, 'odd keys');
  await client.query(
    `INSERT INTO odd VALUES (${oddKey(random)}, 1) ON CONFLICT (a, b, c, d) DO UPDATE SET a = excluded.a, c = excluded.c, v = odd.v + 1`,
  );
  if (random.chance(0.4)) await client.query(`DELETE FROM odd WHERE (a, b, c, d) = (${oddKey(random)})`);
  await client.query(
    `UPDATE priced SET price = round(price, ${1 + random.below(6)}), v = v + 1 WHERE v % 20 = ${random.below(20)}`,
  );
};

export interface Kind {
  readonly name: string;
  readonly weight: number;
  readonly run: Body;
  /** It may run as the one statement of an implicit transaction. */
  readonly single?: true;
  /** It holds up under session_replication_role = replica, where neither foreign keys nor triggers work. */
  readonly replica?: true;
  /** Takes no lock that others wait for while a prepared transaction holds it. */
  readonly prepared?: true;
}

export const KINDS: readonly Kind[] = [
  { name: 'transfer', weight: 5, run: transfer },
  { name: 'count', weight: 4, run: count, replica: true },
  { name: 'count at once', weight: 3, run: countAtOnce, single: true, replica: true, prepared: true },
  { name: 'bump', weight: 3, run: bump, single: true, replica: true, prepared: true },
  { name: 'entries', weight: 4, run: entries, prepared: true },
  { name: 'savepoints', weight: 2, run: savepoints },
  { name: 'deletes', weight: 2, run: deletes },
  { name: 'keys', weight: 4, run: keys, replica: true, prepared: true },
  { name: 'key swap', weight: 2, run: keySwap, replica: true },
  { name: 'unique swap', weight: 2, run: uniqueSwap },
  { name: 'cascades', weight: 3, run: cascades },
  { name: 'copy', weight: 2, run: copy, prepared: true },
  { name: 'merge', weight: 2, run: merge },
  { name: 'truncate', weight: 0.5, run: truncate },
  { name: 'small', weight: 1, run: small },
  { name: 'partitions', weight: 3, run: partitions, prepared: true },
  { name: 'types', weight: 3, run: types, replica: true, prepared: true },
  { name: 'odd keys', weight: 3, run: oddKeys, replica: true },
];

export function pickKind(random: Random, kinds: readonly Kind[]): Kind {
  let left = random.next() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return kinds[0] as Kind;
}
