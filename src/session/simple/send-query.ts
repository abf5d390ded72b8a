import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { markOf, orRefusal } from '../counting/counting.js';
import type { Mark } from '../counting/marks.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { watchEffects } from '../transaction/effects.js';
import { expectSuccess, inject, injectSync } from '../transaction/injection.js';
import { makeReady, writesOn } from '../transaction/joining.js';

/** Counts a text that is sent. @returns what is to stand in the reply queue with it */
export function count(session: SessionCore, plan: TextPlan, target: SessionLink): Mark | null {
  countSent(session, plan, target);
  return markOf(session, plan, target.database);
}

export function countSent(session: SessionCore, plan: TextPlan, target: SessionLink): void {
  let { counter } = plan;
  if (counter.database !== target.database) {
    counter = session.traffic.counters.counter(target.database, plan.kind, plan.domain);
    plan.counter = counter;
  }
  counter.count++;
  if (plan.opaque) session.traffic.counters.opaque++;
}

/** Makes the link ready and sends the Query there. */
export function sendOn(session: SessionCore, plan: TextPlan, target: SessionLink, frame: Buffer): Promise<void> | null {
  const ready = orRefusal(session, plan, () => readyFor(session, target, plan.writes));
  const send = (): void => sendQuery(session, plan, target, frame);
  if (ready === null) {
    send();
    return null;
  }
  return ready.then(send);
}

/**
 * A Query ends the pipelines that were not ended by Sync, and would be one transaction with them. Those on other
 * databases are ended before it: they may only have read, and an error at their end is the Query's.
 * @throws PgfigError NOT_OVER_SEVERAL_DATABASES, and as makeReady
 */
function readyFor(session: SessionCore, target: SessionLink, writes: boolean): Promise<void> | null {
  const open = session.tx === null ? [...session.links.values()].filter((other) => other.inPipeline) : [];
  if (!open.some((other) => other !== target)) return makeReady(session, target, writes);
  const { pipelineWriter } = session;
  if (pipelineWriter !== null && pipelineWriter !== target) {
    throw new PgfigError(
      'NOT_OVER_SEVERAL_DATABASES',
      `a Query cannot go on on database "${target.database}" with the pipeline before it, which has written to database "${pipelineWriter.database}"`,
      { hint: 'End the pipeline with Sync first.' },
    );
  }
  return endOthers(session, open, target).then(() => makeReady(session, target, writes) ?? undefined);
}

async function endOthers(session: SessionCore, open: readonly SessionLink[], target: SessionLink): Promise<void> {
  for (const other of open) {
    if (other === target) continue;
    const ended = inject(other, 'COMMIT');
    injectSync(other);
    await session.drained(other);
    expectSuccess(ended, other.database, 'ending the pipeline before a Query');
  }
  // What it has written unseen is committed.
  if (session.pipelineWriter === null) session.ended(true);
}

export function sendQuery(session: SessionCore, plan: TextPlan, target: SessionLink, frame: Buffer): void {
  if (target.link.lost) throw session.lostError(target.database);
  if (plan.writes) writesOn(session, target);
  const mark = count(session, plan, target);
  const watcher = plan.settles || plan.watched ? watchEffects(session, target, plan, frame) : null;
  target.link.queue.push(Expect.Query, null, watcher, mark, session.arrivedAt);
  // Of a string that is cut up, or put into a transaction of pgfig's own, the end is still to be told.
  session.readyPromised = !session.splitting;
  endPipelines(session, target);
  if (plan.marks !== null && session.tx !== null) session.noteWritten(plan.marks);
  target.lastWasQuery = true;
  session.active = target;
  // What only does away with something leaves nothing behind for lastval() and its like.
  if (plan.kind !== 'deallocate' && plan.kind !== 'close') session.last = target;
  target.link.send(frame);
}

/** A Query ends the implicit transaction of a pipeline that was not ended by Sync, on whichever link it is open. */
function endPipelines(session: SessionCore, target: SessionLink): void {
  for (const other of session.links.values()) {
    if (other === target || !other.inPipeline) continue;
    injectSync(other);
    // Another transaction begins on this link.
    if (session.tx === null) session.ended(true);
  }
  target.inPipeline = false;
  session.endImplicit();
}
