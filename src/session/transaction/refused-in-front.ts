import { Expect } from '../../backend/reply-queue.js';
import { errorResponse } from '../../wire/backend-messages.js';
import type { ErrorFields } from '../../wire/decode.js';
import { sync } from '../../wire/frontend-messages.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { failedTransaction } from './failed.js';
import { asRaised } from './injection.js';

/** A statement of pgfig's own was refused: within a transaction that fails it, on whichever link it is open. */
export function refusedInFront(session: SessionCore, target: SessionLink): void {
  if (target.injectionError === null) return;
  if (session.tx !== null) session.failHere(session.tx);
  const { queue } = target.link;
  // Where nothing of the client's is behind it, whoever waits for the link is told (`drained`).
  if (queue.skippedQueries === 0 && !queue.skippedPipeline && queue.shown === 0) return;
  const fields = target.injectionError;
  target.injectionError = null;
  answerSkipped(session, target, fields);
}

/**
 * What pgfig asked within a pipeline has failed its implicit transaction, and the backend skips all that comes before
 * Sync: the client must hear of it with its next message, if whoever asked does not tell.
 */
export function refusedInPipeline(session: SessionCore, target: SessionLink, fields: ErrorFields): void {
  if (session.tx !== null || !target.inPipeline || !target.link.queue.needsSync) return;
  session.pipelineFailure ??= asRaised(fields);
}

/**
 * What pgfig put in front of the client's requests failed, and the backend skips them too: the first one's answer is its
 * error, and those that do not belong to the same pipeline find a failed transaction.
 */
function answerSkipped(session: SessionCore, target: SessionLink, fields: ErrorFields): void {
  const { queue } = target.link;
  session.queryFailed = true;
  session.failedWith = fields.code;
  session.client.say(errorResponse(fields));
  for (let i = 1; i < queue.skippedQueries; i++) sayNext(session);
  if (queue.skippedQueries > 0 && !queue.skippedPipeline && queue.needsSync) {
    // Until it gets a Sync, whose ReadyForQuery is the last Query's.
    queue.needsSync = false;
    queue.push(Expect.Sync);
    target.link.send(sync);
    return;
  }
  if (queue.skippedPipeline && queue.skippedQueries > 0) sayNext(session);
  else if (queue.skippedQueries > 0) session.client.sayReady(session.status);
  if (queue.skippedPipeline && queue.needsSync) session.skipping = true;
}

/** Ends the answer to one skipped request, and begins that to the next one. */
function sayNext({ client, status }: SessionCore): void {
  client.sayReady(status);
  client.sayError(failedTransaction());
}
