import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { stableCopy } from '../../net/slab.js';
import { type CachedStatement, Reading } from '../../sql/statement-cache.js';
import { closeComplete } from '../../wire/backend-messages.js';
import { decodeBindNames, decodeClose, decodeDescribe, decodeExecute } from '../../wire/decode.js';
import { HEADER } from '../../wire/framer.js';
import { watchUnknown } from '../apply/watch-writes.js';
import { FAILED } from '../client/client-end.js';
import { markOf, noteRefusal, orRefusal } from '../counting/counting.js';
import { endMirrored, syncMirrored } from '../mirror/mirrored-sync.js';
import { repeatsSome } from '../mirror/mirrored-text.js';
import { type Found, lookUp, whenRead } from '../plan/reading.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { failedTransaction, failureOf } from '../transaction/failed.js';
import { isReady, linkFor, makeReady, mayWrite, openLinkOf } from '../transaction/joining.js';
import { settle } from '../transaction/unsettled.js';
import { bindControl, describeControl, parseControl } from './extended-control.js';
import { later, laterOn, othersBusy, send, sendDescribe, sendParse, utf8 } from './extended-send.js';
import { refuseNestedOids, wantsBinary } from './nested-oids.js';
import { endPipeline } from './pipeline-end.js';
import { withPortal } from './portals.js';
import type { Prepared } from './prepared.js';
import { ensurePrepared, followRules, parsed } from './prepared-statements.js';
import { linkOfName } from './sql-prepare.js';

/**
 * The extended query protocol (55.2.3). Each message goes to the link that its statement belongs to; where that is
 * not the active one, it waits until everything before it is answered without error (a Flush makes the backend
 * answer), so that after an error nothing more runs.
 */

/** @param known what its text says, when that had to be waited for */
export function onParse(
  session: SessionCore,
  chunk: Buffer,
  at: number,
  end: number,
  known: CachedStatement<TextPlan> | null = null,
): void {
  const prepared = parsed(session, chunk, at, end, known);
  if (prepared instanceof Reading) return parseLater(session, prepared, stableCopy(chunk, at, end));
  if (prepared.plan.control !== null && parseControl(session, prepared, chunk, at, end)) return;
  refuseInFailed(session, prepared.plan);
  const { plan } = prepared;
  if (plan.error !== null) throw noteRefusal(session, plan, plan.error);
  if (plan.spans) throw new PgfigError('SPLIT_NOT_POSSIBLE', 'a prepared statement cannot span several databases');
  const target = linkOfName(session, plan) ?? openLinkOf(session, plan);
  if (target !== null && isReady(session, target) && !othersBusy(session, target)) {
    sendParse(session, prepared, target, chunk, at, end);
    return;
  }
  const find = (): SessionLink | Promise<SessionLink> => {
    refuseInFailed(session, plan);
    return linkOfName(session, plan) ?? linkFor(session, plan);
  };
  laterOn(session, chunk, at, end, find, false, (link, frame) => {
    sendParse(session, prepared, link, frame, 0, frame.length);
  });
}

/** A text that is read off the event loop. */
function parseLater(session: SessionCore, reading: Reading<TextPlan>, frame: Buffer): void {
  session.flushRun();
  const again = (): Found =>
    lookUp(session, frame, frame.indexOf(0, 5) + 1, frame.indexOf(0, frame.indexOf(0, 5) + 1) + 1);
  session.block(
    whenRead(session, reading, again).then((cached) => {
      if (cached !== null) onParse(session, frame, 0, frame.length, cached);
    }),
    false,
  );
}

export function onBind(session: SessionCore, chunk: Buffer, at: number, end: number): void {
  const names = decodeBindNames(chunk, at + 5, end);
  const prepared = session.names.get(names.statement);
  if (prepared === undefined) return unknownStatement(session, names.statement, Expect.Bind, chunk, at, end);
  followRules(session, prepared);
  const { plan } = prepared;
  const target = plan.database === null ? prepared.on : (session.links.get(plan.database) ?? null);
  if (
    plan.plain &&
    target !== null &&
    isReady(session, target) &&
    !othersBusy(session, target) &&
    target.statements.get(names.statement) === prepared &&
    (!target.carriesOids || !wantsBinary(chunk, names.end, end)) &&
    (!plan.writes || mayWrite(session, target))
  ) {
    if (plan.writes) session.pipelineWriter = session.tx === null ? target : session.pipelineWriter;
    if (plan.marks !== null) session.noteWritten(plan.marks);
    session.portals.set(names.portal, { link: target, prepared });
    prepared.on = target;
    send(session, target, Expect.Bind, chunk, at, end, null, markOf(session, plan, target.database, 'failure'));
    return;
  }
  if (plan.control !== null && bindControl(session, prepared, names.portal, chunk, at, end)) return;
  refuseInFailed(session, plan);
  later(session, chunk, at, end, (frame) => bindSlowly(session, prepared, names.portal, frame));
}

async function bindSlowly(session: SessionCore, prepared: Prepared, portal: string, frame: Buffer): Promise<void> {
  stillThere(session, prepared);
  followRules(session, prepared);
  const { plan } = prepared;
  refuseInFailed(session, plan);
  if (plan.error !== null) throw noteRefusal(session, plan, plan.error);
  const target = await (plan.database === null && prepared.on !== null ? prepared.on : linkFor(session, plan));
  await orRefusal(session, plan, () => makeReady(session, target, plan.writes));
  await ensurePrepared(session, prepared, target);
  if (target.carriesOids) await refuseNestedOids(session, prepared, target, frame);
  if (plan.writes) {
    if (session.tx === null) session.pipelineWriter = target;
    else session.tx.writer = target;
  }
  if (plan.marks !== null) session.noteWritten(plan.marks);
  session.portals.set(portal, { link: target, prepared, ...(repeatsSome(plan) && { bind: frame }) });
  const mark = markOf(session, plan, target.database, 'failure');
  send(session, target, Expect.Bind, frame, 0, frame.length, null, mark);
}

/** While a message waited, what it needs may have been skipped with a pipeline that failed. @throws PgfigError UNDEFINED_STATEMENT */
function stillThere(session: SessionCore, prepared: Prepared): void {
  if (session.names.get(prepared.name) === prepared) return;
  throw new PgfigError(
    'UNDEFINED_STATEMENT',
    prepared.name === ''
      ? 'unnamed prepared statement does not exist'
      : `prepared statement "${utf8(prepared.name)}" does not exist`,
  );
}

/** Statements that pgfig does not know: made by SQL-level PREPARE inside a string or function, or not at all. */
function unknownStatement(
  session: SessionCore,
  name: string,
  expect: Expect,
  chunk: Buffer,
  at: number,
  end: number,
): void {
  if (session.status === FAILED) throw failedTransaction();
  const target = session.last ?? session.home;
  if (
    target !== null &&
    isReady(session, target) &&
    !othersBusy(session, target) &&
    name !== '' &&
    !target.stale.has(name)
  ) {
    send(session, target, expect, chunk, at, end);
    return;
  }
  throw new PgfigError(
    'UNDEFINED_STATEMENT',
    name === '' ? 'unnamed prepared statement does not exist' : `prepared statement "${utf8(name)}" does not exist`,
  );
}

export function onDescribe(session: SessionCore, chunk: Buffer, at: number, end: number): void {
  const { what, name } = decodeDescribe(chunk, at + 5, end);
  if (what === 'P') return withPortal(session, name, Expect.Execute, chunk, at, end, true);
  const prepared = session.names.get(name);
  if (prepared === undefined) return unknownStatement(session, name, Expect.Describe, chunk, at, end);
  followRules(session, prepared);
  const { plan } = prepared;
  refuseInFailed(session, plan);
  const target = plan.database === null ? prepared.on : (session.links.get(plan.database) ?? null);
  if (
    target !== null &&
    isReady(session, target) &&
    !othersBusy(session, target) &&
    target.statements.get(name) === prepared
  ) {
    sendDescribe(session, prepared, target, chunk, at, end);
    return;
  }
  if (plan.control !== null && describeControl(session, prepared, chunk, at, end)) return;
  const find = (): SessionLink | Promise<SessionLink> => {
    stillThere(session, prepared);
    return plan.database === null && prepared.on !== null ? prepared.on : linkFor(session, plan);
  };
  laterOn(session, chunk, at, end, find, false, async (link, frame) => {
    await ensurePrepared(session, prepared, link);
    sendDescribe(session, prepared, link, frame, 0, frame.length);
  });
}

export function onExecute(session: SessionCore, chunk: Buffer, at: number, end: number): void {
  const portal = chunk[at + 5] === 0 ? '' : decodeExecute(chunk, at + 5, end).portal;
  withPortal(session, portal, Expect.Execute, chunk, at, end, false);
}

export function onClose(session: SessionCore, chunk: Buffer, at: number, end: number): void {
  const { what, name } = decodeClose(chunk, at + 5, end);
  if (what === 'P') {
    const portal = session.portals.get(name);
    session.portals.delete(name);
    const target = portal === undefined ? (session.cursors.get(utf8(name))?.target ?? null) : portal.link;
    return closeOn(session, target, chunk, at, end);
  }
  const prepared = session.names.get(name);
  session.names.delete(name);
  let shown: SessionLink | null = null;
  for (const target of session.links.values()) {
    if (prepared === undefined || target.statements.get(name) !== prepared) continue;
    target.statements.delete(name);
    if (shown === null) shown = target;
    else target.stale.add(name);
  }
  closeOn(session, shown, chunk, at, end);
}

/** Closing what does not exist is no error (55.2.3). */
function closeOn(session: SessionCore, target: SessionLink | null, chunk: Buffer, at: number, end: number): void {
  const chosen = target ?? (session.active !== null && session.active.link.queue.shown > 0 ? session.active : null);
  if (chosen === null) {
    session.client.say(closeComplete);
    return;
  }
  if (othersBusy(session, chosen)) {
    return later(session, chunk, at, end, (frame) => {
      send(session, chosen, Expect.Close, frame, 0, frame.length);
      return null;
    });
  }
  send(session, chosen, Expect.Close, chunk, at, end);
}

export function onFlush(session: SessionCore, chunk: Buffer, at: number, end: number): void {
  if (end - at !== HEADER) throw new PgfigError('PROTOCOL_VIOLATION_IN_QUERY', 'invalid message format');
  const { active } = session;
  if (active !== null && active.link.queue.shown > 0) session.forward(active, chunk, at, end);
}

/** Sync ends the pipeline: the hot path is one link and no error. */
export function onSync(session: SessionCore, chunk: Buffer, at: number, end: number): void {
  const { active } = session;
  if (end - at !== HEADER) {
    session.client.sayError(new PgfigError('PROTOCOL_VIOLATION_IN_QUERY', 'invalid message format'));
    session.skipping = true;
  }
  if (active !== null && session.copyIn) {
    // In copy-in mode Postgres ignores it, and nothing is owed for it (55.2.6).
    session.forward(active, chunk, at, end);
    return;
  }
  if (session.unsettled !== null && !syncSettles(session)) {
    session.flushRun();
    const mirrored = session.mirrors?.isOpen === true && session.tx === null;
    session.block(
      settle(session).then(() => (mirrored ? endMirrored(session) : void endPipeline(session))),
      true,
    );
    return;
  }
  session.unsettled = null;
  if (session.mirrors?.isOpen === true && session.tx === null) return syncMirrored(session);
  if (active?.inPipeline && !session.skipping && onlyPipeline(session, active) && session.pipelineFailure === null) {
    active.inPipeline = false;
    session.endImplicit();
    if (session.txStamp === 0) session.portals.clear();
    active.link.queue.push(Expect.Sync);
    session.forward(active, chunk, at, end);
    return;
  }
  void endPipeline(session);
}

/** ReadyForQuery tells how a transaction ended; whether names mean something else then has to be asked. */
function syncSettles(session: SessionCore): boolean {
  const { unsettled, tx } = session;
  const control = unsettled?.plan.control ?? null;
  if (control === null || ('chain' in control && control.chain)) return false;
  return tx === null || (!tx.searchPathChanged && !tx.opaque);
}

function onlyPipeline(session: SessionCore, active: SessionLink): boolean {
  if (session.links.size === 1) return true;
  for (const target of session.links.values()) if (target !== active && target.inPipeline) return false;
  return true;
}

/** FunctionCall names a function by the default database's OIDs, and is mostly for large objects. */
export function onFunctionCall(session: SessionCore, chunk: Buffer, at: number, end: number): void {
  const frame = stableCopy(chunk, at, end);
  const database = session.context.rules.defaultDatabase;
  session.flushRun();
  const work = async (): Promise<void> => {
    await session.activeAnswered();
    if (session.skipping) return;
    // The link that failed says so itself; no other knows of it.
    if (session.status === FAILED && session.links.get(database)?.link.status !== FAILED) throw failureOf(session);
    const target = await linkFor(session, { ...FUNCTION_CALL, database } as TextPlan);
    await makeReady(session, target, true);
    if (session.tx !== null) session.tx.writer = target;
    target.link.queue.push(Expect.Query, null, watchUnknown(session));
    session.readyPromised = true;
    target.lastWasQuery = true;
    session.active = target;
    session.last = target;
    target.link.send(frame);
  };
  session.block(work(), true);
}

const FUNCTION_CALL = { kind: 'other', domain: '' };

function refuseInFailed(session: SessionCore, plan: TextPlan): void {
  if (session.status !== FAILED || session.tx === null) return;
  if (plan.control !== null) return;
  const failed = session.tx.participants.find((participant) => participant.link.status === FAILED);
  // The link that failed says so itself, unless the message cannot go there.
  if (failed === undefined || (plan.database !== null && plan.database !== failed.database)) throw failureOf(session);
}
