import { PgfigError } from '../../errors/pgfig-error.js';
import { decidesByNames } from '../../rules/statement-mirror.js';
import type { ErrorFields } from '../../wire/decode.js';
import { FAILED, IDLE } from '../client/client-end.js';
import { openLink } from '../login/opening.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { failedTransaction } from './failed.js';
import { expectSuccess, type Injection, inject, injectFlush, injectSync } from './injection.js';
import type { Transaction } from './transaction.js';

/** Whether a statement may go to the link as it is: it has the transaction, the journal and the settings. */
export function isReady(session: SessionCore, target: SessionLink): boolean {
  return (
    (session.pipelineLocal === null || session.pipelineLocal === target) &&
    (session.pipelineSnapshot === null || session.pipelineSnapshot === target) &&
    target.txStamp === session.txStamp &&
    target.settingsVersion === session.settings.version &&
    target.cancelling === 0 &&
    (target.beginning === null || mayFollow(target))
  );
}

/** What comes behind a Sync would be carried out also where the BEGIN in front of it is refused. */
function mayFollow(target: SessionLink): boolean {
  if (target.beginning?.over) target.beginning = null;
  return target.beginning === null || !target.link.queue.hasSync;
}

/** Whether a write may go to the link without more ado; notes it as the writer. */
export function mayWrite(session: SessionCore, target: SessionLink): boolean {
  const { tx } = session;
  if (tx === null) return session.pipelineWriter === null || session.pipelineWriter === target;
  if (tx.writer === target) return true;
  if (tx.writer !== null || tx.participants.length > 1) return false;
  tx.writer = target;
  return true;
}

/** The link that serves a plan: the one for its database, else the last one used, else home; opened if need be. */
export function linkFor(session: SessionCore, plan: TextPlan): SessionLink | Promise<SessionLink> {
  if (plan.database !== null) return session.links.get(plan.database) ?? openLink(session, plan.database);
  return anyLink(session);
}

/** The same where it is open already; dials nothing. */
export function openLinkOf(session: SessionCore, plan: TextPlan): SessionLink | null {
  if (plan.database !== null) return session.links.get(plan.database) ?? null;
  return knownLink(session);
}

export function anyLink(session: SessionCore): SessionLink | Promise<SessionLink> {
  return knownLink(session) ?? openLink(session, session.homeName);
}

/** Where what names no table goes: the link that failed, the one used last, home. */
function knownLink(session: SessionCore): SessionLink | null {
  const participants = session.tx?.participants ?? [];
  if (session.status === FAILED) {
    const failed = participants.find((participant) => participant.link.status === FAILED);
    if (failed !== undefined) return failed;
  }
  return session.last ?? participants.at(-1) ?? session.home;
}

/** Notes that a write was sent: every later one of this transaction has to go there. */
export function writesOn(session: SessionCore, target: SessionLink): void {
  if (session.tx !== null) session.tx.writer = target;
}

/**
 * Brings a link to the session's state for one statement: waits for a cancel under way, copies settings, begins
 * the transaction there and replays its journal. What needs no answer is put in front of the statement and leaves
 * with it.
 * @returns null when nothing has to be waited for
 * @throws PgfigError SECOND_WRITER, HIDDEN_WRITE, NO_COMMON_SNAPSHOT, NOT_OVER_SEVERAL_DATABASES
 */
export function makeReady(session: SessionCore, target: SessionLink, writes: boolean): Promise<void> | null {
  const { tx } = session;
  if (writes) refuseSecondWriter(session, target);
  refuseSecond(session, target);
  if (isReady(session, target)) {
    return writes && tx !== null && tx.writer !== target && tx.participants.length > 1
      ? guardOthers(session, tx, target)
      : null;
  }
  const simple =
    target.cancelling === 0 &&
    target.settingsVersion === session.settings.version &&
    tx !== null &&
    tx.participants.length === 0;
  if (simple && tx !== null) {
    begin(session, tx, target);
    return null;
  }
  return catchUp(session, target, writes);
}

/** A pipeline's implicit transaction that has one snapshot, or a setting for its own time, cannot be given a second database. */
function refuseSecond(session: SessionCore, target: SessionLink): void {
  const { pipelineLocal, pipelineSnapshot } = session;
  if (session.tx !== null) return;
  if (pipelineSnapshot !== null && pipelineSnapshot !== target) {
    throw new PgfigError(
      'NO_COMMON_SNAPSHOT',
      `a pipeline with isolation level ${session.facts.defaultIsolation} cannot span databases "${pipelineSnapshot.database}" and "${target.database}": they have no common snapshot`,
    );
  }
  if (pipelineLocal === null || pipelineLocal === target) return;
  throw new PgfigError(
    'NOT_OVER_SEVERAL_DATABASES',
    `database "${target.database}" cannot join a pipeline that has set something for its own time on database "${pipelineLocal.database}"`,
    { hint: 'Send BEGIN first, or set it for the session.' },
  );
}

async function catchUp(session: SessionCore, target: SessionLink, writes: boolean): Promise<void> {
  const { tx } = session;
  if (!mayFollow(target)) {
    await session.answered(target);
    if (session.tx?.failedHere) throw failedTransaction();
  }
  if (target.cancelling > 0) await session.waiters.until(() => target.cancelling === 0 || session.closed);
  if (target.settingsVersion !== session.settings.version && (tx === null || target.txStamp === 0)) {
    await copySettings(session, target);
  }
  if (tx !== null && target.txStamp !== tx.stamp) {
    if (target.txStamp === 0) {
      if (tx.participants.length > 0) await admit(session, tx, target);
      begin(session, tx, target);
      if (tx.participants.length > 1) keepAwake(target);
    } else {
      replayJournal(session, tx, target);
    }
  }
  if (writes && tx !== null && tx.writer !== target && tx.participants.length > 1)
    await guardOthers(session, tx, target);
  if (session.closed || target.link.lost) throw session.lostError(target.database);
}

const onFailure =
  (target: SessionLink) =>
  (fields: ErrorFields): void => {
    target.injectionError ??= fields;
  };

/** Puts BEGIN and the journal in front of what is sent next. */
export function begin(session: SessionCore, tx: Transaction, target: SessionLink): void {
  if (!target.inPipeline && session.settings.unknownOn(target).length > 0 && decidesByNames(session.context.rules)) {
    // Inside the transaction the settings may change for its time only: what others must be given is asked now.
    askSettings(session, target);
    injectSync(target);
  }
  const readOnly = tx.writer !== null && tx.writer !== target;
  const modes = readOnly ? [tx.modes, 'READ ONLY'].filter((mode) => mode !== '').join(', ') : tx.modes;
  target.beginning = inject(target, modes === '' ? 'BEGIN' : `BEGIN ${modes}`, [], onFailure(target));
  target.readOnly = readOnly;
  target.journalAt = 0;
  target.undo.length = 0;
  tx.participants.push(target);
  replayJournal(session, tx, target);
}

export function replayJournal(_session: SessionCore, tx: Transaction, target: SessionLink): void {
  for (const sql of target.undo.splice(0)) inject(target, sql, [], onFailure(target));
  for (; target.journalAt < tx.journal.length; target.journalAt++) {
    const entry = tx.journal[target.journalAt];
    if (entry !== undefined) inject(target, entry.sql, [], onFailure(target));
  }
  target.txStamp = tx.stamp;
}

/** A second database wants to take part: the transaction must allow it. */
async function admit(session: SessionCore, tx: Transaction, target: SessionLink): Promise<void> {
  const first = tx.participants[0];
  if (first === undefined) return;
  if (tx.opaque || tx.joinBarred || session.settings.joinBarred) {
    throw new PgfigError(
      'NOT_OVER_SEVERAL_DATABASES',
      `database "${target.database}" cannot join this transaction of database "${first.database}": ${
        tx.opaque ? 'it was begun inside a query string' : 'a setting was changed whose name is not known'
      }`,
      { hint: 'Send BEGIN as a statement of its own.' },
    );
  }
  const facts = inject(
    first,
    "SELECT pg_catalog.current_setting('transaction_isolation'), setting FROM pg_catalog.pg_settings WHERE name = 'idle_in_transaction_session_timeout'",
  );
  const alone = tx.participants.length === 1;
  for (const participant of tx.participants) keepAwake(participant);
  injectSyncOrFlush(session, first);
  for (const participant of tx.participants) if (participant !== first) injectSyncOrFlush(session, participant);
  for (const participant of tx.participants) await session.drained(participant);
  const [level, timeout] = expectSuccess(facts, first.database, 'asking for the isolation level').rows[0] ?? [];
  if (alone) tx.idleTimeout = Number(timeout ?? 0);
  if (level === 'repeatable read' || level === 'serializable') {
    throw new PgfigError(
      'NO_COMMON_SNAPSHOT',
      `a transaction with isolation level ${level} cannot span databases "${first.database}" and "${target.database}": they have no common snapshot`,
    );
  }
}

/** The server must not end a participant for being idle while the client works on another one. */
export function keepAwake(participant: SessionLink): void {
  inject(participant, 'SET LOCAL idle_in_transaction_session_timeout = 0', [], onFailure(participant));
}

function injectSyncOrFlush(session: SessionCore, target: SessionLink): void {
  if (target.inPipeline && session.tx === null) injectFlush(target);
  else injectSync(target);
}

/** Seen by routing: the transaction has written elsewhere. */
function refuseSecondWriter(session: SessionCore, target: SessionLink): void {
  const writer = session.tx === null ? session.pipelineWriter : session.tx.writer;
  if (writer === null || writer === target) return;
  throw new PgfigError(
    'SECOND_WRITER',
    `this transaction has written to database "${writer.database}" and cannot also write to database "${target.database}"`,
    {
      detail: 'No transaction of pgfig commits in two databases, as one of them could fail alone.',
      hint: 'Split the transaction, or move the tables together in one domain.',
    },
  );
}

/**
 * Before the first write of a transaction over several databases: the others may only read from now on, and must
 * not have written unseen (in a function, a trigger).
 */
async function guardOthers(session: SessionCore, tx: Transaction, writer: SessionLink): Promise<void> {
  for (const other of tx.participants) {
    if (other === writer || other.readOnly) continue;
    const readOnly = inject(other, 'SET TRANSACTION READ ONLY');
    const assigned = inject(other, 'SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NULL');
    injectSyncOrFlush(session, other);
    await session.drained(other);
    expectSuccess(readOnly, other.database, 'setting the transaction READ ONLY');
    if (expectSuccess(assigned, other.database, 'looking for hidden writes').rows[0]?.[0] !== 't') {
      throw new PgfigError(
        'HIDDEN_WRITE',
        `this transaction has already written to database "${other.database}" (in a function, a trigger or a rule) and cannot also write to database "${writer.database}"`,
        { hint: 'Split the transaction, or move the tables together in one domain.' },
      );
    }
    other.readOnly = true;
  }
}

/** Asks a link for the values of the settings that were changed there. */
function askSettings(session: SessionCore, target: SessionLink): Injection {
  const names = session.settings.unknownOn(target);
  const sql = 'SELECT n, pg_catalog.current_setting(n, true) FROM pg_catalog.unnest($1::pg_catalog.text[]) AS n';
  const injection = inject(target, sql, [`{${names.map((name) => `"${name.replaceAll('"', '\\"')}"`).join(',')}}`]);
  const { onMessage } = injection;
  injection.onMessage = (type, chunk, start, end): void => {
    onMessage.call(injection, type, chunk, start, end);
    for (const [name, value] of injection.rows.splice(0)) {
      if (name !== undefined && name !== null) session.settings.learn(name, value ?? '');
    }
  };
  return injection;
}

/** Copies the settings that the link lacks, by value; outside of its transaction. */
export async function copySettings(session: SessionCore, target: SessionLink): Promise<void> {
  const { settings } = session;
  for (const asked of settings.askedLinks) {
    if (asked === target || asked.link.lost) continue;
    const values = askSettings(session, asked);
    injectSyncOrFlush(session, asked);
    await session.drained(asked);
    expectSuccess(values, asked.database, 'asking for the settings that have changed');
  }
  if (settings.joinBarred) {
    throw new PgfigError(
      'NOT_OVER_SEVERAL_DATABASES',
      `database "${target.database}" cannot be used now: a setting was changed whose name is not known (set_config with a name that is not a constant)`,
      { hint: 'Name the setting as a constant, or send DISCARD ALL or RESET ALL first.' },
    );
  }
  const missing = settings.missingOn(target);
  const version = settings.version;
  if (missing.length > 0) {
    const calls = missing.map((_, i) => `pg_catalog.set_config($${2 * i + 1}, $${2 * i + 2}, false)`);
    const copied = inject(target, `SELECT ${calls.join(', ')}`, missing.flat());
    injectSync(target);
    await session.drained(target);
    if (copied.error !== null) {
      throw new PgfigError(
        'NOT_OVER_SEVERAL_DATABASES',
        `the session's settings cannot be copied to database "${target.database}": ${copied.error.message}`,
        {
          detail: `Settings: ${missing.map(([name]) => name).join(', ')}.`,
          hint: 'Run `pgfig check`: it lists roles, types and settings that differ.',
        },
      );
    }
  }
  target.settingsVersion = version;
}

/** Makes the link answer what was injected, within the implicit transaction of a pipeline or by a Sync. */
export function endAsking(session: SessionCore, target: SessionLink): void {
  if (session.status === IDLE && target.inPipeline) injectFlush(target);
  else injectSync(target);
}

/** Asks for one setting now, on a link that has nothing outstanding. */
export async function askSetting(session: SessionCore, target: SessionLink, name: string): Promise<string> {
  const injection = inject(target, 'SELECT pg_catalog.current_setting($1, true)', [name]);
  endAsking(session, target);
  await session.drained(target);
  return expectSuccess(injection, target.database, `asking for ${name}`).rows[0]?.[0] ?? '';
}
