import { PgfigError } from '../../errors/pgfig-error.js';
import { quoteIdent } from '../../sql/quote.js';
import { commandComplete } from '../../wire/backend-messages.js';
import { FAILED, IN_TRANSACTION } from '../client/client-end.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import { sendQuery } from '../simple/send-query.js';
import { failedOrLast, forwardToAny } from './anywhere.js';
import { failedTransaction } from './failed.js';
import { makeReady } from './joining.js';
import type { Transaction } from './transaction.js';

/** SAVEPOINT, RELEASE, ROLLBACK TO. Returns as `runQuery` does. */
export function runSavepoint(
  session: SessionCore,
  plan: TextPlan,
  type: 'savepoint' | 'release' | 'rollback-to',
  name: string,
  frame: Buffer,
): Promise<void> | null {
  const { tx } = session;
  if (tx === null) return forwardToAny(session, plan, frame);
  if (tx.lostParticipant) throw failedTransaction();
  const participant = failedOrLast(session);
  if (participant !== null) {
    const savesHere = session.status !== FAILED || type === 'rollback-to';
    if (tx.failedHere && type !== 'rollback-to') throw failedTransaction();
    const watched = { ...plan, writes: false };
    const ready = savesHere && participant.link.status !== FAILED ? makeReady(session, participant, false) : null;
    const send = (): Promise<void> => {
      sendQuery(session, watched, participant, frame);
      return session.answered(participant);
    };
    return ready === null ? send() : ready.then(send);
  }
  savepointHere(session, tx, type, name);
  session.sayCommand(commandComplete(TAGS[type]));
  return null;
}

/** Savepoints while no database takes part yet. @throws PgfigError IN_FAILED_TRANSACTION, NO_SUCH_SAVEPOINT */
export function savepointHere(
  session: SessionCore,
  tx: Transaction,
  type: 'savepoint' | 'release' | 'rollback-to',
  name: string,
): void {
  if (session.status === FAILED && (type !== 'rollback-to' || tx.lostParticipant)) throw failedTransaction();
  if (type === 'savepoint') {
    session.work.savepoint(name);
    tx.record({ type: 'savepoint', name, sql: `SAVEPOINT ${quoteIdent(name)}` }, null);
    return;
  }
  if (!tx.hasSavepoint(name)) throw new PgfigError('NO_SUCH_SAVEPOINT', `savepoint "${name}" does not exist`);
  if (type === 'release') {
    session.work.release(name);
    tx.release(name, null);
  } else {
    session.work.rollbackTo(name);
    tx.rollbackTo(name, null);
    session.healed(tx);
    session.status = IN_TRANSACTION;
  }
}

const TAGS = { savepoint: 'SAVEPOINT', release: 'RELEASE', 'rollback-to': 'ROLLBACK' } as const;
