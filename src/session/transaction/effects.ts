import type { Watcher } from '../../backend/reply-queue.js';
import { decidesByNames } from '../../rules/statement-mirror.js';
import { quoteIdent } from '../../sql/quote.js';
import type { IsolationLevel, SessionEffect, TableName } from '../../sql/statement.js';
import { decodeQuery } from '../../wire/decode.js';
import { noteWrites } from '../apply/watch-writes.js';
import { noteDeallocated, notePrepared } from '../extended/named-statements.js';
import { matters, withoutRelation, withoutSchemas, withRelation, withSchema } from '../names/own-relations.js';
import { DECIDES_NAMES } from '../names/search-path.js';
import { relationOn } from '../names/settle-context.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';

/** Applies what a text does to the session's state, once the backend has said that it was done. */
export function watchEffects(session: SessionCore, target: SessionLink, plan: TextPlan, frame: Buffer | null): Watcher {
  return {
    onDone: (ok: boolean) => {
      const done = ok && !session.queryFailed;
      noteWrites(session, plan, done);
      if (plan.ddl && done) definitionsChanged(session, target);
      if (plan.ddl && done) forgetSchemas(session, plan);
      if (plan.unseen) mayHaveMoved(session, target);
      else if (plan.ddl && session.facts.temps.tables.size > 0) tempsChanged(session, target);
      if (!done) {
        // Part of a string of statements may have run, and been committed, before the one that failed.
        if (plan.parsed.statements.length > 1) for (const effect of plan.effects) suspect(session, target, effect);
        return;
      }
      // What was done was whole: a message that cannot be decoded is answered by an error.
      const sql = frame === null ? null : sqlOf(frame);
      // Only SET itself may be repeated elsewhere as it is written: what a function was given may differ there.
      const repeatable = plan.parsed.statements.length === 1 && REPEATABLE.has(plan.kind);
      for (const effect of plan.effects) apply(session, target, effect, sql, repeatable);
    },
  };
}

const REPEATABLE: ReadonlySet<string> = new Set(['set', 'reset', 'set-transaction']);

const sqlOf = (frame: Buffer): string => {
  const { queryStart, queryEnd } = decodeQuery(frame, 5, frame.length);
  return frame.toString('utf8', queryStart, queryEnd);
};

function suspect(session: SessionCore, target: SessionLink, effect: SessionEffect): void {
  if (effect.type === 'set') settingChanged(session, target, effect.name, effect.local, null);
  if (effect.type === 'create-temp' || effect.type === 'drop-table') tempsChanged(session, target);
}

/** Nobody else sees it, and no catalog, before it is committed. */
function definitionsChanged(session: SessionCore, target: SessionLink): void {
  if (session.tx !== null) session.tx.ddl = true;
  else if (target.inPipeline) session.pipelineDdl = true;
  else session.noteDdl();
}

/** DROP SCHEMA, ALTER SCHEMA ... RENAME: of those that the session has made itself. */
function forgetSchemas(session: SessionCore, plan: TextPlan): void {
  if (session.ownRelations.size === 0) return;
  const left = withoutSchemas(
    session.ownRelations,
    plan.parsed.statements.flatMap(({ schemas }) => schemas ?? []),
  );
  if (left === session.ownRelations) return;
  session.ownRelations = left;
  session.contextChanged();
}

/** What cannot be seen through may have set search_path, and made temporary tables. */
function mayHaveMoved(session: SessionCore, target: SessionLink): void {
  session.facts.unseen = true;
  session.facts.searchPath.outdated(target);
  tempsChanged(session, target);
}

/** The link is asked now, and at the end of the transaction or pipeline, which may undo it. */
function tempsChanged(session: SessionCore, target: SessionLink): void {
  session.facts.temps.outdated(target);
  if (session.tx !== null) session.tx.tempsChanged.add(target);
  else if (target.inPipeline) session.pipelineTemps.add(target);
}

/** One effect that has taken place on `target`. `sql` is its statement where it is alone in its text. */
export function apply(
  session: SessionCore,
  target: SessionLink,
  effect: SessionEffect,
  sql: string | null,
  alone: boolean,
): void {
  switch (effect.type) {
    case 'begin':
      // BEGIN within a transaction warns, and its modes take effect all the same.
      if (effect.modes !== '')
        session.tx?.record({ type: 'statement', name: '', sql: `SET TRANSACTION ${effect.modes}` }, target);
      if (effect.isolation !== null) transactionLevel(session, effect.isolation);
      return;
    case 'set':
      return settingChanged(session, target, effect.name, effect.local, alone ? sql : null);
    case 'set-unknown':
      if (session.tx !== null) session.tx.joinBarred = true;
      session.settings.bar(target);
      session.facts.unseen = true;
      return session.facts.searchPath.outdated(target);
    case 'savepoint':
      session.tx?.record({ type: 'savepoint', name: effect.name, sql: `SAVEPOINT ${quoteIdent(effect.name)}` }, target);
      return;
    case 'release':
      return session.tx?.release(effect.name, target);
    case 'rollback-to':
      return rolledBackTo(session, effect.name, target);
    case 'set-transaction':
      if (effect.session) settingChanged(session, target, 'default_transaction_isolation', false, null);
      else if (alone && sql !== null) session.tx?.record({ type: 'statement', name: '', sql }, target);
      if (!effect.session && effect.isolation !== null) transactionLevel(session, effect.isolation);
      return;
    case 'create-temp':
      target.holdsState = true;
      return tempsChanged(session, target);
    case 'create-relation':
      return made(session, target, effect.table);
    case 'create-schema':
      return schemaMade(session, target, effect.schema);
    case 'drop-table':
      return dropped(session, effect.table);
    case 'prepare':
      return notePrepared(session, target, effect, sql ?? '');
    case 'deallocate':
      return effect.name === null ? undefined : noteDeallocated(session, target, effect.name);
    case 'declare-cursor':
      if (effect.hold) target.holdsState = true;
      session.cursors.set(effect.name, { target, hold: effect.hold });
      return;
    case 'close-cursor':
      if (effect.name === null) session.cursors.clear();
      else session.cursors.delete(effect.name);
      return;
    case 'listen':
      session.listening.add(effect.channel);
      target.holdsState = true;
      return;
    case 'unlisten':
      if (effect.channel === null) session.listening.clear();
      else session.listening.delete(effect.channel);
      return;
    case 'sequence':
      target.holdsState = true;
      return;
    case 'advisory-lock':
      if (effect.session) target.holdsState = true;
      return;
    default:
      return;
  }
}

function settingChanged(
  session: SessionCore,
  target: SessionLink,
  name: string,
  local: boolean,
  sql: string | null,
): void {
  const { tx } = session;
  const movesNames = DECIDES_NAMES.has(name);
  if (movesNames) session.facts.searchPath.outdated(target);
  // Which level it is, a statement that computes it does not say: the strictest is safe.
  if (name === 'transaction_isolation') transactionLevel(session, 'serializable');
  if (tx === null) {
    if (!local) session.settings.changed(name, target);
    if (target.inPipeline) changedInPipeline(session, target, name, local);
    return;
  }
  if (movesNames) tx.searchPathChanged = true;
  if (!local) tx.changedSettings.set(name, target);
  if (sql === null) session.settingsToAsk.push({ target, name, local });
  else tx.record({ type: 'statement', name: '', sql }, target);
}

/**
 * The implicit transaction of a pipeline may still undo it; and what is set for its time only stays on this link, so
 * that no other may take part.
 */
function changedInPipeline(session: SessionCore, target: SessionLink, name: string, local: boolean): void {
  if (local) session.pipelineLocal = target;
  else session.pipelineChanged.push({ target, name });
}

function transactionLevel(session: SessionCore, isolation: IsolationLevel): void {
  if (session.tx === null) return;
  session.tx.isolation = isolation;
  session.isolationChanged();
}

function rolledBackTo(session: SessionCore, name: string, target: SessionLink): void {
  const { tx } = session;
  if (tx === null) return;
  const before = tx.ownRelations;
  tx.rollbackTo(name, target);
  if (tx.searchPathChanged) session.facts.searchPath.outdated(target);
  for (const link of tx.tempsChanged) session.facts.temps.outdated(link);
  if (tx.ownRelations !== before) session.contextChanged();
}

/** A relation has come to be, which other sessions' routes know of when the catalog shows it. */
function made(session: SessionCore, target: SessionLink, table: TableName): void {
  if (!matters(table, target.database, session.context)) return;
  if (table.schema === undefined) {
    session.relationsMade.push({ link: target, name: table.name });
    return;
  }
  session.ownRelations = withRelation(session.ownRelations, table.schema, table.name, relationOn(session, target));
  session.contextChanged();
}

/** Where a name without a schema is made depends on which schemas of the path there are. */
function schemaMade(session: SessionCore, target: SessionLink, schema: string): void {
  if (!decidesByNames(session.context.rules)) return;
  session.ownRelations = withSchema(session.ownRelations, schema, relationOn(session, target));
  session.contextChanged();
}

function dropped(session: SessionCore, table: TableName): void {
  const left = withoutRelation(session.ownRelations, table, session.facts.searchPath.schemas);
  if (left === session.ownRelations) return;
  session.ownRelations = left;
  session.contextChanged();
}
