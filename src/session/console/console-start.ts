import { mayUseConsole } from '../../config/console-access.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { makeSecret } from '../login/cancel-keys.js';
import type { Admitted } from '../login/gate.js';
import { infoOf } from '../login/session-start.js';
import type { Traffic } from '../traffic.js';
import { ConsoleSession } from './console-session.js';

/**
 * Begins a session of the console for a client that asked for the database `pgfig` and has logged in.
 * @throws PgfigError AUTH_NOT_ALLOWED for a user who is not among `admin.users`
 */
export function openConsole(traffic: Traffic, admitted: Admitted, id: number, pid: number): void {
  const { channel, user } = admitted;
  if (!mayUseConsole(traffic.config, user)) {
    throw new PgfigError('AUTH_NOT_ALLOWED', `user "${user}" may not use the console`, {
      hint: 'Add the name to admin.users in pgfig.yaml.',
    });
  }
  const info = infoOf(traffic, admitted, id, pid);
  const secret = makeSecret(admitted.minor);
  const session = new ConsoleSession(traffic, channel, info);
  traffic.registry.add({
    info,
    secret,
    openedAt: Date.now(),
    look: () => ({ state: session.busy ? 'active' : 'idle', home: null }),
    cancel: async () => session.cancel(),
    drain: () => session.drain(),
    close: () =>
      session.close(
        'pgfig is shutting down',
        new PgfigError('SHUTTING_DOWN', 'terminating connection due to administrator command'),
      ),
    links: () => [],
  });
  traffic.events.sessionOpened(info);
  session.welcome(secret, parametersOf(traffic, admitted));
  if (admitted.rest.length > 0) session.onData(admitted.rest, false);
}

/** What Postgres reports at login (55.2.7), as far as it means something here. */
function parametersOf(traffic: Traffic, { params, user }: Admitted): ReadonlyMap<string, string> {
  return new Map([
    ['server_version', traffic.console.serverVersion],
    ['server_encoding', 'UTF8'],
    ['client_encoding', 'UTF8'],
    ['application_name', params.get('application_name') ?? ''],
    ['session_authorization', user],
    ['is_superuser', 'off'],
    ['default_transaction_read_only', 'off'],
    ['in_hot_standby', 'off'],
    ['DateStyle', 'ISO, MDY'],
    ['IntervalStyle', 'postgres'],
    ['TimeZone', 'UTC'],
    ['integer_datetimes', 'on'],
    ['standard_conforming_strings', 'on'],
  ]);
}
