import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { stableCopy } from '../../net/slab.js';
import { Reading } from '../../sql/statement-cache.js';
import { emptyQueryResponse } from '../../wire/backend-messages.js';
import { F } from '../../wire/types.js';
import { FAILED } from '../client/client-end.js';
import { noteRefusal } from '../counting/counting.js';
import { runNamed } from '../extended/sql-prepare.js';
import { endsPipeline, runMirrored } from '../mirror/mirrored-query.js';
import { isMirrored } from '../mirror/mirrored-text.js';
import { settleContext } from '../names/settle-context.js';
import { lookUp, planFor, whenRead } from '../plan/reading.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { runControl } from '../transaction/control.js';
import { watchEffects } from '../transaction/effects.js';
import { runEverywhere } from '../transaction/everywhere.js';
import { failureOf } from '../transaction/failed.js';
import { isReady, linkFor, mayWrite } from '../transaction/joining.js';
import { adoptAgain } from '../transaction/transaction-end.js';
import { count, sendOn, sendQuery } from './send-query.js';
import { runSplit } from './split-query.js';

/**
 * A simple Query (55.2.2). The hot path: the plan is on the cache's entry, its link is open and ready, and the
 * message joins the run as it lies.
 */
export function onQuery(session: SessionCore, chunk: Buffer, at: number, end: number): void {
  // As in Postgres, a Query does away with the unnamed statement.
  if (session.names.size > 0) session.names.delete('');
  const found = lookUp(session, chunk, at + 5, end);
  if (found instanceof Reading) return queryLater(session, found, stableCopy(chunk, at, end));
  const plan = planFor(session, found);
  if (plan.plain) {
    const target = plan.database === null ? (session.last ?? session.home) : session.links.get(plan.database);
    if (
      target !== undefined &&
      target !== null &&
      isReady(session, target) &&
      !target.inPipeline &&
      (session.active === target || session.active === null || session.active.link.queue.shown === 0) &&
      (session.links.size === 1 || !pipelineElsewhere(session, target)) &&
      (!plan.writes || mayWrite(session, target))
    ) {
      const mark = count(session, plan, target);
      const watcher = plan.watched ? watchEffects(session, target, plan, null) : null;
      target.link.queue.push(Expect.Query, null, watcher, mark, session.arrivedAt);
      target.lastWasQuery = true;
      session.active = target;
      session.last = target;
      session.forward(target, chunk, at, end);
      if (plan.marks !== null && session.txStamp !== 0) session.noteWritten(plan.marks);
      return;
    }
  }
  session.flushRun();
  slowQuery(session, plan, chunk, at, end);
}

/** A text that is read off the event loop. */
function queryLater(session: SessionCore, reading: Reading<TextPlan>, frame: Buffer): void {
  session.flushRun();
  session.block(
    whenRead(session, reading, () => lookUp(session, frame, 5, frame.length)).then((cached) => {
      if (cached === null) return;
      return runQuery(session, planFor(session, cached), frame) ?? undefined;
    }),
    true,
  );
}

/** A pipeline without its Sync is open on another link. */
function pipelineElsewhere(session: SessionCore, target: SessionLink): boolean {
  for (const other of session.links.values()) if (other !== target && other.inPipeline) return true;
  return false;
}

/** Everything that is not the hot path; what can be done at once is, so that order is kept without waiting. */
function slowQuery(session: SessionCore, plan: TextPlan, chunk: Buffer, at: number, end: number): void {
  const frame = stableCopy(chunk, at, end);
  const { active } = session;
  if (active !== null && active.link.queue.shown > 0) {
    // Something is still to be answered, and perhaps will fail: first come, first served.
    session.block(
      session.activeAnswered().then(() => {
        if (session.skipping) return;
        const found = lookUp(session, frame, 5, frame.length);
        if (found instanceof Reading) return queryLater(session, found, frame);
        return runQuery(session, planFor(session, found), frame) ?? undefined;
      }),
      true,
    );
    return;
  }
  const work = runQuery(session, plan, frame);
  if (work !== null) session.block(work, true);
}

/**
 * Runs a Query while nothing of the client's is outstanding.
 * @returns null when it was done or sent at once, else what to wait for
 * @throws PgfigError that answers it
 */
function runQuery(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> | null {
  if (session.mirrors?.isOpen === true && session.tx === null) {
    return endsPipeline(session, () => route(session, plan, frame));
  }
  return route(session, plan, frame);
}

function route(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> | null {
  if (plan.control !== null) return runControl(session, plan, plan.control, frame);
  if (session.status === FAILED) return inFailedTransaction(session, plan, frame);
  if (plan.error !== null) throw noteRefusal(session, plan, plan.error);
  if (plan.everywhere) return runEverywhere(session, plan, frame);
  if (plan.spans) return runSplit(session, plan, frame);
  if (plan.controlInside && session.tx !== null && session.tx.participants.length > 1) {
    throw new PgfigError(
      'NOT_OVER_SEVERAL_DATABASES',
      'a query string with transaction control cannot end a transaction that spans several databases',
      { hint: 'Send COMMIT or ROLLBACK as a statement of its own.' },
    );
  }
  if (plan.controlInside) session.mirrors?.giveUp('string', 'a query string ends it unseen');
  if (isMirrored(session, plan)) return runMirrored(session, plan, frame, () => runPlan(session, plan, frame));
  return runPlan(session, plan, frame);
}

function runPlan(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> | null {
  if (plan.settles) return runWithEffects(session, plan, frame);
  const target = linkFor(session, plan);
  if (target instanceof Promise) return target.then((link) => sendOn(session, plan, link, frame) ?? undefined);
  return sendOn(session, plan, target, frame);
}

/** What changes the session is waited for: what comes after it may depend on it. */
async function runWithEffects(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> {
  if (plan.parsed.statements.length === 1) {
    const named = runNamed(session, plan, frame);
    if (named !== undefined) return named ?? undefined;
  }
  const target = await linkFor(session, plan);
  await sendOn(session, plan, target, frame);
  const before = session.tx;
  await session.answered(target);
  // A string that ended one transaction and began another.
  if (plan.controlInside && before !== null && session.tx === before) adoptAgain(session, target);
  if (session.copyIn) session.unsettled = { target, plan, sql: '' };
  else await settleContext(session);
}

/**
 * In a failed transaction Postgres parses, and refuses with 25P02 before it looks at names: the link that failed
 * says so itself, with the right answer for text that does not parse. Where no link has failed, pgfig does.
 */
function inFailedTransaction(session: SessionCore, plan: TextPlan, frame: Buffer): null {
  const failed = session.tx?.participants.find((participant) => participant.link.status === FAILED);
  if (plan.parsed.statements.length === 0) {
    session.client.say(emptyQueryResponse);
    session.sayReady();
    return null;
  }
  if (failed === undefined || frame[0] !== F.Query) throw failureOf(session);
  sendQuery(
    session,
    { ...plan, writes: false, marks: null, mirrored: null, watched: false, effects: [], settles: false },
    failed,
    frame,
  );
  return null;
}
