import type { ReadsRule, RuleSet } from '../rules/rule-set.js';
import { listText } from './list-text.js';

const NONE: ReadonlySet<string> = new Set();

/**
 * Domains in phase `read-new` whose reads go to the new database in a session of this service.
 * @param share the session's own random number, 0 <= share < 100: it stays, so that the session does not go to and fro
 */
export function readsNewOf(rules: RuleSet, service: string, share: number): ReadonlySet<string> {
  const chosen = rules.domains.filter(({ phase, reads }) => {
    if (phase !== 'read-new') return false;
    return reads === undefined || share < reads.new || reads.services.includes(service);
  });
  return chosen.length === 0 ? NONE : new Set(chosen.map(({ name }) => name));
}

/** Whose reads go to the new database: '10 % of the sessions and order-service'. */
export function readersText(reads: ReadsRule): string {
  const parts = [...(reads.new > 0 ? [`${reads.new} % of the sessions`] : []), ...reads.services];
  return parts.length === 0 ? 'no session' : listText(parts);
}
