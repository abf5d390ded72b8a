import { cancelBackend } from '../../backend/cancel.js';
import { LoginRefused } from '../../backend/dial.js';
import type { Link } from '../../backend/link.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { decidesByNames } from '../../rules/statement-mirror.js';
import { backendKeyData, errorResponse, parameterStatus, readyForQuery } from '../../wire/backend-messages.js';
import { ClientSession } from '../client-session.js';
import { learnPath } from '../names/settle-context.js';
import { serviceOf } from '../service.js';
import type { SessionLink } from '../session-link.js';
import type { LinkSight, Registered } from '../session-registry.js';
import type { Traffic } from '../traffic.js';
import type { SessionInfo } from '../traffic-events.js';
import { makeSecret } from './cancel-keys.js';
import type { Admitted } from './gate.js';
import { openLink } from './opening.js';
import { PassThrough } from './pass-through.js';

export const infoOf = (
  traffic: Pick<Traffic, 'services'>,
  admitted: Admitted,
  id: number,
  pid: number,
): SessionInfo => ({
  id,
  pid,
  user: admitted.user,
  database: admitted.database,
  service: serviceOf(traffic, admitted.params.get('application_name') ?? '', admitted),
  peer: admitted.peer,
  tls: admitted.tls,
});

/**
 * Opens the session's home link and welcomes the client: parameters, cancel key, ReadyForQuery.
 * Home is the database configured for the service, else the default one, else the first that can be reached.
 * @throws PgfigError BACKEND_UNREACHABLE
 */
export async function openSession(traffic: Traffic, admitted: Admitted, id: number, pid: number): Promise<void> {
  const info = infoOf(traffic, admitted, id, pid);
  const secret = makeSecret(admitted.minor);
  const { channel, credentials, params } = admitted;
  const candidates = homesOf(traffic, info.service);
  const session = new ClientSession(
    traffic,
    channel,
    { info, credentials, params, secret },
    candidates[0] ?? traffic.config.default,
  );
  channel.pause();
  channel.setOwner(session);
  traffic.registry.add(registered(traffic, session));
  traffic.events.sessionOpened(info);
  try {
    const home = await openHome(session, candidates);
    await askAtLogin(session, home);
    session.welcome(home);
  } catch (error) {
    if (session.closed) return;
    if (error instanceof LoginRefused) {
      session.client.say(errorResponse({ ...error.fields, severity: 'FATAL' }));
      return session.close('the home database refused the login');
    }
    return session.fail(error instanceof PgfigError ? fatal(error) : error);
  }
  if (admitted.rest.length > 0) session.onData(Buffer.from(admitted.rest), true);
  channel.resume();
}

const fatal = (error: PgfigError): PgfigError => Object.create(error, { severity: { value: 'FATAL' } }) as PgfigError;

function homesOf(traffic: Traffic, service: string): string[] {
  const configured = traffic.config.homes.get(service);
  const names = new Set<string>(configured === undefined ? [] : [configured]);
  names.add(traffic.config.default);
  for (const name of traffic.rules.databases) names.add(name);
  const all = [...names];
  const up = all.filter((name) => !traffic.breaker.isOpen(name));
  return up.length === 0 ? all : [...up, ...all.filter((name) => !up.includes(name))];
}

/** What role and database set for the session decides what its names mean, and is not among what a server reports. */
async function askAtLogin(session: ClientSession, home: SessionLink): Promise<void> {
  if (!decidesByNames(session.traffic.rules)) return;
  await learnPath(session, home);
  session.facts.loggedIn();
}

async function openHome(session: ClientSession, candidates: readonly string[]): Promise<SessionLink> {
  let first: unknown = null;
  for (const name of candidates) {
    try {
      session.homeName = name;
      return await openLink(session, name);
    } catch (error) {
      if (session.closed || !(error instanceof PgfigError) || error.code !== 'BACKEND_UNREACHABLE') throw error;
      first ??= error;
    }
  }
  throw first;
}

function registered(traffic: Traffic, session: ClientSession): Registered {
  return {
    info: session.start.info,
    secret: session.start.secret,
    openedAt: Date.now(),
    look: () => ({ state: session.state, home: session.home === null ? null : session.homeName }),
    cancel: () => cancelSession(traffic, session),
    drain: () => session.drain(),
    close: () =>
      session.close(
        'pgfig is shutting down',
        new PgfigError('SHUTTING_DOWN', 'terminating connection due to administrator command'),
      ),
    links: () =>
      [...session.links.values()].map(({ database, link }) => ({
        ...{ database, pid: link.identity.pid, passedThrough: false },
        ...{ bytesIn: link.bytesIn, bytesOut: link.bytesOut },
      })),
  };
}

/**
 * What the client wants cancelled is what its active link runs, or what pgfig itself is waiting for. Nothing more is
 * sent to that backend until the request has arrived there, so that it never hits the next query.
 */
async function cancelSession(traffic: Traffic, session: ClientSession): Promise<void> {
  // What it waits for is committed: the client only hears of it sooner.
  if (session.endHold()) return;
  if (session.cancelWaiting !== null) return session.cancelWaiting.abort();
  await Promise.all(
    waitedFor(session).map(async (target) => {
      target.cancelling++;
      await cancelBackend(traffic.database(target.database), target.link.identity);
      target.cancelling--;
    }),
  );
  session.waiters.check();
}

/**
 * The link that runs the client's request, or, while pgfig works on one that is not answered yet (COMMIT over several
 * databases, a statement that is prepared again), those that it has asked something for that.
 */
function waitedFor({ active, input, readyPromised, links }: ClientSession): SessionLink[] {
  if (active !== null && !active.link.idle) return [active];
  if (!input.blocked || readyPromised) return [];
  return [...links.values()].filter(({ link }) => !link.idle);
}

/** Another dbname of the default server, or replication. @throws PgfigError as dial */
export async function openPassThrough(traffic: Traffic, admitted: Admitted, id: number, pid: number): Promise<void> {
  const info = infoOf(traffic, admitted, id, pid);
  const secret = makeSecret(admitted.minor);
  const database = traffic.database(traffic.config.default);
  const pass = new PassThrough(admitted.channel, (reason) => {
    traffic.registry.remove(pid);
    traffic.events.sessionClosed(info, reason);
  });
  admitted.channel.pause();
  traffic.registry.add({
    info,
    secret,
    openedAt: Date.now(),
    look: () => ({ state: 'pass-through', home: database.name }),
    cancel: async () => {
      if (pass.link !== null) await cancelBackend(database, pass.link.identity);
    },
    drain: () => pass.close('pgfig is shutting down'),
    close: () => pass.close('pgfig is shutting down'),
    links: () => (pass.link === null ? [] : [passedThrough(database.name, pass.link)]),
  });
  traffic.events.sessionOpened(info);
  let link: Link;
  try {
    link = await pass.open(database, admitted.database, admitted.credentials, admitted.params);
  } catch (error) {
    traffic.registry.remove(pid);
    traffic.events.sessionClosed(info, 'the server could not be reached, or refused the login');
    if (!(error instanceof LoginRefused)) throw error;
    admitted.channel.writeOwned(errorResponse({ ...error.fields, severity: 'FATAL' }));
    admitted.channel.end();
    return;
  }
  admitted.channel.writeOwned(welcomeOf(link, pid, secret));
  if (admitted.rest.length > 0) pass.onData(Buffer.from(admitted.rest));
  admitted.channel.resume();
}

const passedThrough = (database: string, { identity, bytesIn, bytesOut }: Link): LinkSight => ({
  ...{ database, pid: identity.pid, passedThrough: true, bytesIn, bytesOut },
});

function welcomeOf(link: Link, pid: number, secret: Buffer): Buffer {
  const parameters = [...link.parameters].map(([name, value]) => parameterStatus(name, value));
  return Buffer.concat([...parameters, backendKeyData(pid, secret), readyForQuery('I')]);
}
