import type { RoutingContext } from '../../src/routing/context.js';
import { planText } from '../../src/routing/plan.js';
import { parseRules } from '../../src/rules/load.js';
import { TrafficCounters } from '../../src/session/counters.js';
import { planOf, type TextPlan } from '../../src/session/plan/text-plan.js';
import { fold } from '../../src/sql/fold.js';
import { loadParser, type Parser } from '../../src/sql/parser.js';
import { Reading, StatementCache } from '../../src/sql/statement-cache.js';
import type { Part } from './measure.js';

const RULE = `domain: orders
database: orders_db
tables: [public.orders, public.order_items]
phase: write-new
`;
/** Texts that differ in their literals only, as those of a service do. */
const TEXTS = Array.from({ length: 64 }, (_, i) =>
  Buffer.from(`SELECT abalance FROM pgbench_accounts WHERE aid = ${100_000 + i * 997};`),
);
const STATEMENT = 'SELECT abalance FROM pgbench_accounts WHERE aid = 1;';
const REFUSED = 'SELECT * FROM users JOIN orders ON orders.user_id = users.id';

/** From a statement's bytes to its route: what the hot path does, and what it saves. */
export async function routeParts(): Promise<readonly Part[]> {
  const parser = await loadParser();
  const context = routingContext();
  const known = parser.parse(STATEMENT);
  const refused = parser.parse(REFUSED);
  return [
    cacheHit(parser, context),
    { name: 'route/plan-of-a-parsed-statement', run: (times) => repeat(times, () => planText(known, context)) },
    { name: 'route/refusal', run: (times) => repeat(times, () => planText(refused, context)) },
    { name: 'route/scan-for-the-key', run: (times) => repeat(times, (i) => fold(textAt(i), 0, textAt(i).length)) },
    { name: 'route/parse-on-a-miss', run: (times) => repeat(times, () => parser.parse(STATEMENT)) },
  ];
}

/** The whole of it: scan, look-up in the cache, the route on the entry compared with the session's context, a count. */
function cacheHit(parser: Parser, context: RoutingContext): Part {
  const cache = new StatementCache<TextPlan>(parser, { entries: 10_000, bytes: 64 * 1024 * 1024 });
  const counters = new TrafficCounters();
  const run = (times: number): number => {
    for (let i = 0; i < times; i++) {
      const text = textAt(i);
      const found = cache.get(text, 0, text.length, true);
      if (found instanceof Reading) throw new Error('a short text is read here');
      planOf(found, context, counters).counter.count++;
    }
    return cache.stats.hits;
  };
  return { name: 'route/cache-hit', run };
}

const textAt = (i: number): Buffer => TEXTS[i & 63] as Buffer;

function repeat(times: number, once: (i: number) => unknown): unknown {
  let last: unknown;
  for (let i = 0; i < times; i++) last = once(i);
  return last;
}

function routingContext(): RoutingContext {
  const rules = parseRules(new Map([['orders.yaml', RULE]]), {
    databases: ['monolith', 'orders_db'],
    default: 'monolith',
    version: 1,
  });
  return { rules, catalog: null, searchPath: ['public'], tempTables: new Map(), service: 'bench' };
}
