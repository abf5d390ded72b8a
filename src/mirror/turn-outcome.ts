/**
 * What became of a turn of a domain's relay for whoever waits for it: the copy has all that was committed before the
 * turn began; or a table of the domain is stalled and its changes wait; or there was no turn (no relay, no target).
 */
export type TurnOutcome = 'applied' | 'stalled' | 'failed';

const WORST_FIRST: readonly TurnOutcome[] = ['failed', 'stalled'];

/** What counts for somebody who waits for several domains; none: 'applied'. */
export function worstOf(outcomes: readonly TurnOutcome[]): TurnOutcome {
  return WORST_FIRST.find((outcome) => outcomes.includes(outcome)) ?? 'applied';
}
