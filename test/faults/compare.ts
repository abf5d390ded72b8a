import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';

/** A row that is not the same in both copies; `key` as the outbox writes it. */
export interface Difference {
  readonly table: string;
  readonly kind: 'missing' | 'extra' | 'differs';
  readonly key: string;
  readonly source: string | null;
  readonly target: string | null;
}

const PINNED = [
  "SET DateStyle = 'ISO'",
  "SET IntervalStyle = 'postgres'",
  'SET extra_float_digits = 3',
  "SET TimeZone = 'UTC'",
  "SET bytea_output = 'hex'",
  "SET lc_monetary = 'C'",
  'SET search_path = public',
];

/** The first so many differences of a table are kept. */
const MOST = 5;

/**
 * Compares tables row for row as COPY text under pinned settings, both sides streamed in the order of their keys'
 * bytes; the partition that holds a row counts too.
 * @param source, target urls
 * @returns the first differences of each table; empty: the copies are equal
 */
export async function compareCopies(source: string, target: string, tables: readonly string[]): Promise<Difference[]> {
  const [left, right] = [await open(source), await open(target)];
  try {
    const all: Difference[] = [];
    for (const table of tables) {
      const columns = await columnsOf(left, table);
      all.push(...(await differences(table, rows(left, table, columns), rows(right, table, columns))));
    }
    return all;
  } finally {
    await Promise.all([left.end(), right.end()]);
  }
}

/** One line each, cut where it is long. */
export const differenceLines = (found: readonly Difference[]): string[] =>
  found.map(
    ({ table, kind, key, source, target }) =>
      `${table} ${key} ${kind}\n    source ${short(source)}\n    target ${short(target)}`,
  );

const short = (text: string | null): string => {
  if (text === null) return '-';
  return text.length > 400 ? `${text.slice(0, 400)}... (${text.length} characters)` : text;
};

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const setting of PINNED) await client.query(setting);
  // One moment for all tables.
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  return client;
}

interface Columns {
  readonly all: readonly string[];
  readonly key: readonly string[];
}

async function columnsOf(client: pg.Client, table: string): Promise<Columns> {
  const { rows } = await client.query<{ name: string; at: number | null }>(
    `SELECT quote_ident(a.attname) AS name, array_position(i.indkey::int2[], a.attnum) AS at
     FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
     WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [table],
  );
  const key = rows.filter(({ at }) => at !== null).sort((a, b) => Number(a.at) - Number(b.at));
  if (key.length === 0) throw new Error(`table ${table} has no primary key to compare by`);
  return { all: rows.map(({ name }) => name), key: key.map(({ name }) => name) };
}

/** Key and text of each row. Hexadecimal digits order as the bytes do, under any collation. */
async function* rows(client: pg.Client, table: string, { all, key }: Columns): AsyncGenerator<[string, string]> {
  const keyText = `ARRAY[${key.map((name) => `${name}::text`).join()}]::text`;
  const sql = `COPY (SELECT encode(convert_to(${keyText}, 'UTF8'), 'hex') COLLATE "C", tableoid::regclass, ${all.join()}
    FROM ${table} ORDER BY 1) TO STDOUT`;
  const stream = client.query(copyTo(sql)).setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const tab = line.indexOf('\t');
      yield [line.slice(0, tab), line.slice(tab + 1)];
    }
  }
}

async function differences(
  table: string,
  source: AsyncGenerator<[string, string]>,
  target: AsyncGenerator<[string, string]>,
): Promise<Difference[]> {
  const found: Difference[] = [];
  const note = (kind: Difference['kind'], key: string, left: string | null, right: string | null): void => {
    const readable = Buffer.from(key, 'hex').toString('utf8');
    if (found.length < MOST) found.push({ table, kind, key: readable, source: left, target: right });
  };
  let [left, right] = [await source.next(), await target.next()];
  while (left.done !== true || right.done !== true) {
    const a = left.done === true ? null : left.value;
    const b = right.done === true ? null : right.value;
    if (b === null || (a !== null && a[0] < b[0])) {
      if (a !== null) note('missing', a[0], a[1], null);
      left = await source.next();
    } else if (a === null || b[0] < a[0]) {
      note('extra', b[0], null, b[1]);
      right = await target.next();
    } else {
      if (a[1] !== b[1]) note('differs', a[0], a[1], b[1]);
      [left, right] = [await source.next(), await target.next()];
    }
  }
  return found;
}
