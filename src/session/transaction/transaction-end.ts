import { PgfigError } from '../../errors/pgfig-error.js';
import { errorResponse } from '../../wire/backend-messages.js';
import type { ErrorFields } from '../../wire/decode.js';
import { FAILED, IDLE, IN_TRANSACTION } from '../client/client-end.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { Transaction } from './transaction.js';

/**
 * The client's transaction follows what the backend's ReadyForQuery said.
 * @returns the status that the client is to be told: one that pgfig itself has failed stays failed until it is ended
 */
export function followStatus(session: SessionCore, target: SessionLink, status: number): number {
  const { tx } = session;
  if (tx === null) {
    if (status !== IDLE) adopt(session, target);
  } else if (tx.failedHere) {
    session.holdParticipants();
    return FAILED;
  } else if (status === IDLE) {
    const { lastTag, lastQueryFailed } = session;
    // COMMIT itself may fail: of a deferred constraint.
    const committed = lastTag === 'COMMIT' || (lastTag !== 'ROLLBACK' && !lastQueryFailed);
    finish(session, committed);
    // What was prepared is committed by another transaction, if ever.
    if (lastTag === 'PREPARE TRANSACTION') session.commits.end(false);
    session.ended(committed);
  } else if (status === IN_TRANSACTION && tx.participants.some(({ link }) => link.status === FAILED)) {
    // Another participant has failed: this one's ReadyForQuery does not make the transaction whole.
    session.holdParticipants();
    return FAILED;
  } else if (status === IN_TRANSACTION) {
    session.healed(tx);
  } else if (tx.participants.length > 1) {
    // The other participants know of nothing, and would go on: none counts as ready any more.
    session.holdParticipants();
  }
  return status;
}

/** A transaction was begun inside a query string or a pipeline that passed whole. */
function adopt(session: SessionCore, target: SessionLink): void {
  const tx = new Transaction('', null, session.facts.ownRelations);
  tx.opaque = true;
  tx.ddl = true;
  // What it wrote is not known: nobody else may.
  tx.writer = target;
  tx.participants.push(target);
  target.txStamp = tx.stamp;
  session.tx = tx;
  session.txStamp = tx.stamp;
  session.noteWritten([...session.facts.readsNew]);
}

/** The transaction of a link may be another one by now: what is known of the old one must not be used for it. */
export function adoptAgain(session: SessionCore, target: SessionLink): void {
  const { status } = session;
  finish(session, true);
  adopt(session, target);
  session.status = status;
}

/** The transaction is over on every participant, or will be before anything else runs there. */
export function finish(session: SessionCore, committed: boolean): void {
  const { tx } = session;
  if (tx === null) return;
  session.tx = null;
  session.txStamp = 0;
  for (const participant of tx.participants) {
    participant.txStamp = 0;
    participant.journalAt = 0;
    participant.undo.length = 0;
    participant.readOnly = false;
  }
  // Ended by a string or a pipeline that passed whole: who ends it otherwise has told the mirrors already.
  const { mirrors } = session;
  if (mirrors?.isOpen === true) session.block(mirrors.end(committed ? 'committed' : 'rolled back'), true);
  session.portals.clear();
  for (const [name, { hold }] of session.cursors) if (!hold || !committed) session.cursors.delete(name);
  const asked = tx.writer ?? tx.participants.at(-1) ?? null;
  if (inheritFacts(session, tx, committed, asked)) session.contextChanged();
}

/**
 * What a transaction that is over leaves to the session.
 * @param asked a link that took part, null where none did
 * @returns whether routes depend on it
 */
export function inheritFacts(
  session: SessionCore,
  tx: Transaction,
  committed: boolean,
  asked: SessionLink | null,
): boolean {
  const { facts } = session;
  if (tx.ddl && committed) session.noteDdl();
  if (asked !== null) {
    for (const [name, link] of tx.changedSettings) session.settings.changed(name, link.link.lost ? asked : link);
    if (tx.searchPathChanged) facts.searchPath.outdated(asked);
  }
  // ON COMMIT DROP, and what ROLLBACK undoes.
  for (const link of tx.tempsChanged) facts.temps.outdated(link);
  const made = tx.ownRelations !== facts.ownRelations;
  if (made && committed) facts.ownRelations = tx.ownRelations;
  const strict = tx.isolation !== null && facts.readsNew.size > 0;
  return facts.forgetWritten() || made || strict;
}

/** A backend's connection has ended. */
function linkLost(session: SessionCore, target: SessionLink, fatal: ErrorFields | null, error: Error | null): void {
  const usedLast = session.last === target;
  const { queue } = target.link;
  const shown = queue.shown;
  const owed = queue.owedReady;
  // An error that has passed, and whose ReadyForQuery has not.
  const told = shown > 0 && session.queryFailed;
  const cause = fatal?.message ?? (error === null ? 'server closed the connection unexpectedly' : error.message);
  session.traffic.events.backendFailed(target.database, new Error(cause));
  if (session.active === target) {
    // Nobody takes its data any more, and no ReadyForQuery of its own will end what it has failed.
    session.copyIn = false;
    session.queryFailed = false;
  }
  const settingsLost = forget(session, target);
  // What its implicit transaction wrote is gone with it, or nobody knows.
  if (session.tx === null) session.ended(false);
  // Whatever is said now would be read as the rest of a row: only the connection's end can tell.
  if (target.link.midMessage)
    return session.close(`the connection to database "${target.database}" was lost within a row`);
  if (session.commitSent === target) {
    return session.close(
      'a connection was lost during COMMIT',
      new PgfigError(
        'COMMIT_UNKNOWN',
        `the connection to database "${target.database}" was lost during COMMIT: ${cause}`,
      ),
    );
  }
  if (fatal !== null && endsSession(fatal, usedLast)) {
    session.client.say(errorResponse(fatal));
    return session.close(`database "${target.database}" ended the session: ${fatal.message}`);
  }
  if (target.holdsState || settingsLost) {
    return session.close(
      `the connection to database "${target.database}" was lost`,
      new PgfigError('BACKEND_LOST_WITH_STATE', `the connection to database "${target.database}" was lost: ${cause}`, {
        detail: 'The session had state there: settings, temporary tables, locks, LISTEN or cursors.',
      }),
    );
  }
  const { tx } = session;
  const took = tx !== null && target.txStamp !== 0;
  if (tx !== null && took) {
    tx.participants.splice(tx.participants.indexOf(target), 1);
    tx.lostParticipant = true;
    if (shown === 0 || told) {
      tx.untoldLoss = new PgfigError(
        'BACKEND_LOST',
        `the connection to database "${target.database}" was lost: ${cause}`,
        {
          detail: 'The transaction has been rolled back, or will be when it is ended.',
        },
      );
    }
    session.failHere(tx);
  }
  // What has not been sent yet is answered by whoever meant to send it.
  if (shown > 0) answerOwed(session, target, lossOf(session, target, cause, fatal), { owed, told });
  else if (target.inPipeline) session.pipelineFailure = pipelineLost();
}

/**
 * Whether a backend's last words are meant for the session, and not for the server: time-outs and broken protocol are,
 * a shutdown or a crash (class 57) is not. An idle session's time-out counts on the link that was used last: another
 * one may have been idle for that long while the client was busy.
 */
function endsSession(fatal: ErrorFields, usedLast: boolean): boolean {
  if (fatal.code === '57P05') return usedLast;
  return !fatal.code.startsWith('57') && !fatal.code.startsWith('XX');
}

function lossOf(session: SessionCore, { database }: SessionLink, cause: string, fatal: ErrorFields | null): Buffer {
  const detail = 'What was under way there may have been carried out, or not; look before you repeat it.';
  return errorResponse({
    severity: 'ERROR',
    code: fatal?.code ?? '08006',
    message: `the connection to database "${database}" was lost: ${cause}`,
    // A transaction is rolled back with it.
    ...(session.tx === null && { detail }),
  });
}

/**
 * Every request outstanding gets its error, and the ReadyForQuery that it was to end with.
 * @param owed how many of them end with one; `told`: the first has had its error, from the backend
 */
function answerOwed(
  session: SessionCore,
  target: SessionLink,
  loss: Buffer,
  { owed, told }: { readonly owed: number; readonly told: boolean },
): void {
  session.lastQueryFailed = true;
  if (!told) session.client.say(loss);
  if (session.splitting) return;
  for (let i = 0; i < owed; i++) {
    if (i > 0) session.client.say(loss);
    session.client.sayReady(session.status);
  }
  if (!target.inPipeline) return;
  // A pipeline was begun behind them whose Sync has not been sent yet.
  if (owed > 0) session.client.say(loss);
  session.skipping = true;
}

/** Part of the pipeline's implicit transaction is gone with its link: the rest of it must not be committed. */
const pipelineLost = (): PgfigError =>
  new PgfigError('BACKEND_LOST', 'a connection was lost on which this pipeline has run statements');

/** @returns whether settings of the session are lost with it, which nobody else knows */
export function forget(session: SessionCore, target: SessionLink): boolean {
  if (session.home === target) session.home = null;
  if (session.last === target) session.last = null;
  if (session.active === target) session.active = null;
  if (session.pipelineWriter === target) session.pipelineWriter = null;
  if (session.pipelineSnapshot === target) session.pipelineSnapshot = null;
  for (const [name, portal] of session.portals) if (portal.link === target) session.portals.delete(name);
  for (const [name, cursor] of session.cursors) if (cursor.target === target) session.cursors.delete(name);
  for (const prepared of session.names.values()) if (prepared.on === target) prepared.on = null;
  return session.settings.forgetLink(target).length > 0;
}

export const endTransaction = { linkLost };
