/**
 * What reading SQL costs: the cache key, a cache hit, and a parse on a miss with both parsers.
 *   node build/bench/micro/sql.js
 */
import { pathToFileURL } from 'node:url';
import { parse as parseWithAstParser } from 'pgsql-ast-parser';
import { fold } from '../../src/sql/fold.js';
import { loadParser, type Parser } from '../../src/sql/parser.js';
import { StatementCache } from '../../src/sql/statement-cache.js';

export interface Result {
  readonly name: string;
  readonly unit: 'ns' | 'ns/byte' | 'us';
  /** The least sample: the code's own cost on a machine that does other things too. */
  readonly best: number;
  /** Median of the samples: for hits the mean of a batch each, for parses one parse each. */
  readonly p50: number;
  readonly p99: number;
}

const SHORT = 'SELECT abalance FROM pgbench_accounts WHERE aid = 12345;';

const columns = Array.from({ length: 40 }, (_, i) => `"t0"."some_column_${i}" AS "t0_some_column_${i}"`).join(', ');
const ORM = `SELECT ${columns} FROM "public"."orders" "t0" LEFT JOIN "public"."users" "t1" ON "t1"."id" = "t0"."user_id" WHERE "t0"."state" IN ('open', 'paid') AND "t1"."id" = 4711 ORDER BY "t0"."id" DESC LIMIT 20`;

const rows = Array.from({ length: 100 }, (_, i) => `(${i}, 'customer ${i}', ${i}.50, '2024-01-${10 + (i % 20)}')`);
const INSERT = `INSERT INTO orders (id, customer, total, placed_on) VALUES ${rows.join(', ')}`;

const joins = Array.from(
  { length: 26 },
  (_, i) => `LEFT JOIN table_${i} AS t${i} ON t${i}.order_id = o.id AND t${i}.kind = ${i}`,
);
const JOIN = [
  'SELECT o.id, o.total, sum(t1.amount) AS paid',
  'FROM orders AS o',
  ...joins,
  'WHERE o.id = 5',
  'GROUP BY o.id',
].join('\n');

const TEXTS: readonly (readonly [string, string])[] = [
  ['short', SHORT],
  ['40-column select', ORM],
  ['100-row INSERT', INSERT],
  ['30-line join', JOIN],
];

/** Each part is warmed up and then measured for as long, at least ten samples. */
const PART_NS = 700_000_000n;

/** Samples of the time of one call in ns; a sample is the mean over `batch` calls. */
function sample(call: () => void, batch: number): number[] {
  const warm = process.hrtime.bigint() + PART_NS;
  while (process.hrtime.bigint() < warm) call();
  const times: number[] = [];
  const end = process.hrtime.bigint() + PART_NS;
  while (times.length < 10 || process.hrtime.bigint() < end) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < batch; i += 1) call();
    times.push(Number(process.hrtime.bigint() - start) / batch);
  }
  return times.sort((a, b) => a - b);
}

function result(name: string, unit: Result['unit'], times: readonly number[], divisor: number): Result {
  const at = (q: number): number =>
    (times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? Number.NaN) / divisor;
  return { name, unit, best: at(0), p50: at(0.5), p99: at(0.99) };
}

function keysAndHits(parser: Parser): Result[] {
  const results: Result[] = [];
  const cache = new StatementCache<object>(parser, { entries: 10_000, bytes: 32 * 1024 * 1024 });
  for (const [name, sql] of TEXTS) {
    const bytes = Buffer.from(sql);
    const batch = bytes.length < 500 ? 1000 : 100;
    const folds = sample(() => fold(bytes, 0, bytes.length), batch);
    results.push(result(`fold, ${name} (${bytes.length} bytes)`, 'ns', folds, 1));
    results.push(result(`fold, ${name}`, 'ns/byte', folds, bytes.length));
    const hits = sample(() => cache.get(bytes, 0, bytes.length, true), batch);
    results.push(result(`cache hit, ${name}`, 'ns', hits, 1));
  }
  return results;
}

function misses(parser: Parser): Result[] {
  return TEXTS.flatMap(([name, sql]) => [
    result(
      `parse and extract, libpg-query, ${name}`,
      'us',
      sample(() => parser.parse(sql), 1),
      1000,
    ),
    result(
      `parse alone, pgsql-ast-parser, ${name}`,
      'us',
      sample(() => parseWithAstParser(sql), 1),
      1000,
    ),
  ]);
}

/** Runs all; some thirty seconds. */
export async function run(): Promise<Result[]> {
  const parser = await loadParser();
  return [...keysAndHits(parser), ...misses(parser)];
}

function print(results: readonly Result[]): void {
  const wide = Math.max(...results.map(({ name }) => name.length));
  console.log(`${'what'.padEnd(wide)}  ${'best'.padStart(9)}  ${'p50'.padStart(9)}  ${'p99'.padStart(9)}`);
  for (const { name, unit, best, p50, p99 } of results) {
    const digits = unit === 'ns' ? 0 : 1;
    const cells = [best, p50, p99].map((value) => value.toFixed(digits).padStart(9));
    console.log(`${name.padEnd(wide)}  ${cells.join('  ')} ${unit}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) print(await run());
