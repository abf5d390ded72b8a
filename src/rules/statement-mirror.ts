import type { Domain, Phase, RuleSet } from './rule-set.js';

/** The phases in which the monolith is written and the new database has to follow. */
const FOLLOWS: ReadonlySet<Phase> = new Set<Phase>(['dual-write', 'shadow-read', 'read-new']);

/** Whether the proxy itself runs the writes of this domain on its new database too. */
export const isMirroredByStatement = (domain: Domain): boolean =>
  domain.mirror?.capture === 'statement' && FOLLOWS.has(domain.phase);

const bySet = new WeakMap<RuleSet, boolean>();

/** Whether any domain is; looked up once for each set of rules. */
export function anyMirroredByStatement(rules: RuleSet): boolean {
  let any = bySet.get(rules);
  if (any === undefined) {
    any = rules.domains.some(isMirroredByStatement);
    bySet.set(rules, any);
  }
  return any;
}

/** Whether it matters to routing or to a mirror what names mean to a session. */
export const decidesByNames = (rules: RuleSet): boolean => rules.databases.length > 1 || anyMirroredByStatement(rules);
