import { dial } from '../../backend/dial.js';
import type { Link } from '../../backend/link.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { quoteIdent } from '../../sql/quote.js';
import type { SessionCore } from '../session-core.js';
import { SessionLink } from '../session-link.js';
import { inject, injectSync } from '../transaction/injection.js';

/**
 * Reported parameters that a startup packet may set. A late link gets the values that home reported at login, so
 * that RESET and DISCARD ALL return to the same ones on every link.
 */
const COPIED_AT_STARTUP = ['client_encoding', 'DateStyle', 'IntervalStyle', 'TimeZone', 'application_name'];

/** Startup parameters of a link beside home: with them it begins as home did. */
export function linkParams(session: SessionCore): Map<string, string> {
  const params = new Map(session.start.params);
  for (const name of COPIED_AT_STARTUP) {
    const value = session.atLogin.get(name);
    if (value !== undefined && !params.has(name)) params.set(name, value);
  }
  const { atLogin } = session.facts;
  for (const [name, value] of atLogin) if (!params.has(name)) params.set(name, value);
  return params;
}

/**
 * Opens the session's link to a database; its login's parameters are not shown to the client.
 * @throws PgfigError BACKEND_UNREACHABLE, BACKEND_LOGIN_FAILED, CANCELED
 */
export async function openLink(session: SessionCore, database: string): Promise<SessionLink> {
  const { traffic } = session;
  const config = traffic.database(database);
  const params = linkParams(session);
  const controller = new AbortController();
  session.cancelWaiting = controller;
  let link: Link;
  try {
    link = await dial({
      database: config,
      credentials: session.start.credentials,
      params,
      owner: session.linkOwner,
      signal: controller.signal,
    });
    traffic.breaker.reached(database);
  } catch (error) {
    if (error instanceof PgfigError && error.code === 'BACKEND_UNREACHABLE') traffic.breaker.failed(database);
    traffic.events.backendFailed(database, error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    session.cancelWaiting = null;
  }
  if (session.closed) {
    link.close(null);
    throw session.lostError(database);
  }
  const target = new SessionLink(link, traffic.counters.backend(database));
  session.links.set(database, target);
  target.carriesOids = database !== session.homeName && (traffic.catalog?.hasNestedTypes?.(database) ?? false);
  if (database === session.homeName) session.home = target;
  if (session.listening.size > 0) listenHere(session, target);
  return target;
}

/** Notifications are to be heard on a link that is opened later too. */
function listenHere(session: SessionCore, target: SessionLink): void {
  for (const channel of session.listening) inject(target, `LISTEN ${quoteIdent(channel)}`);
  target.holdsState = true;
  injectSync(target);
}
