import { PgfigError } from '../../errors/pgfig-error.js';
import type { ErrorFields } from '../../wire/decode.js';
import { decodeQuery } from '../../wire/decode.js';
import { terminate } from '../../wire/frontend-messages.js';
import { openLink } from '../login/opening.js';
import { settleContext } from '../names/settle-context.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { sendOn } from '../simple/send-query.js';
import { inject, injectQuery, injectSync } from './injection.js';
import { anyLink } from './joining.js';
import type { Transaction } from './transaction.js';
import { forget } from './transaction-end.js';

/**
 * What pools send between two users of a connection (DISCARD ALL; RESET ALL; CLOSE ALL; UNLISTEN * ...), and
 * LISTEN: the whole text runs on every link, and one reply is shown. A reset dials nothing; LISTEN needs a link
 * to every database with a routed domain.
 * @throws PgfigError NOT_OVER_SEVERAL_DATABASES
 */
export function runEverywhere(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> | null {
  if (plan.spans || (plan.writes && session.links.size > 1)) {
    throw new PgfigError('SPLIT_NOT_POSSIBLE', 'a query string that resets the session cannot also use tables');
  }
  const resets = plan.effects.some((effect) => effect.type === 'reset-all');
  if (session.tx !== null && resets) return resetInTransaction(session, session.tx, plan, frame);
  return run(session, plan, frame);
}

/** RESET ALL within a transaction may be undone: it goes the way of SET, by the journal. */
async function resetInTransaction(session: SessionCore, tx: Transaction, plan: TextPlan, frame: Buffer): Promise<void> {
  const shown = await anyLink(session);
  await sendOn(session, plan, shown, frame);
  await session.answered(shown);
  if (session.lastQueryFailed) return;
  tx.record({ type: 'statement', name: '', sql: 'RESET ALL' }, shown);
  tx.searchPathChanged = true;
  for (const name of session.settings.names) tx.changedSettings.set(name, shown);
  session.facts.searchPath.outdated(shown);
  await settleContext(session);
}

async function run(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> {
  const shown = await anyLink(session);
  const sql = textOfQuery(frame);
  // LISTEN counts as done when it is done everywhere: only then is the client answered.
  if (listensIn(plan)) await repeatOnOthers(session, shown, plan, sql, true);
  await sendOn(session, plan, shown, frame);
  await session.answered(shown);
  if (session.lastQueryFailed) return;
  if (!listensIn(plan)) await repeatOnOthers(session, shown, plan, sql, true);
  forgetState(session, plan);
  await settleContext(session);
}

const listensIn = (plan: TextPlan): boolean => plan.effects.some((effect) => effect.type === 'listen');

const textOfQuery = (frame: Buffer): string => {
  const { queryStart, queryEnd } = decodeQuery(frame, 5, frame.length);
  return frame.toString('utf8', queryStart, queryEnd);
};

/** What was done on `shown` by the extended protocol, done on the other links; and forgotten by the session. */
export async function repeatEverywhere(
  session: SessionCore,
  shown: SessionLink,
  plan: TextPlan,
  sql: string,
): Promise<void> {
  await repeatOnOthers(session, shown, plan, sql, false);
  forgetState(session, plan);
}

/** @throws PgfigError BACKEND_UNREACHABLE for a LISTEN that would not hear one of the databases */
async function repeatOnOthers(
  session: SessionCore,
  shown: SessionLink,
  plan: TextPlan,
  sql: string,
  simple: boolean,
): Promise<void> {
  const listens = listensIn(plan);
  if (listens) {
    for (const database of session.context.rules.databases) {
      if (!session.links.has(database)) await openLink(session, database);
    }
  }
  for (const other of session.links.values()) {
    if (other === shown || other.link.lost) continue;
    let refused = false;
    const failed = (error: ErrorFields): void => {
      refused = true;
      session.traffic.events.warning('what resets a session failed on one link', {
        database: other.database,
        error: error.message,
      });
    };
    if (listens) other.holdsState = true;
    if (simple) injectQuery(other, sql, failed);
    else {
      inject(other, sql, [], failed);
      injectSync(other);
    }
    try {
      await session.drained(other);
    } catch (error) {
      // A lost one has forgotten all.
      if (listens || session.closed || !other.link.lost) throw error;
    }
    if (refused && !listens && session.tx === null) letGo(session, other, plan);
  }
}

/**
 * A link that was not reset must serve nobody: what it still has set would be the last user's of a pooled connection.
 * Where it holds what was to stay, the session ends with it.
 */
function letGo(session: SessionCore, target: SessionLink, plan: TextPlan): void {
  const discards = plan.effects.some((effect) => effect.type === 'discard' && effect.what === 'all');
  if (target.holdsState && !discards) {
    return session.fail(
      new PgfigError('BACKEND_LOST_WITH_STATE', `the session could not be reset on database "${target.database}"`),
    );
  }
  const { counters } = session.traffic;
  counters.fromBackends += target.link.bytesIn;
  counters.toBackends += target.link.bytesOut;
  session.links.delete(target.database);
  forget(session, target);
  target.link.close(terminate);
}

/** What the links have forgotten, the session forgets. */
export function forgetState(session: SessionCore, plan: TextPlan): void {
  for (const effect of plan.effects) {
    switch (effect.type) {
      case 'discard':
        if (effect.what === 'all') session.mirrors?.reset();
        if (effect.what === 'all') forgetAll(session);
        if (effect.what === 'temp') forgetTemp(session);
        break;
      case 'reset-all':
        session.mirrors?.reset();
        session.settings.resetAll(session.links.values());
        for (const target of session.links.values()) session.facts.searchPath.outdated(target);
        break;
      case 'deallocate':
        if (effect.name === null) forgetStatements(session);
        break;
      case 'unlisten':
        if (effect.channel === null) session.listening.clear();
        break;
      default:
        break;
    }
  }
}

function forgetAll(session: SessionCore): void {
  session.settings.resetAll(session.links.values());
  forgetStatements(session);
  forgetTemp(session);
  session.cursors.clear();
  session.portals.clear();
  session.listening.clear();
  for (const target of session.links.values()) {
    target.holdsState = false;
    session.facts.searchPath.outdated(target);
  }
}

function forgetTemp(session: SessionCore): void {
  if (session.facts.temps.forget()) session.contextChanged();
}

/** DEALLOCATE ALL takes pgfig's own statements along. */
function forgetStatements(session: SessionCore): void {
  session.names.clear();
  for (const target of session.links.values()) {
    target.statements.clear();
  }
}
