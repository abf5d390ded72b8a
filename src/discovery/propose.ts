import { adviceOf } from './advice.js';
import { communitiesOf } from './communities.js';
import { contextsOf } from './contexts.js';
import type { Discovery } from './discovery.js';
import { inOrder } from './order.js';
import type { Proposal, SharedWriter } from './proposal.js';
import { type TableFacts, tableFacts } from './table-facts.js';
import { tiesOf } from './ties.js';

/** Bounded contexts from what is used together, the order in which to take them out, and what speaks against it. */
export function propose(discovery: Discovery): Proposal {
  const facts = tableFacts(discovery);
  const ties = tiesOf(discovery, facts);
  const { groups, modularity } = communitiesOf(ties);
  const placed = new Set(groups.flat());
  // A table that is used and tied to nothing is a context of its own; one that is not used is none.
  const alone = [...facts].filter(([table, { statements }]) => !placed.has(table) && statements > 0);
  const all = [...groups, ...alone.map(([table]) => [table]).sort(byFirst)];
  const found = contextsOf(all, ties, facts, discovery);
  return {
    contexts: inOrder(found),
    unplaced: [...facts.keys()].filter((table) => !placed.has(table) && facts.get(table)?.statements === 0).sort(),
    modularity,
    advice: adviceOf(discovery, facts, found, modularity),
    sharedWriters: sharedWriters(facts),
  };
}

const byFirst = ([a = '']: readonly string[], [b = '']: readonly string[]): number => (a < b ? -1 : 1);

/** Tables that more than one service writes; those with most writers first. */
function sharedWriters(facts: ReadonlyMap<string, TableFacts>): readonly SharedWriter[] {
  return [...facts]
    .filter(([, { writers }]) => writers.size > 1)
    .map(([table, { writers }]) => ({
      table,
      writers: [...writers].map(([service, statements]) => ({ service, statements })),
    }))
    .sort((x, y) => y.writers.length - x.writers.length || (x.table < y.table ? -1 : 1));
}
