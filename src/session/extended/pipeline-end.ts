import { Expect } from '../../backend/reply-queue.js';
import { sync } from '../../wire/frontend-messages.js';
import { FAILED, IDLE } from '../client/client-end.js';
import { settleContext } from '../names/settle-context.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { inject, injectSync } from '../transaction/injection.js';

/**
 * Sync after a pipeline that was not one link's alone: it spanned links, or failed, or was answered by pgfig itself.
 * The implicit transaction of a pipeline is one: where anything failed, all of it is rolled back.
 * @returns what is waited for; null: nothing is
 */
export function endPipeline(session: SessionCore): Promise<void> | null {
  const open: SessionLink[] = [];
  for (const target of session.links.values()) if (target.inPipeline || target.link.queue.needsSync) open.push(target);
  // It may have failed while the message that ends it was being worked on.
  if (session.pipelineFailure !== null && !session.skipping) session.failMessage(session.pipelineFailure, false);
  const failed = session.skipping;
  const shown = pickShown(session, open);
  session.flushRun();
  session.skipping = false;
  session.pipelineFailure = null;
  const writer = session.pipelineWriter;
  session.endImplicit();
  if (open.length === 0) readyWhenAnswered(session);
  else if (open.length === 1 && shown !== null) sendSync(session, shown);
  else {
    const ended = endAll(session, open, shown, writer, failed);
    session.block(ended, true);
    return ended;
  }
  return null;
}

/** The link whose ReadyForQuery the client gets: the one that failed, else the writer, else the last one. */
function pickShown(session: SessionCore, open: readonly SessionLink[]): SessionLink | null {
  const needing = open.find((target) => target.link.queue.needsSync);
  if (needing !== undefined) return needing;
  if (session.skipping && session.tx === null) return null;
  const writer = session.pipelineWriter;
  if (writer !== null && open.includes(writer)) return writer;
  return session.active !== null && open.includes(session.active) ? session.active : (open.at(-1) ?? null);
}

function sendSync(session: SessionCore, shown: SessionLink): void {
  shown.inPipeline = false;
  shown.link.queue.needsSync = false;
  shown.link.queue.push(Expect.Sync);
  session.readyPromised = true;
  session.active = shown;
  shown.link.send(sync);
}

/** Nothing was sent to any backend: ReadyForQuery is pgfig's, behind whatever is still outstanding. */
function readyWhenAnswered(session: SessionCore): void {
  const { active } = session;
  if (active === null || active.link.queue.shown === 0) {
    session.sayReady();
    return;
  }
  session.block(
    session.answered(active).then(() => {
      // A Sync that the backend reads in copy-in mode is owed nothing.
      if (!session.copyIn) session.sayReady();
    }),
    true,
  );
}

async function endAll(
  session: SessionCore,
  open: readonly SessionLink[],
  shown: SessionLink | null,
  writer: SessionLink | null,
  failedBefore: boolean,
): Promise<void> {
  // All that was asked is answered before anything is committed: what is answered last may still fail.
  if (!failedBefore) await session.activeAnswered();
  if (session.pipelineFailure !== null && !session.skipping) session.client.sayError(session.pipelineFailure);
  const failed = failedBefore || session.skipping || session.pipelineFailure !== null;
  session.skipping = false;
  session.pipelineFailure = null;
  const implicit = session.status === IDLE && session.tx === null;
  const needing = open.find((target) => target.link.queue.needsSync && !target.link.lost);
  const first = failed ? null : (writer ?? shown);
  if (first !== null && !first.link.lost) {
    sendSync(session, first);
    await session.answered(first);
  }
  for (const target of open) {
    if (target === first || target.link.lost) continue;
    if (failed && target === needing) continue;
    const undone = failed || (first !== null && session.lastQueryFailed);
    if (undone && implicit && !target.link.queue.needsSync) inject(target, 'ROLLBACK');
    injectSync(target);
  }
  if (failed) {
    if (implicit) session.ended(false);
    if (needing !== undefined) {
      sendSync(session, needing);
      await session.answered(needing);
    } else {
      // One that is lost has undone its part all the same, and the client has its error already.
      for (const target of open) if (!target.link.lost) await session.drained(target).catch(() => undefined);
      if (session.tx?.failedHere) session.status = FAILED;
      session.sayReady();
    }
  }
  await settleContext(session);
}
