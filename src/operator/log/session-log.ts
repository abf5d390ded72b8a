import type { Logger } from 'pino';
import type { PgfigError } from '../../errors/pgfig-error.js';
import type { SessionInfo, TrafficEvents } from '../../session/traffic-events.js';
import { LineLimiter } from './line-limiter.js';
import { errorFields } from './logger.js';

const sessionFields = (s: SessionInfo) => ({
  session: s.id,
  client_pid: s.pid,
  user: s.user,
  database: s.database,
  service: s.service,
  peer: s.peer,
  tls: s.tls,
});

/** The session layer's events as log lines, one each. Statement texts stay out: they hold the clients' data. */
export function sessionLog(log: Logger): Omit<TrafficEvents, 'trace' | 'ddlSeen' | 'statementDone'> {
  const limiter = new LineLimiter();
  const limited = (level: 'info' | 'warn', key: string, fields: Record<string, unknown>, text: string): void => {
    const held = limiter.admit(key);
    if (held !== null) log[level](held > 0 ? { ...fields, held_back: held } : fields, text);
  };
  return {
    sessionOpened: (s) => log.info(sessionFields(s), 'session opened'),
    sessionClosed: (s, reason) => log.info({ ...sessionFields(s), reason }, 'session closed'),
    authFailed: (info) =>
      limited('warn', `auth ${info.peer.replace(/:\d+$/, '')}`, { ...info }, 'authentication failed'),
    refused: (s, error: PgfigError) =>
      limited(
        'info',
        `refused ${error.code} ${s.service}`,
        { ...sessionFields(s), code: error.code, sqlstate: error.sqlstate, error: error.message },
        'refused',
      ),
    backendFailed: (database, error) =>
      limited('warn', `backend ${database} ${error.message}`, { database, ...errorFields(error) }, 'backend failed'),
    warning: (text, fields) => limited('warn', text, fields, text),
  };
}

/**
 * `--trace`: one line a message on stdout: time, session, peer, and then the columns of libpq's PQtrace
 * (F or B, length, name, contents).
 */
export function tracePrinter(write: (text: string) => void): NonNullable<TrafficEvents['trace']> {
  return (sessionId, _direction, peer, line) => write(`${new Date().toISOString()}\t${sessionId}\t${peer}\t${line}\n`);
}
