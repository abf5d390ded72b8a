import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { SessionEffect } from '../../sql/statement.js';
import {
  bindComplete,
  commandComplete,
  noData,
  parameterDescription,
  parseComplete,
} from '../../wire/backend-messages.js';
import { FAILED } from '../client/client-end.js';
import { settleContext } from '../names/settle-context.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { failedOrLast } from '../transaction/anywhere.js';
import { beginHere } from '../transaction/begin.js';
import { openPipeline, tagOf, warning } from '../transaction/control.js';
import { endEverywhere, tellLoss } from '../transaction/ending.js';
import { failedTransaction, failureOf } from '../transaction/failed.js';
import { asRaised, inject, injectSync } from '../transaction/injection.js';
import { begin as beginOn, isReady, makeReady } from '../transaction/joining.js';
import { savepointHere } from '../transaction/savepoints.js';
import { later, othersBusy, pipelineIsOpen, send, sendParse } from './extended-send.js';
import type { Prepared } from './prepared.js';
import { ensurePrepared } from './prepared-statements.js';

/**
 * Transaction control by the extended protocol. Where exactly one link is concerned, the messages go there as they
 * are; otherwise pgfig answers them itself, once everything before them is answered.
 */

/** The one link that control statements concern now; null: pgfig's own business. */
function concerned(session: SessionCore, control: SessionEffect | null): SessionLink | null {
  const { tx } = session;
  const ends = control?.type === 'commit' || control?.type === 'rollback';
  // The mirrors' transaction ends with it.
  if (ends && session.mirrors?.isOpen === true) return null;
  if (tx === null) return openPipelines(session).length === 1 ? openPipeline(session) : null;
  const [only] = tx.participants;
  const alone = only !== undefined && tx.participants.length === 1 && only.undo.length === 0;
  return alone && !tx.failedHere ? only : null;
}

const NO_PARAMETERS = parameterDescription([]);

export function parseControl(
  session: SessionCore,
  prepared: Prepared,
  chunk: Buffer,
  at: number,
  end: number,
): boolean {
  const target =
    prepared.plan.control?.type === 'begin' && session.tx === null ? null : concerned(session, prepared.plan.control);
  if (target !== null) {
    if (othersBusy(session, target) || !isReady(session, target)) {
      later(session, chunk, at, end, async (frame) => {
        if (target.link.status !== FAILED) await makeReady(session, target, false);
        sendParse(session, prepared, target, frame, 0, frame.length);
      });
    } else sendParse(session, prepared, target, chunk, at, end);
    return true;
  }
  refuseInFailed(session, prepared);
  if (needsServer(session, prepared)) return false;
  answer(session, chunk, at, end, () => {
    session.names.set(prepared.name, prepared);
    session.client.say(parseComplete);
  });
  return true;
}

/** In a failed transaction Postgres parses and binds only what ends it. @throws PgfigError IN_FAILED_TRANSACTION */
function refuseInFailed(session: SessionCore, prepared: Prepared): void {
  if (session.status !== FAILED || session.tx === null) return;
  const type = prepared.plan.control?.type;
  if (type === 'commit' || type === 'rollback' || type === 'rollback-to' || type === 'prepare-transaction') return;
  throw failureOf(session);
}

/** Outside of a transaction COMMIT and its like get their warnings or errors from a server. */
function needsServer(session: SessionCore, prepared: Prepared): boolean {
  const { control } = prepared.plan;
  if (session.tx !== null || control === null || control.type === 'begin') return false;
  return prepared.name === '' && openPipelines(session).length < 2;
}

/** Says something once everything before it is answered. */
function answer(session: SessionCore, chunk: Buffer, at: number, end: number, say: () => void): void {
  if (session.active === null || session.active.link.queue.shown === 0) return say();
  later(session, chunk, at, end, () => {
    say();
    return null;
  });
}

export function bindControl(
  session: SessionCore,
  prepared: Prepared,
  portal: string,
  chunk: Buffer,
  at: number,
  end: number,
): boolean {
  const target =
    prepared.plan.control?.type === 'begin' && session.tx === null ? null : concerned(session, prepared.plan.control);
  if (target === null) {
    const own = prepared.plan.control?.type === 'begin' || openPipelines(session).length > 1;
    if (session.tx === null && !own) return false;
    refuseInFailed(session, prepared);
    answer(session, chunk, at, end, () => {
      session.portals.set(portal, { link: null, prepared });
      session.client.say(bindComplete);
    });
    return true;
  }
  const ready = isReady(session, target) || target.link.status === FAILED;
  if (!othersBusy(session, target) && ready && target.statements.get(prepared.name) === prepared) {
    session.portals.set(portal, { link: target, prepared });
    send(session, target, Expect.Bind, chunk, at, end);
    return true;
  }
  later(session, chunk, at, end, async (frame) => {
    if (target.link.status === FAILED) {
      refuseInFailed(session, prepared);
      // Nothing can be prepared there any more: it is ended by pgfig's own means.
      session.portals.set(portal, { link: null, prepared });
      session.client.say(bindComplete);
      return;
    }
    await makeReady(session, target, false);
    await ensurePrepared(session, prepared, target);
    session.portals.set(portal, { link: target, prepared });
    send(session, target, Expect.Bind, frame, 0, frame.length);
  });
  return true;
}

export function describeControl(
  session: SessionCore,
  prepared: Prepared,
  chunk: Buffer,
  at: number,
  end: number,
): boolean {
  const statement = chunk[at + 5] === 0x53;
  answer(session, chunk, at, end, () => {
    if (statement) session.client.say(NO_PARAMETERS);
    session.client.say(noData);
  });
  void prepared;
  return true;
}

/** Execute of a portal that no link has. */
export function executeControl(session: SessionCore, prepared: Prepared, chunk: Buffer, at: number, end: number): void {
  const { control } = prepared.plan;
  if (control === null) throw new PgfigError('INTERNAL', 'a portal without a link holds no transaction control');
  if (
    control.type === 'begin' &&
    session.tx === null &&
    !pipelineIsOpen(session) &&
    (session.active === null || session.active.link.queue.shown === 0)
  ) {
    beginHere(session, control);
    session.client.say(commandComplete(tagOf(prepared.plan, prepared.parse)));
    return;
  }
  later(session, chunk, at, end, () => runHere(session, prepared, control));
}

/** BEGIN in the middle of a pipeline: what its implicit transaction has done so far becomes part of the block. */
function beginInPipeline(session: SessionCore, control: Extract<SessionEffect, { type: 'begin' }>): void {
  if (control.isolation !== null && pipelineIsOpen(session)) {
    throw new PgfigError('ACTIVE_TRANSACTION', 'SET TRANSACTION ISOLATION LEVEL must be called before any query');
  }
  const writer = session.pipelineWriter;
  const { written } = session.facts;
  beginHere(session, control);
  const { tx } = session;
  // What the pipeline has set so far is now undone with the block, if that is.
  if (tx !== null && session.pipelineChanged.length > 0) tx.searchPathChanged = true;
  for (const { target, name } of session.pipelineChanged) tx?.changedSettings.set(name, target);
  session.pipelineChanged = [];
  if (session.pipelineLocal !== null && tx !== null) {
    tx.joinBarred = true;
    tx.searchPathChanged = true;
  }
  session.pipelineSnapshot = null;
  session.pipelineLocal = null;
  for (const target of session.pipelineTemps) tx?.tempsChanged.add(target);
  session.pipelineTemps.clear();
  session.noteWritten([...written]);
  for (const target of session.links.values()) {
    if (tx === null || !target.inPipeline) continue;
    beginOn(session, tx, target);
    if (target === writer) tx.writer = target;
  }
}

const openPipelines = (session: SessionCore): SessionLink[] =>
  [...session.links.values()].filter((target) => target.inPipeline);

function notInBlock(control: SessionEffect): PgfigError {
  const chained = 'chain' in control && control.chain ? ' AND CHAIN' : '';
  const savepoint = control.type === 'release' || control.type === 'rollback-to' ? ' SAVEPOINT' : '';
  const command = `${control.type.replace('-', ' ').toUpperCase()}${savepoint}${chained}`;
  return new PgfigError('NO_ACTIVE_TRANSACTION', `${command} can only be used in transaction blocks`);
}

/** COMMIT or ROLLBACK in the middle of a pipeline over several links ends its implicit transaction, with a warning. */
async function endImplicit(session: SessionCore, how: 'commit' | 'rollback'): Promise<void> {
  const open = openPipelines(session);
  const writer = session.pipelineWriter;
  const ordered = writer === null ? open : [writer, ...open.filter((target) => target !== writer)];
  for (const target of ordered) {
    const ended = inject(target, how === 'commit' ? 'COMMIT' : 'ROLLBACK');
    injectSync(target);
    await session.drained(target);
    if (ended.error !== null) throw asRaised(ended.error);
  }
  session.ended(how === 'commit');
  if (session.commits.due) await session.committedInPipeline();
  session.endImplicit();
  session.client.say(warning('25P01', 'there is no transaction in progress'));
}

async function runHere(session: SessionCore, prepared: Prepared, control: SessionEffect): Promise<void> {
  const { tx } = session;
  const tag = commandComplete(tagOf(prepared.plan, prepared.parse));
  if (tx === null) {
    if (control.type === 'begin') beginInPipeline(session, control);
    else if ((control.type === 'commit' || control.type === 'rollback') && !control.chain) {
      await endImplicit(session, control.type);
    } else throw notInBlock(control);
    session.client.say(tag);
    return;
  }
  switch (control.type) {
    case 'begin':
      if (session.status === FAILED) throw failedTransaction();
      if (control.modes !== '') tx.addModes(control.modes, control.isolation);
      session.isolationChanged();
      session.client.say(warning('25001', 'there is already a transaction in progress'));
      session.client.say(tag);
      return;
    case 'commit':
    case 'rollback': {
      if (control.type === 'commit' && tx.untoldLoss !== null) return tellLoss(session, tx, tx.untoldLoss);
      session.mirrors?.renew();
      const committed = await endEverywhere(session, tx, control.type, control.chain);
      if (session.commits.due) await session.committedInPipeline();
      session.client.say(commandComplete(committed ? 'COMMIT' : 'ROLLBACK'));
      session.client.releaseReports();
      return;
    }
    case 'savepoint':
    case 'release':
    case 'rollback-to':
      await savepointOver(session, control.type, control.name);
      session.client.say(tag);
      return;
    case 'set-transaction':
      if (session.status === FAILED) throw failedTransaction();
      if (tx.participants.length > 0) {
        throw new PgfigError(
          'NOT_OVER_SEVERAL_DATABASES',
          'SET TRANSACTION must come before the first statement of a transaction over several databases',
        );
      }
      // Within a savepoint they last as long as it does.
      if (tx.journal.length > 0)
        tx.record({ type: 'statement', name: '', sql: `SET TRANSACTION ${control.modes}` }, null);
      else tx.addModes(control.modes, control.isolation);
      session.isolationChanged();
      session.client.say(tag);
      return;
    default:
      throw new PgfigError(
        'NOT_OVER_SEVERAL_DATABASES',
        'PREPARE TRANSACTION needs the default database as the only participant',
      );
  }
}

/** Savepoints over several participants: each gets it before its next statement, from the journal. */
async function savepointOver(
  session: SessionCore,
  type: 'savepoint' | 'release' | 'rollback-to',
  name: string,
): Promise<void> {
  const { tx } = session;
  if (tx === null) return;
  savepointHere(session, tx, type, name);
  const failed = failedOrLast(session);
  if (type !== 'rollback-to' || failed === null) return;
  for (const participant of [...tx.participants]) await makeReady(session, participant, false);
  await settleContext(session);
}
