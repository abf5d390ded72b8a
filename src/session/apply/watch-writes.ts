import type { Watcher } from '../../backend/reply-queue.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import { type MirroredDomain, mirroredIn } from './mirrored.js';

const SYNTAX_ERROR = '42601';
const NOTHING: readonly MirroredDomain[] = [];

/** A text was answered: what it has written of mirrored domains, and what may be committed by now. */
export function noteWrites(session: SessionCore, plan: TextPlan, done: boolean): void {
  const { commits } = session;
  if (plan.control !== null) {
    // AND CHAIN, or more messages of the same pipeline: no ReadyForQuery will tell. A failed transaction says ROLLBACK.
    const committed = plan.control.type === 'commit' && !(session.tx !== null && session.lastTag === 'ROLLBACK');
    if (done && committed) commits.end(true);
    return;
  }
  const mirrored = plan.mirrored === null ? NOTHING : narrowed(session, plan, plan.mirrored);
  // The end of a transaction is seen by its status; this is for what that does not show.
  if (plan.commitsInside && mayHaveCommitted(session, plan, done)) {
    if (done) commits.end(true);
    commits.mayBeCommitted(mirrored);
  }
  // Behind a COMMIT within the text it may be of the next transaction.
  if (done && mirrored.length > 0) session.wrote(mirrored);
}

/** SQL-level EXECUTE writes what the statement of that name writes. */
function narrowed(
  session: SessionCore,
  plan: TextPlan,
  mirrored: readonly MirroredDomain[],
): readonly MirroredDomain[] {
  const { executes } = plan.tallies;
  if (executes === null) return mirrored;
  const prepared = session.names.get(Buffer.from(executes, 'utf8').toString('latin1'));
  return prepared === undefined ? mirrored : (prepared.plan.mirrored ?? NOTHING);
}

function mayHaveCommitted(session: SessionCore, plan: TextPlan, done: boolean): boolean {
  if (plan.effects.some(({ type }) => type === 'commit')) return true;
  // Procedures commit outside of a transaction block only; what does not parse on the server has not begun.
  return !done && session.tx === null && session.failedWith !== SYNTAX_ERROR;
}

/** For a request of which only the server knows what it runs; null where nothing is mirrored. */
export function watchUnknown(session: SessionCore): Watcher | null {
  const all = mirroredIn(session.context.rules);
  if (all.length === 0) return null;
  return {
    onDone: (ok) => {
      if (ok && !session.queryFailed) session.wrote(all);
    },
  };
}
