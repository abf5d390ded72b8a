import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { stableCopy } from '../../net/slab.js';
import { watchUnknown } from '../apply/watch-writes.js';
import { FAILED } from '../client/client-end.js';
import { markOf } from '../counting/counting.js';
import { executeMirrored } from '../mirror/mirrored-execute.js';
import { isMirrored } from '../mirror/mirrored-text.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { countSent } from '../simple/send-query.js';
import { watchEffects } from '../transaction/effects.js';
import { failedTransaction } from '../transaction/failed.js';
import { isReady } from '../transaction/joining.js';
import { describeControl, executeControl } from './extended-control.js';
import { later, laterOn, othersBusy, send, sendDescribe, utf8 } from './extended-send.js';
import type { Portal, Prepared } from './prepared.js';
import { refuseTakenName } from './sql-prepare.js';

/** Describe, Execute and Close of a portal go where it was bound. */
export function withPortal(
  session: SessionCore,
  name: string,
  expect: Expect,
  chunk: Buffer,
  at: number,
  end: number,
  describes: boolean,
  ready = false,
): void {
  const portal = session.portals.get(name);
  if (portal !== undefined && portal.link === null) {
    if (describes) describeControl(session, portal.prepared, chunk, at, end);
    else executeControl(session, portal.prepared, chunk, at, end);
    return;
  }
  // An unknown one may be a cursor made by DECLARE.
  const target = portal?.link ?? session.cursors.get(utf8(name))?.target ?? session.last ?? session.home;
  if (target === null || target.link.lost)
    throw new PgfigError('UNDEFINED_CURSOR', `portal "${utf8(name)}" does not exist`);
  if (session.status === FAILED && session.tx !== null && target.link.status !== FAILED) throw failedTransaction();
  if (!ready && session.tx !== null && session.status !== FAILED && !isReady(session, target)) {
    const writes = portal?.prepared.plan.writes ?? false;
    const again = (_: SessionLink, frame: Buffer): void =>
      withPortal(session, name, expect, frame, 0, frame.length, describes, true);
    return laterOn(session, chunk, at, end, () => target, writes, again);
  }
  if (othersBusy(session, target)) {
    return later(session, chunk, at, end, (frame) => {
      withPortal(session, name, expect, frame, 0, frame.length, describes);
      return null;
    });
  }
  if (!describes && portal !== undefined) return execute(session, portal, target, chunk, at, end);
  if (describes) return sendDescribe(session, portal?.prepared ?? null, target, chunk, at, end);
  // A cursor's query was looked at when it was declared.
  const unknown = !session.cursors.has(utf8(name));
  send(session, target, expect, chunk, at, end, unknown ? watchUnknown(session) : null);
}

/** @param repeated the mirror knows of it already */
function execute(
  session: SessionCore,
  portal: Portal,
  target: SessionLink,
  chunk: Buffer,
  at: number,
  end: number,
  repeated = false,
): void {
  const { prepared } = portal;
  const { plan } = prepared;
  refuseTakenName(session, plan);
  if (plan.control?.type === 'prepare-transaction') {
    session.mirrors?.giveUp('prepared-transaction', 'it was prepared for a later COMMIT PREPARED');
  }
  if (!repeated && isMirrored(session, plan)) {
    const frame = stableCopy(chunk, at, end);
    return executeMirrored(session, portal, target, () =>
      execute(session, portal, target, frame, 0, frame.length, true),
    );
  }
  countSent(session, plan, target);
  const limit = chunk.readInt32BE(end - 4);
  const mark = markOf(session, plan, target.database, portal.begun ? 'rest' : 'whole', Math.max(limit, 0));
  portal.begun = true;
  if (!plan.settles && !plan.watched) return send(session, target, Expect.Execute, chunk, at, end, null, mark);
  if (plan.control?.type === 'commit' && session.tx !== null) {
    session.commitSent = target;
    session.readyBeforeCommit = target.link.queue.owedReady;
  }
  // What follows may depend on the effect: it waits until the effect has taken place.
  if (plan.settles) {
    session.unsettled = { target, plan, sql: plan.everywhere ? textOfParse(prepared) : '' };
  }
  // What SQL-level PREPARE has made has no Parse message to take its text from.
  const frame = plan.settles && prepared.sqlLevel === null ? queryFrameOf(prepared) : null;
  const watcher = watchEffects(session, target, plan, frame);
  send(session, target, Expect.Execute, chunk, at, end, watcher, mark);
}

function textOfParse(prepared: Prepared): string {
  const frame = queryFrameOf(prepared);
  return frame.toString('utf8', 5, frame.length - 1);
}

/** The statement's text as a Query message: what a journal repeats. */
function queryFrameOf(prepared: Prepared): Buffer {
  const nameEnd = prepared.parse.indexOf(0, 5);
  const textEnd = prepared.parse.indexOf(0, nameEnd + 1);
  return Buffer.concat([Buffer.alloc(5), prepared.parse.subarray(nameEnd + 1, textEnd + 1)]);
}
