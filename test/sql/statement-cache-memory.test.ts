import t from 'tap';
import { parseRules } from '../../src/rules/load.js';
import { TrafficCounters } from '../../src/session/counters.js';
import { planOf, type TextPlan } from '../../src/session/plan/text-plan.js';
import { Reading, StatementCache } from '../../src/sql/statement-cache.js';
import { parser } from './helpers.js';

const { gc } = global;
const skip = gc === undefined && 'needs --expose-gc';

const rules = parseRules(
  new Map([['orders.yaml', 'domain: orders\ndatabase: orders_db\ntables: [public.orders]\nphase: write-new\n']]),
  { databases: ['monolith', 'orders_db'], default: 'monolith', version: 1 },
);
const context = { rules, catalog: null, searchPath: ['public'], tempTables: new Map(), service: 'test' };
const counters = new TrafficCounters();

/** As a session does: the text is looked up, and its plan is made. */
function use(cache: StatementCache<TextPlan>, sql: string): void {
  const bytes = Buffer.from(sql);
  const entry = cache.get(bytes, 0, bytes.length, true);
  if (entry instanceof Reading) throw new Error('there is no thread');
  planOf(entry, context, counters);
}

function heap(): number {
  gc?.();
  gc?.();
  return process.memoryUsage().heapUsed;
}

const COLUMNS = Array.from({ length: 40 }, (_, i) => `"t0"."column_${i}" AS "t0_column_${i}"`).join(', ');
const SHAPES: Readonly<Record<string, (i: number) => string>> = {
  short: (i) => `SELECT a FROM t${i} WHERE id = 1`,
  join: (i) => `SELECT a, f${i}(b) FROM t${i} JOIN u${i} USING (id) LEFT JOIN orders ON true WHERE c = 1`,
  orm: (i) => `SELECT ${COLUMNS} FROM "orders" "t0" WHERE "t0"."c${i}" = 1`,
  insert: (i) => `INSERT INTO t${i} (a, b, c) VALUES (1, 2, 3) RETURNING id`,
  exact: (i) => `SELECT nextval('s${i}')`,
  setting: (i) => `SET a${i} = 'b'`,
  ddl: (i) => `CREATE TABLE t${i} (a int, b text, c numeric)`,
  unparsable: (i) => `SELEC ${i} x`,
};

t.test('the estimate of bytes is half to double of the truth, plans included', { skip }, (t) => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    const cache = new StatementCache<TextPlan>(parser, { entries: 100_000, bytes: 1024 ** 3 });
    for (let i = 0; i < 1_500; i += 1) use(cache, shape(i));
    const [before, estimated] = [heap(), cache.bytes];
    for (let i = 1_500; i < 4_000; i += 1) use(cache, shape(i));
    const ratio = (cache.bytes - estimated) / (heap() - before);
    t.ok(ratio > 0.5 && ratio < 2, `${name}: estimate / truth = ${ratio.toFixed(2)}`);
  }
  t.end();
});

t.test('300,000 distinct statements do not grow memory', { skip, timeout: 170_000 }, (t) => {
  const cache = new StatementCache<TextPlan>(parser, { entries: 4_000, bytes: 64 * 1024 * 1024 });
  const shapes = Object.values(SHAPES).filter((shape) => shape !== SHAPES.orm);
  let made = 0;
  const make = (count: number): void => {
    for (let i = 0; i < count; i += 1, made += 1) use(cache, shapes[made % shapes.length]?.(made) ?? '');
  };
  make(20_000);
  const before = heap();
  make(300_000);
  const after = heap();
  t.equal(cache.stats.misses, 320_000, 'all of them distinct');
  t.equal(cache.size, 4_000);
  t.equal(cache.stats.evictions, 316_000);
  // Whatever a statement left behind would be there 300,000 times.
  t.ok(after - before < 3 * 1024 * 1024, `${after - before} bytes more`);
  t.end();
});
