import { PgfigError } from '../../errors/pgfig-error.js';
import type { SessionEffect } from '../../sql/statement.js';
import { commandComplete, noticeResponse } from '../../wire/backend-messages.js';
import { FAILED, IDLE } from '../client/client-end.js';
import { settleContext } from '../names/settle-context.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { sendOn, sendQuery } from '../simple/send-query.js';
import { failedOrLast, forwardToAny } from './anywhere.js';
import { beginHere } from './begin.js';
import { chainOn, endEverywhere, tellLoss } from './ending.js';
import { failedTransaction } from './failed.js';
import { runSavepoint } from './savepoints.js';
import type { Transaction } from './transaction.js';

/** Transaction control, sent as a Query of its own. Returns as `runQuery` does. */
export function runControl(
  session: SessionCore,
  plan: TextPlan,
  effect: SessionEffect,
  frame: Buffer,
): Promise<void> | null {
  switch (effect.type) {
    case 'begin':
      return runBegin(session, plan, effect, frame);
    case 'commit':
    case 'rollback':
      return runEnd(session, plan, effect.type, effect.chain, frame);
    case 'savepoint':
    case 'release':
    case 'rollback-to':
      return runSavepoint(session, plan, effect.type, effect.name, frame);
    case 'set-transaction':
      return runSetTransaction(session, plan, effect, frame);
    default:
      return runPrepareTransaction(session, plan, frame);
  }
}

export const tagOf = (plan: TextPlan, frame: Buffer): string =>
  plan.control?.type === 'begin'
    ? /\bstart\b/i.test(
        frame
          .latin1Slice(5, Math.min(frame.length, 400))
          .replace(/--.*|\/\*[\s\S]*?\*\//g, '')
          .slice(0, 40),
      )
      ? 'START TRANSACTION'
      : 'BEGIN'
    : (CONTROL_TAGS[plan.control?.type ?? ''] ?? 'BEGIN');

const CONTROL_TAGS: Record<string, string> = {
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT',
  release: 'RELEASE',
  'rollback-to': 'ROLLBACK',
  'set-transaction': 'SET',
};

function runBegin(
  session: SessionCore,
  plan: TextPlan,
  effect: Extract<SessionEffect, { type: 'begin' }>,
  frame: Buffer,
): Promise<void> | null {
  const { tx } = session;
  if (tx === null) {
    if (openPipeline(session) !== null) return forwardToAny(session, plan, frame);
    beginHere(session, effect);
    session.sayCommand(commandComplete(tagOf(plan, frame)));
    return null;
  }
  if (tx.failedHere) throw failedTransaction();
  const participant = failedOrLast(session);
  if (participant !== null) return sendOn(session, plan, participant, frame);
  if (effect.modes !== '') tx.addModes(effect.modes, effect.isolation);
  if (effect.isolation !== null) session.isolationChanged();
  session.client.say(warning('25001', 'there is already a transaction in progress'));
  session.sayCommand(commandComplete(tagOf(plan, frame)));
  return null;
}

export const warning = (code: string, message: string): Buffer =>
  noticeResponse({ severity: 'WARNING', code, message });

/** A link on which the implicit transaction of a pipeline is open. */
export function openPipeline(session: SessionCore): SessionLink | null {
  for (const target of session.links.values()) if (target.inPipeline) return target;
  return null;
}

function runEnd(
  session: SessionCore,
  plan: TextPlan,
  how: 'commit' | 'rollback',
  chain: boolean,
  frame: Buffer,
): Promise<void> | null {
  const { tx } = session;
  if (tx === null) return forwardToAny(session, plan, frame);
  if (how === 'commit' && tx.untoldLoss !== null) return tellLoss(session, tx, tx.untoldLoss);
  const [only] = tx.participants;
  if (
    only !== undefined &&
    tx.participants.length === 1 &&
    !tx.failedHere &&
    only.undo.length === 0 &&
    !mirrored(session)
  ) {
    session.commitSent = how === 'commit' ? only : null;
    session.readyBeforeCommit = 0;
    sendQuery(session, { ...plan, writes: false }, only, frame);
    return session
      .answered(only)
      .then(() => afterChain(session, tx, chain, only))
      .then(() => settleContext(session));
  }
  session.mirrors?.renew();
  return endEverywhere(session, tx, how, chain).then((committed) => {
    session.sayCommand(commandComplete(committed ? 'COMMIT' : 'ROLLBACK'));
  });
}

/** The end of the transaction is to be the mirrors' too, which pgfig itself sees to. */
const mirrored = ({ mirrors }: SessionCore): boolean => mirrors?.isOpen === true;

function afterChain(session: SessionCore, before: Transaction, chain: boolean, only: SessionLink): void {
  session.commitSent = null;
  if (chain && session.tx === before && session.status !== IDLE) chainOn(session, before, only);
}

/**
 * SET TRANSACTION waits for the first statement, so that an ORM that sends it does not drag a database in. One that
 * names a snapshot belongs to the default database.
 */
function runSetTransaction(
  session: SessionCore,
  plan: TextPlan,
  effect: Extract<SessionEffect, { type: 'set-transaction' }>,
  frame: Buffer,
): Promise<void> | null {
  const { tx } = session;
  if (tx === null) return forwardToAny(session, plan, frame);
  if (tx.participants.length > 0) {
    const target = failedOrLast(session);
    if (target !== null) return sendOn(session, { ...plan, writes: false }, target, frame);
  }
  if (session.status === FAILED) throw failedTransaction();
  if (effect.snapshot) {
    const target = session.links.get(session.context.rules.defaultDatabase);
    if (target !== undefined) return sendOn(session, { ...plan, writes: false }, target, frame);
    throw new PgfigError(
      'NOT_OVER_SEVERAL_DATABASES',
      'a snapshot can only be imported where the default database is open',
    );
  }
  // Within a savepoint they last as long as it does, and some are not allowed: a server must judge.
  if (tx.journal.length > 0) return forwardToAny(session, { ...plan, writes: false }, frame);
  tx.addModes(effect.modes, effect.isolation);
  session.isolationChanged();
  session.sayCommand(commandComplete('SET'));
  return null;
}

function runPrepareTransaction(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> | null {
  const { tx } = session;
  const [only] = tx?.participants ?? [];
  if (tx === null || only === undefined || (tx.participants.length === 1 && isDefault(session, only))) {
    if (only !== undefined) {
      session.mirrors?.giveUp('prepared-transaction', 'it was prepared for a later COMMIT PREPARED');
      sendQuery(session, { ...plan, writes: false }, only, frame);
      return session.answered(only).then(() => settleContext(session));
    }
    return forwardToAny(session, plan, frame);
  }
  throw new PgfigError(
    'NOT_OVER_SEVERAL_DATABASES',
    'PREPARE TRANSACTION needs the default database as the only participant',
    { detail: `Taking part: ${tx.participants.map((participant) => participant.database).join(', ')}.` },
  );
}

const isDefault = (session: SessionCore, target: SessionLink): boolean =>
  target.database === session.context.rules.defaultDatabase;
