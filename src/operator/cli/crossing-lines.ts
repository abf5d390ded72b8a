import type { CatalogObjects } from '../../routing/catalog-view.js';
import { type Crossing, findCrossings, type Unseen } from '../../routing/crossings.js';
import { listText } from '../../routing/list-text.js';
import type { RuleSet } from '../../rules/rule-set.js';

/** A catalog full of dynamic SQL must not hide the other warnings. */
const MOST_UNSEEN = 20;

/**
 * What `pgfig check` says of views, functions, triggers, rules, policies and foreign keys that a move would cut in
 * two or leave behind, and of functions that cannot be seen through.
 */
export function crossingLines(catalog: CatalogObjects, rules: RuleSet): readonly string[] {
  const { crossings, unseen } = findCrossings(catalog, rules);
  return [...crossings.map(crossingLine), ...unseenLines(unseen)];
}

function crossingLine({ database, what, places, now, missingIn }: Crossing): string {
  const [tables] = places.values();
  if (missingIn !== null) {
    return `${what} is in ${database} only, and all that it touches moves to ${missingIn} (${listText(tables ?? [])}). Create it there too`;
  }
  const where = [...places].map(([place, names]) => `${listText(names)} in ${place}`).join(', ');
  const when = now ? 'now: statements that use it are refused' : 'once these domains have moved';
  return `${what} in ${database} crosses databases ${when}: ${where}`;
}

function unseenLines(unseen: readonly Unseen[]): readonly string[] {
  const told = unseen.slice(0, MOST_UNSEEN).map(({ database, what, why }) => {
    return `${what} in ${database} cannot be seen through (${why}): it runs where its caller's tables are, else in the default database`;
  });
  const left = unseen.length - told.length;
  return left > 0 ? [...told, `${left} more functions cannot be seen through`] : told;
}
