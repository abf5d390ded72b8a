import { endPipeline } from '../extended/pipeline-end.js';
import type { SessionCore } from '../session-core.js';
import { settle } from '../transaction/unsettled.js';

/** Sync of a pipeline whose implicit transaction has something for a mirror: the monolith commits, then the mirror. */
export function syncMirrored(session: SessionCore): void {
  session.flushRun();
  session.block(endMirrored(session), true);
}

/** The same for a pipeline whose last statement had to be waited for. */
export async function endMirrored(session: SessionCore): Promise<void> {
  const { mirrors } = session;
  if (session.unsettled !== null) await settle(session);
  // All is answered before anything is committed: the last answer may be an error.
  await session.activeAnswered();
  if (mirrors === null || session.closed) return;
  const failed = session.skipping || session.pipelineFailure !== null;
  const through = mirrors.beginEnd();
  session.readyHold = 'wanted';
  try {
    const lost = await ended(session);
    const outcome = failed || (session.lastQueryFailed && !lost) ? 'rolled back' : lost ? 'unknown' : 'committed';
    await mirrors.end(outcome);
  } finally {
    if (readyWasHeld(session)) session.sayReady();
    session.readyHold = 'no';
    through();
  }
}

const readyWasHeld = ({ readyHold }: SessionCore): boolean => readyHold === 'held';

/** @returns whether the connection to the monolith was lost before it had answered */
async function ended(session: SessionCore): Promise<boolean> {
  const { active } = session;
  await endPipeline(session);
  if (active === null) return false;
  await session.answered(active);
  return active.link.lost;
}
