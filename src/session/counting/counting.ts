import type { Link } from '../../backend/link.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { Tally } from '../../matrix/tally.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import { type Mark, type Share, TextMark } from './marks.js';
import { partsOf } from './plan-tallies.js';
import { recordOf } from './records.js';

/**
 * The mark of a text that is sent to `database`; null where nobody wants to know what becomes of it. The hot path of
 * counting: a compare or two.
 * @param limit Execute's limit of rows; 0: none
 */
export function markOf(
  session: SessionCore,
  plan: TextPlan,
  database: string,
  share: Share = 'whole',
  limit = 0,
): Mark | null {
  const { book, accessLog } = session.traffic;
  const { service } = session.start.info;
  const logged = accessLog?.wants(service) === true;
  if (!logged && (book === null || plan.tallies.silent)) return null;
  const counted = tallied(session, plan).tallies.of(session.countedService, database);
  if (!logged && limit === 0 && share !== 'rest' && counted instanceof Tally) return counted;
  if (!logged && share === 'failure') return null;
  return new TextMark(partsOf(counted), logged ? plan : null, share, limit);
}

/** The mark of one statement of a text that is sent in parts. */
export function markOfPart(session: SessionCore, plan: TextPlan, at: number, database: string): Mark | null {
  const { book, accessLog } = session.traffic;
  const logged = accessLog?.wants(session.start.info.service) === true;
  if (!logged && (book === null || plan.tallies.silent)) return null;
  const part = partsOf(plan.tallies.of(session.countedService, database))[at];
  const [statement, route] = [plan.parsed.statements[at], plan.routes[at]];
  const alone =
    statement === undefined || route === undefined
      ? plan
      : { ...plan, parsed: { ...plan.parsed, statements: [statement] }, routes: [route] };
  return new TextMark(part === undefined ? [] : [part], logged ? alone : null);
}

/** SQL-level EXECUTE counts as the statement that was prepared. */
function tallied(session: SessionCore, plan: TextPlan): TextPlan {
  const { executes } = plan.tallies;
  if (executes === null) return plan;
  return session.names.get(Buffer.from(executes, 'utf8').toString('latin1'))?.plan ?? plan;
}

/** A statement was carried out: CommandComplete lies in chunk[start, end), its tag without the header. */
export function carriedOut(
  session: SessionCore,
  link: Link,
  mark: object,
  chunk: Buffer,
  start: number,
  end: number,
): void {
  const seconds = link.took(chunk, end);
  const rows = rowsOf(chunk, start, end);
  if (mark instanceof Tally) {
    session.traffic.book?.done(mark, rows, seconds);
    if (mark.writes) session.work.wrote(mark);
    return;
  }
  const rolledBack = chunk[start] === 0x52 && chunk.latin1Slice(start, end - 1) === 'ROLLBACK';
  (mark as TextMark).answered(session, link, { rows, seconds, bytes: link.meter.bytes, error: null, rolledBack });
}

/** A portal gave as many rows as it was asked for, and has more: PortalSuspended ends at `end`. */
export function suspended(session: SessionCore, link: Link, mark: object, chunk: Buffer, end: number): void {
  const seconds = link.took(chunk, end);
  const rows = mark instanceof TextMark ? mark.limit : 0;
  if (mark instanceof TextMark) {
    mark.answered(session, link, { rows, seconds, bytes: link.meter.bytes, error: null, rolledBack: false });
  }
}

/** A statement, or the Parse or Bind of one, was answered with an error. */
export function failed(
  session: SessionCore,
  link: Link,
  mark: object,
  sqlstate: string,
  chunk: Buffer,
  end: number,
): void {
  const seconds = link.took(chunk, end);
  if (mark instanceof Tally) return session.traffic.book?.failed(mark);
  const outcome = { rows: 0, seconds, bytes: link.meter.bytes, error: sqlstate, rolledBack: false };
  (mark as TextMark).answered(session, link, outcome);
}

/** Routing refuses the text: no database serves it. Counts that. @returns the error, to be thrown */
export function noteRefusal(session: SessionCore, plan: TextPlan, error: PgfigError): PgfigError {
  const { book } = session.traffic;
  if (book !== null && !plan.tallies.silent) {
    for (const { tally } of partsOf(plan.tallies.of(session.countedService, '')))
      if (tally !== null) book.refused(tally);
  }
  return logRefusal(session, plan, error);
}

function logRefusal(session: SessionCore, plan: TextPlan, error: PgfigError): PgfigError {
  if (session.traffic.accessLog?.wants(session.start.info.service) !== true) return error;
  const nothing = { rows: 0, seconds: 0, bytes: 0, rolledBack: false, database: '' };
  plan.parsed.statements.forEach((_, at) => {
    recordOf(session, plan, at, { ...nothing, error: error.sqlstate, time: Date.now() });
  });
  return error;
}

/** A link is made ready for the text: the transaction may not allow that it writes there. */
export function orRefusal<T>(session: SessionCore, plan: TextPlan, makeReady: () => T): T {
  try {
    return makeReady();
  } catch (error) {
    if (!(error instanceof PgfigError) || error.code !== 'SECOND_WRITER') throw error;
    // The statement itself has a home: it is the transaction that would be cut.
    for (const { tally } of partsOf(plan.tallies.of(session.countedService, ''))) {
      if (tally?.writes) session.work.refused(tally);
    }
    throw logRefusal(session, plan, error);
  }
}

const ZERO = 0x30;

/** The number at the end of a command tag ('INSERT 0 5', 'SELECT 12'); 0 where there is none. */
export function rowsOf(chunk: Buffer, start: number, end: number): number {
  let rows = 0;
  let unit = 1;
  // Before the closing NUL.
  for (let at = end - 2; at >= start; at--) {
    const digit = (chunk[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    rows += digit * unit;
    unit *= 10;
  }
  return rows;
}
