import { PgfigError } from '../../errors/pgfig-error.js';
import { FAILED, IDLE } from '../client/client-end.js';
import { settleContext } from '../names/settle-context.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { beginHere } from './begin.js';
import { failedTransaction } from './failed.js';
import { asRaised, expectSuccess, inject, injectSync } from './injection.js';
import { replayJournal } from './joining.js';
import { Transaction } from './transaction.js';
import { finish, inheritFacts } from './transaction-end.js';

/** COMMIT of a transaction that has lost a participant, of which the client has not heard: an error, not a quiet ROLLBACK. */
export async function tellLoss(session: SessionCore, tx: Transaction, loss: PgfigError): Promise<void> {
  tx.untoldLoss = null;
  await endEverywhere(session, tx, 'rollback', false);
  throw loss;
}

/** AND CHAIN on one link: the backend has begun the next transaction itself, with the same modes. */
export function chainOn(session: SessionCore, before: Transaction, only: SessionLink): void {
  inheritFacts(session, before, session.lastTag !== 'ROLLBACK', only);
  session.ended(session.lastTag !== 'ROLLBACK');
  const next = new Transaction(before.modes, before.isolation, session.facts.ownRelations);
  session.tx = next;
  session.txStamp = next.stamp;
  session.contextChanged();
  next.participants.push(only);
  only.txStamp = next.stamp;
  only.journalAt = 0;
  only.undo.length = 0;
}

/**
 * Ends a transaction that no single backend can end: nobody or several take part, or pgfig itself has failed it.
 * The writer first: its answer is the client's; then the others, whose failure is logged (they only read).
 * @returns whether it was committed
 * @throws PgfigError what the writer answered to COMMIT
 */
export async function endEverywhere(
  session: SessionCore,
  tx: Transaction,
  how: 'commit' | 'rollback',
  chain: boolean,
): Promise<boolean> {
  const committing = how === 'commit' && session.status !== FAILED;
  session.client.holdReports();
  const writer = committing ? (tx.writer ?? (await hiddenWriter(session, tx))) : null;
  const error = await commitMirrored(session, tx, writer);
  // A writer that could not even be sent COMMIT is still in its transaction.
  const others = tx.participants.filter(({ link }) => !link.lost && (link !== writer?.link || link.status !== IDLE));
  for (const participant of others) endReader(session, participant, committing && error === null);
  // The outcome stands: a reader that is lost from here on changes nothing.
  finish(session, committing && error === null);
  session.ended(committing && error === null);
  session.status = IDLE;
  for (const participant of others) await leftTransaction(session, participant);
  await settleContext(session);
  if (error !== null) throw error;
  if (chain) beginHere(session, { type: 'begin', modes: tx.modes, isolation: tx.isolation, readOnly: null });
  return committing;
}

/** The writer commits, then what statement mirrors have repeated of the transaction. */
async function commitMirrored(
  session: SessionCore,
  tx: Transaction,
  writer: SessionLink | null,
): Promise<PgfigError | null> {
  const { mirrors } = session;
  if (mirrors === null || !mirrors.isOpen) return writer === null ? null : commitWriter(session, tx, writer);
  const through = mirrors.beginEnd();
  try {
    const error = writer === null ? null : await commitWriter(session, tx, writer);
    await mirrors.end(writer !== null && error === null ? 'committed' : 'rolled back');
    return error;
  } finally {
    through();
  }
}

async function commitWriter(session: SessionCore, tx: Transaction, writer: SessionLink): Promise<PgfigError | null> {
  // A ROLLBACK TO that ran elsewhere must have undone the writer's rows before they are committed.
  if (writer.txStamp !== tx.stamp || writer.undo.length > 0) replayJournal(session, tx, writer);
  session.commitSent = writer;
  const answer = inject(writer, 'COMMIT');
  injectSync(writer);
  try {
    await session.drained(writer);
  } catch (error) {
    // What had to come before COMMIT was refused, and COMMIT skipped.
    if (!(error instanceof PgfigError) || writer.link.lost) throw error;
    return error;
  } finally {
    session.commitSent = null;
  }
  if (answer.error !== null) return asRaised(answer.error);
  // A backend whose transaction has failed answers COMMIT with ROLLBACK, and no error.
  return answer.tag === 'COMMIT' ? null : failedTransaction();
}

function endReader(session: SessionCore, participant: SessionLink, commits: boolean): void {
  if (!participant.link.idle) {
    // What is still held back may be refused, and must not take the end along.
    injectSync(participant);
    participant.injectionLeft = true;
  }
  inject(participant, commits ? 'COMMIT' : 'ROLLBACK', [], (fields) =>
    session.traffic.events.warning('a participant that only read could not end its transaction', {
      database: participant.database,
      error: fields.message,
    }),
  );
  injectSync(participant);
}

/** A time-out or cancel may have hit the end itself: then the transaction is still open there, and fails all that follows. */
async function leftTransaction(session: SessionCore, participant: SessionLink): Promise<void> {
  await session.drained(participant).catch(() => undefined);
  if (session.closed || participant.link.lost || participant.link.status === IDLE) return;
  inject(participant, 'ROLLBACK');
  injectSync(participant);
  await session.drained(participant).catch(() => undefined);
}

/**
 * The participant that has written unseen (in a function) where no write was seen; null when none has.
 * @throws PgfigError HIDDEN_WRITE when several have: one of them could fail alone; why one could not be asked
 */
async function hiddenWriter(session: SessionCore, tx: Transaction): Promise<SessionLink | null> {
  const asked = tx.participants.map((participant) => {
    replayJournal(session, tx, participant);
    const assigned = inject(participant, 'SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL');
    injectSync(participant);
    return { participant, assigned };
  });
  try {
    for (const { participant, assigned } of asked) {
      await session.drained(participant);
      expectSuccess(assigned, participant.database, 'looking for hidden writes');
    }
  } catch (error) {
    // COMMIT ends the transaction, whatever it is answered.
    await endEverywhere(session, tx, 'rollback', false);
    throw tx.untoldLoss ?? error;
  }
  const writers = asked.filter(({ assigned }) => assigned.rows[0]?.[0] === 't').map(({ participant }) => participant);
  if (writers.length < 2) return writers[0] ?? tx.participants.at(-1) ?? null;
  await endEverywhere(session, tx, 'rollback', false);
  throw new PgfigError(
    'HIDDEN_WRITE',
    `this transaction has written to databases ${writers.map(({ database }) => `"${database}"`).join(' and ')} (in functions, triggers or rules) and was rolled back`,
    { hint: 'Split the transaction, or move the tables together in one domain.' },
  );
}
