import type { RulePlaces } from './load.js';
import { PHASES } from './phases.js';
import type { Domain, Phase } from './rule-set.js';

/**
 * The phases are steps of one way, and each is the proof that the next may be taken (docs/configuration.md). A change
 * that leaves some out is allowed, and said: 'file:line:column: what. What to do.'
 */
export function jumpWarnings(
  old: ReadonlyMap<string, Domain>,
  wanted: ReadonlyMap<string, Domain>,
  places: ReadonlyMap<string, RulePlaces>,
): string[] {
  return [...wanted.values()].flatMap((domain) => {
    const before = old.get(domain.name);
    // A domain without a rule was in the default database, as in phase monolith.
    const jump = phaseJump(before?.phase ?? 'monolith', domain.phase);
    const at = places.get(domain.name)?.phase ?? domain.file;
    return jump === null ? [] : [`${at}: domain ${domain.name} ${jump}.`];
  });
}

/** What is left out between two phases, as a sentence's end; null where it is a step, or a way back that is always open. */
export function phaseJump(from: Phase, to: Phase): string | null {
  const [start, end] = [PHASES.indexOf(from), PHASES.indexOf(to)];
  if (from === 'retired' && end < start) {
    return `goes back from retired to ${to}: its old copy is out of date, and nothing mirrors to it. Restore that copy first`;
  }
  if (end - start <= 1) return null;
  const skipped = PHASES.slice(start + 1, end).join(', ');
  return `jumps from ${from} to ${to}, past ${skipped}. Make sure of what these phases prove: that the copy in the new database is whole, in step, and answers alike`;
}
