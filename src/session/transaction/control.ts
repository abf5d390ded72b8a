import { PgfigError } from '../../errors/pgfig-error.js';
import { quoteIdent } from '../../sql/quote.js';
import type { SessionEffect } from '../../sql/statement.js';
import { commandComplete, noticeResponse } from '../../wire/backend-messages.js';
import { FAILED, IDLE, IN_TRANSACTION } from '../client/client-end.js';
import { settleContext } from '../names/settle-context.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { failedTransaction, sendOn, sendQuery } from '../simple/send-query.js';
import { asRaised, inject, injectSync } from './injection.js';
import { anyLink, makeReady, replayJournal } from './joining.js';
import { Transaction } from './transaction.js';
import { finish, inheritFacts } from './transaction-end.js';

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

/** BEGIN is answered at once; each database gets it with its first statement. */
export function beginHere(session: SessionCore, effect: Extract<SessionEffect, { type: 'begin' }>): void {
  const tx = new Transaction(effect.modes, effect.isolation, session.facts.ownRelations);
  session.tx = tx;
  session.txStamp = tx.stamp;
  session.status = IN_TRANSACTION;
  session.mirrors?.follow(tx);
  session.isolationChanged();
}

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

function forwardToAny(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> | null {
  const target = anyLink(session);
  if (target instanceof Promise) return target.then((link) => sendOn(session, plan, link, frame) ?? undefined);
  return sendOn(session, plan, target, frame);
}

/** The participant that knows of the failure, else the one used last. */
export function failedOrLast(session: SessionCore): SessionLink | null {
  const participants = session.tx?.participants ?? [];
  return (
    participants.find((participant) => participant.link.status === FAILED) ??
    participants.find((participant) => participant === session.last) ??
    participants.at(-1) ??
    null
  );
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
  for (const participant of others) await session.drained(participant).catch(() => undefined);
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
    for (const { participant } of asked) await session.drained(participant);
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

function runSavepoint(
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
  session.sayCommand(commandComplete(CONTROL_TAGS[type] ?? 'SAVEPOINT'));
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
