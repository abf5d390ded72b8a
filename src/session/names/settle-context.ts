import { decidesByNames } from '../../rules/statement-mirror.js';
import { quoteLiteral } from '../../sql/quote.js';
import { FAILED } from '../client/client-end.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { type Injection, inject } from '../transaction/injection.js';
import { askSetting, endAsking } from '../transaction/joining.js';
import { type OwnRelation, withRelation } from './own-relations.js';
import { TEMP_RELATIONS } from './temp-relations.js';

/**
 * After something that may have changed what names mean: asks for search_path and temporary relations where they are
 * not known any more. The client has had its answer: what fails here is no answer to anything, and is asked again
 * before the next statement.
 */
export async function settleContext(session: SessionCore): Promise<void> {
  await journalSettings(session);
  const { facts } = session;
  await waitForCatalog(session);
  const path = facts.searchPath.takeAsk();
  const temps = facts.temps.takeAsks();
  const made = session.relationsMade.splice(0);
  if (session.closed || !session.followsNames) return;
  try {
    let changed = false;
    for (const link of temps) if (await learnTemps(session, link)) changed = true;
    if (path !== null && (await learnPath(session, path))) changed = true;
    for (const { link, name } of made) if (await learnRelation(session, link, name)) changed = true;
    if (changed) session.contextChanged();
  } catch (error) {
    if (session.closed) return;
    session.traffic.events.warning('what names mean to a session could not be asked', { error: String(error) });
    if (path !== null && !path.link.lost) facts.searchPath.outdated(path);
    for (const link of temps) if (!link.link.lost) facts.temps.outdated(link);
    session.contextChanged();
  }
}

/** A view, function or trigger that the session has just made would be followed as it was before. */
async function waitForCatalog(session: SessionCore): Promise<void> {
  const { facts } = session;
  if (!facts.definitionsChanged) return;
  facts.definitionsChanged = false;
  const whole = await session.traffic.catalogAfterDdl();
  const open = session.tx !== null || [...session.links.values()].some(({ inPipeline }) => inPipeline);
  if (!whole || open) return;
  // It shows all that the session has made, and not what came to nothing: rolled back within a query string or
  // pipeline, or by a COMMIT that failed.
  session.relationsMade.splice(0);
  if (facts.ownRelations.size === 0) return;
  facts.ownRelations = new Map();
  session.contextChanged();
}

/** In a failed transaction nothing can be asked; its end, or its way back to a savepoint, asks again. */
const canAsk = ({ link }: SessionLink): boolean => !link.lost && link.status !== FAILED;

/** Asks what an unqualified name is looked up in, and the level that transactions have by default. */
export async function learnPath(session: SessionCore, link: SessionLink): Promise<boolean> {
  if (!canAsk(link)) {
    if (session.tx !== null) session.tx.searchPathChanged = true;
    return false;
  }
  // SHOW, as it takes no snapshot: SET TRANSACTION may still follow.
  const names = ['search_path', 'role', 'session_authorization', 'default_transaction_isolation'];
  const asked = names.map((name) => inject(link, `SHOW ${name}`));
  endAsking(session, link);
  await session.drained(link);
  const [path = '', role = '', login = '', isolation = ''] = asked.map((one) => answerOf(session, link, one));
  const { searchPath } = session.facts;
  const before = searchPath.value;
  const user = role === 'none' || role === '' ? login : role;
  const moved = searchPath.learn(path, user);
  if (session.facts.unseen && before !== null && before !== path) noteUnseenPath(session, link, path);
  session.facts.unseen = false;
  const strict = isolation !== session.facts.defaultIsolation;
  session.facts.defaultIsolation = isolation;
  return moved || strict;
}

/** A function has set search_path: other links must be given it, and what undoes the transaction undoes it. */
function noteUnseenPath(session: SessionCore, link: SessionLink, path: string): void {
  const { tx, settings } = session;
  if (tx === null) return settings.changed('search_path', link);
  tx.searchPathChanged = true;
  tx.changedSettings.set('search_path', link);
  const sql = `SELECT pg_catalog.set_config('search_path', ${quoteLiteral(path)}, false)`;
  tx.record({ type: 'statement', name: '', sql }, link);
}

async function learnTemps(session: SessionCore, link: SessionLink): Promise<boolean> {
  if (!canAsk(link)) {
    session.tx?.tempsChanged.add(link);
    return false;
  }
  const asked = inject(link, TEMP_RELATIONS);
  endAsking(session, link);
  await session.drained(link);
  if (asked.error !== null) answerOf(session, link, asked);
  const names = asked.rows.map(([name]) => name ?? '');
  if (names.length > 0) link.holdsState = true;
  return session.facts.temps.learn(link.database, names);
}

/** A relation without a schema was made: in the first schema of the path that there is, as the server knows. */
async function learnRelation(session: SessionCore, link: SessionLink, name: string): Promise<boolean> {
  if (!canAsk(link)) return false;
  const asked = inject(link, 'SELECT pg_catalog.current_schema()');
  endAsking(session, link);
  await session.drained(link);
  const schema = answerOf(session, link, asked);
  if (schema === '') return false;
  session.ownRelations = withRelation(session.ownRelations, schema, name, relationOn(session, link));
  return true;
}

export const relationOn = (session: SessionCore, link: SessionLink): OwnRelation => ({
  database: link.database,
  catalog: session.context.catalog?.version ?? null,
  misses: 0,
});

function answerOf(session: SessionCore, link: SessionLink, asked: Injection): string {
  if (asked.error === null) return asked.rows[0]?.[0] ?? '';
  // The question has failed the client's transaction: it must not go on as if nothing had happened.
  if (session.tx !== null && link.link.status === FAILED) session.failHere(session.tx);
  throw new Error(`database "${link.database}" answered: ${asked.error.message}`);
}

/** What a function has set within the transaction goes to later joiners by value. */
async function journalSettings(session: SessionCore): Promise<void> {
  const asked = session.settingsToAsk;
  if (asked.length === 0) return;
  session.settingsToAsk = [];
  for (const { target, name, local } of asked) {
    const { tx } = session;
    if (tx === null || target.link.lost || target.link.status === FAILED) return;
    if (!decidesByNames(session.context.rules)) return;
    const value = await askSetting(session, target, name);
    const sql = `SELECT pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, ${local})`;
    tx.record({ type: 'statement', name: '', sql }, target);
  }
}
