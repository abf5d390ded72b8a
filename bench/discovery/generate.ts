import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const TABLES = [
  'orders',
  'order_items',
  'payments',
  'refunds',
  'products',
  'categories',
  'users',
  'addresses',
  'sessions',
  'stock',
  'warehouses',
  'shipments',
  'carriers',
  'prices',
  'coupons',
  'events',
  'mails',
] as const;

/** Services with the tables that they use. */
const SERVICES = [
  'orders',
  'billing',
  'catalog',
  'shipping',
  'identity',
  'search-indexer',
  'reporting',
  'inventory',
  'returns',
  'pricing',
  'notifications',
  'admin',
].map((name, at) => ({
  name: `${name}-service`,
  tables: [at, at + 1, at + 5].map((n) => TABLES[n % TABLES.length] ?? 'orders'),
}));

/** Columns as an ORM lists them. */
const COLUMNS = ['id', 'customer_id', 'status', 'created_at', 'updated_at', 'amount', 'currency', 'note'];

type Make = (table: string, other: string, random: () => number) => readonly [tag: string, sql: string];

const quoted = (table: string, columns: readonly string[]): string =>
  columns.map((column) => `"${table}"."${column}" AS "${table}_${column}"`).join(', ');

/** 150 to 400 bytes each: plain SQL, an ORM's with its quotes, lists, joins, writes. */
const STATEMENTS: readonly Make[] = [
  (t) => ['SELECT', `SELECT ${quoted(t, COLUMNS.slice(0, 5))} FROM "${t}" WHERE "${t}"."id" = $1 LIMIT 1`],
  (t, o, r) => [
    'SELECT',
    `SELECT a.id, a.status, b.id AS other_id, b.amount FROM public.${t} a JOIN public.${o} b ON b.customer_id = a.customer_id WHERE a.status = '${word(r)}' AND b.created_at > '2026-0${1 + Math.floor(r() * 9)}-01' ORDER BY b.created_at DESC LIMIT ${Math.floor(r() * 100)}`,
  ],
  (t, _o, r) => [
    'INSERT',
    `INSERT INTO ${t} (id, customer_id, status, amount, currency, note) VALUES (${Math.floor(r() * 1e9)}, ${Math.floor(r() * 1e6)}, '${word(r)}', ${(r() * 1000).toFixed(2)}, 'EUR', 'left at the door of ${word(r)}, it''s the second one on the left') RETURNING id`,
  ],
  (t, _o, r) => [
    'UPDATE',
    `UPDATE "${t}" SET "status" = '${word(r)}', "updated_at" = '2026-11-27 10:00:00.${Math.floor(r() * 1e6)}+00', "note" = 'changed by ${word(r)} ${word(r)}' WHERE "id" = ${Math.floor(r() * 1e9)} AND "status" <> '${word(r)}'`,
  ],
  (t, _o, r) => [
    'SELECT',
    `SELECT id, customer_id, status, amount FROM ${t} WHERE id IN (${Array.from({ length: 5 + Math.floor(r() * 15) }, () => Math.floor(r() * 1e8)).join(', ')}) AND status = 'open'`,
  ],
  (t, o, r) => [
    'DELETE',
    `DELETE FROM ${t} WHERE customer_id = ${Math.floor(r() * 1e6)} AND NOT EXISTS (SELECT 1 FROM ${o} WHERE ${o}.id = ${t}.id AND ${o}.status IN ('open', 'paid')) AND created_at < now() - interval '90 days'`,
  ],
];

const WORDS = ['open', 'paid', 'shipped', 'returned', 'müller', "o''brien", 'new', 'held'];
const word = (random: () => number): string => WORDS[Math.floor(random() * WORDS.length)] ?? 'open';

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Writes a csvlog of PostgreSQL 18 of so many bytes, as log_min_duration_statement = 0 makes it. @returns its records */
export async function generateCsvlog(file: string, bytes: number): Promise<number> {
  const random = randomOf(1);
  const out = createWriteStream(file, { highWaterMark: 1024 * 1024 });
  let written = 0;
  let records = 0;
  while (written < bytes) {
    let text = '';
    for (let i = 0; i < 2000; i += 1) text += record(records++, random);
    const chunk = Buffer.from(text);
    written += chunk.length;
    if (!out.write(chunk)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
  return records;
}

function record(number: number, random: () => number): string {
  const session = Math.floor(random() * 240);
  const { name, tables } = SERVICES[session % SERVICES.length] ?? { name: '', tables: [] };
  const make = STATEMENTS[Math.floor(random() * STATEMENTS.length)] as Make;
  const [tag, sql] = make(pick(tables, random), pick(tables, random), random);
  const time = new Date(1_795_000_000_000 + number).toISOString().replace('T', ' ').replace('Z', ' UTC');
  const how = sql.includes('$1') ? `execute <unnamed>: ${sql}` : `statement: ${sql}`;
  const message = `duration: ${(random() * 20).toFixed(3)} ms  ${how}`.replaceAll('"', '""');
  const detail = sql.includes('$1') ? `"Parameters: $1 = '${Math.floor(random() * 1e6)}'"` : '';
  return `${time},"${name.slice(0, 6)}","shop",${4000 + session},"10.0.0.${session}:51234",6afd8c80.${(4000 + session).toString(16)},${number},"${tag}",2026-11-18 08:00:00 UTC,${session}/0,0,LOG,00000,"${message}",${detail},,,,,,,,"${name}","client backend",,0\n`;
}

const pick = (tables: readonly string[], random: () => number): string =>
  tables[Math.floor(random() * tables.length)] ?? 'orders';
