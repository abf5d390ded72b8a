/**
 * What reading SQL costs: the cache key, a cache hit, a miss, a parse with both parsers, and memory.
 *   node build/bench/micro/sql.js
 */
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse as parseWithAstParser } from 'pgsql-ast-parser';
import { fold } from '../../src/sql/fold.js';
import type { Parser } from '../../src/sql/grammar.js';
import { loadParser } from '../../src/sql/parser.js';
import { ParserThread } from '../../src/sql/parser-thread.js';
import { keyOf, readText } from '../../src/sql/read-text.js';
import { Reading, StatementCache } from '../../src/sql/statement-cache.js';
import { bulkInsert, TEXTS } from './statements.js';

export interface Result {
  readonly name: string;
  readonly unit: 'ns' | 'ns/byte' | 'us';
  /** The least sample: the code's own cost on a machine that does other things too. */
  readonly best: number;
  /** Median of the samples: for hits the mean of a batch each, for parses one parse each. */
  readonly p50: number;
  readonly p99: number;
}

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
    const hits = sample(() => cache.get(bytes, 0, bytes.length, true), batch);
    results.push(result(`cache hit, ${name}`, 'ns', hits, 1));
    results.push(result(`cache hit, ${name}`, 'ns/byte', hits, bytes.length));
  }
  return results;
}

function misses(parser: Parser): Result[] {
  return TEXTS.flatMap(([name, sql]) => {
    const bytes = Buffer.from(sql);
    const miss = (): unknown => readText(parser, keyOf(bytes, 0, bytes.length, true), bytes, 0, bytes.length, true);
    return [
      result(`cache miss, ${name}`, 'us', sample(miss, 1), 1000),
      result(
        `parse of the whole text, ${name}`,
        'us',
        sample(() => parser.parse(sql), 1),
        1000,
      ),
      ...secondParser(name, sql),
    ];
  });
}

/** Not for texts that it does not accept. */
function secondParser(name: string, sql: string): Result[] {
  try {
    parseWithAstParser(sql);
  } catch {
    return [];
  }
  const times = sample(() => parseWithAstParser(sql), 1);
  return [result(`parse alone, pgsql-ast-parser, ${name}`, 'us', times, 1000)];
}

/** Two megabytes of one statement: what they cost the event loop here, and what when a thread reads them. */
async function longTexts(parser: Parser): Promise<Result[]> {
  const insert = Buffer.from(bulkInsert(2_000_000));
  const distinct = Array.from({ length: 60_000 }, (_, i) => `a + ${i} * column_number_${i}`);
  const list = Buffer.from(`SELECT * FROM orders WHERE id IN (${distinct.join(', ')})`);
  const thread = new ParserThread();
  const cache = new StatementCache<object>(parser, { entries: 10, bytes: 1024 * 1024 }, thread);
  const results: Result[] = [];
  for (const [name, bytes] of [['2 MB INSERT', insert] as const, ['2 MB of distinct terms', list] as const]) {
    const here: number[] = [];
    const handed: number[] = [];
    const waited: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      const began = process.hrtime.bigint();
      parser.parse(bytes.toString('utf8'));
      const parsed = process.hrtime.bigint();
      const reading = cache.get(bytes, 0, bytes.length, true);
      const given = process.hrtime.bigint();
      if (!(reading instanceof Reading)) throw new Error('it was read on the event loop');
      await reading.done;
      here.push(Number(parsed - began));
      handed.push(Number(given - parsed));
      waited.push(Number(process.hrtime.bigint() - given));
    }
    const add = (what: string, times: number[]): void => {
      results.push(
        result(
          `${name}: ${what}`,
          'us',
          times.sort((a, b) => a - b),
          1000,
        ),
      );
    };
    add('parsed on the event loop', here);
    add('handed to the thread', handed);
    add('until the thread has read it', waited);
  }
  thread.close();
  return results;
}

/** Heap before and after statements that never come again; in MiB. */
function memory(parser: Parser): string {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const cache = new StatementCache<object>(parser, { entries: 25_000, bytes: 64 * 1024 * 1024 });
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed / 1024 / 1024;
  };
  let made = 0;
  const make = (count: number): void => {
    for (let i = 0; i < count; i += 1, made += 1) {
      const bytes = Buffer.from(`SELECT a, b FROM t${made} JOIN orders USING (id) WHERE c${made % 7} = 1`);
      cache.get(bytes, 0, bytes.length, true);
    }
  };
  make(50_000);
  const before = heap();
  make(300_000);
  const after = heap();
  return `300,000 distinct statements: heap ${before.toFixed(1)} MiB before, ${after.toFixed(1)} MiB after; ${cache.size} entries of ${(cache.bytes / 1024 / 1024).toFixed(1)} MiB by estimate`;
}

/** Runs all; about a minute. */
export async function run(): Promise<Result[]> {
  const parser = await loadParser();
  return [...keysAndHits(parser), ...misses(parser), ...(await longTexts(parser))];
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  print(await run());
  console.log(memory(await loadParser()));
}
