import type { Found } from './contexts.js';
import type { Discovery } from './discovery.js';
import { busiestFirst, type TableFacts } from './table-facts.js';

/** Below this a partition is no better than what random graphs show (Newman and Girvan 2004 call 0.3 to 0.7 structure). */
const STRUCTURE = 0.3;
const ONE_WRITER = 0.9;
const CROSSING = 0.25;
const OPAQUE = 0.1;
const FEW_STATEMENTS = 1_000;
const DAY_MS = 86_400_000;

/** What speaks against splitting, or against believing the figures; from the figures alone. */
export function adviceOf(
  discovery: Discovery,
  facts: ReadonlyMap<string, TableFacts>,
  contexts: readonly Found[],
  modularity: number,
): readonly string[] {
  return [
    ...oneWriter(facts),
    ...comesApart(contexts, modularity),
    ...crossingTransactions(contexts, discovery),
    ...seenEnough(discovery),
  ];
}

function oneWriter(facts: ReadonlyMap<string, TableFacts>): readonly string[] {
  const writes = new Map<string, number>();
  const tables = new Map<string, number>();
  let written = 0;
  for (const { writers } of facts.values()) {
    if (writers.size === 0) continue;
    written++;
    for (const [service, count] of writers) writes.set(service, (writes.get(service) ?? 0) + count);
    const [main] = writers.keys();
    if (main !== undefined) tables.set(main, (tables.get(main) ?? 0) + 1);
  }
  const all = [...writes.values()].reduce((sum, count) => sum + count, 0);
  const [first] = busiestFirst(writes);
  if (first === undefined || first[1] < ONE_WRITER * all) return [];
  const [service, count] = first;
  return [
    `Do not split for independence: ${service} does ${percent(count / all)} of all writes, on ${tables.get(service) ?? 0} of the ${written} tables that are written. Databases of its own would make one service's transactions distributed, and free no team.`,
  ];
}

function comesApart(contexts: readonly Found[], modularity: number): readonly string[] {
  if (contexts.length < 2) {
    return ['Do not split: everything that is used together hangs together. There is one context, and nothing to cut.'];
  }
  if (modularity >= STRUCTURE) return [];
  return [
    `Do not split along these lines: the tables do not come apart (modularity ${modularity.toFixed(2)}; below ${STRUCTURE} a partition is hardly better than chance). Untangle the joins and transactions listed as cuts first.`,
  ];
}

function crossingTransactions(contexts: readonly Found[], { matrix }: Discovery): readonly string[] {
  const contextOf = new Map(contexts.flatMap(({ name, tables }) => tables.map((table) => [table, name] as const)));
  let all = 0;
  let crossing = 0;
  for (const { kind, a, b, count, refused } of matrix.pairs) {
    if (kind !== 'transaction') continue;
    all += count + refused;
    if (contextOf.get(a) !== contextOf.get(b)) crossing += count + refused;
  }
  if (all === 0 || crossing / all < CROSSING) return [];
  return [
    `${percent(crossing / all)} of the pairs written in one transaction cross the proposed contexts: each would need an outbox, a saga, or another cut. Do not split before these are gone.`,
  ];
}

function seenEnough({ matrix, since, until }: Discovery): readonly string[] {
  const counted = matrix.cells.reduce((sum, { statements, refused }) => sum + statements + refused, 0);
  const opaque = matrix.cells.reduce((sum, { access, statements }) => sum + (access === 'opaque' ? statements : 0), 0);
  const short = since !== null && until !== null && until - since < DAY_MS;
  return [
    ...(counted < FEW_STATEMENTS ? [`Only ${counted} statements were seen: the proposal rests on little.`] : []),
    ...(short ? ['Less than a day was seen: nightly jobs and month ends are missing.'] : []),
    ...(counted > 0 && opaque / counted > OPAQUE
      ? [`${percent(opaque / counted)} of what was counted could not be seen through: there are ties that nobody sees.`]
      : []),
  ];
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;
