import { type Activity, foundOf } from '../matrix/activity.js';
import type { ServiceUse, UnseenUse } from './service-use.js';
import { type ForeignSession, isUse, type SessionsSight } from './sessions.js';
import type { Place, Target } from './target.js';

/** All that an audit has found. Times in ms since 1970. */
export interface AuditReport extends Target {
  readonly at: number;
  /** Milliseconds: use that is longer ago does not count. */
  readonly grace: number;
  readonly places: readonly PlaceReport[];
  /** Statements that no database served, by table. */
  readonly refused: readonly { readonly table: string; readonly services: readonly ServiceUse[] }[];
  readonly unseen: readonly UnseenUse[];
  readonly sessions: readonly SessionsSight[];
  readonly unreachable: readonly { readonly database: string; readonly error: string }[];
  /** What makes the answer less sure than it looks. */
  readonly notices: readonly string[];
  /** Whether a service or application is to be left out of the answer. */
  readonly ignored: (name: string) => boolean;
}

export interface PlaceReport extends Place {
  /** Use of it counts for the answer. */
  readonly judged: boolean;
  readonly services: readonly ServiceUse[];
  /** null: the server's counters were never compared. */
  readonly activity: Activity | null;
}

export type Verdict = 'used' | 'unused' | 'unknown';

/** Sentences that say what still uses it, one for each reason; none: nothing does. */
export function reasonsOf(report: AuditReport): readonly string[] {
  const judged = report.places.filter((place) => place.judged);
  return [
    ...judged.flatMap((place) => serviceReasons(report, place.services, `${place.table} in ${place.database}`)),
    ...report.refused.flatMap(({ table, services }) => serviceReasons(report, services, `${table}, and is refused`)),
    ...judged.flatMap((place) => counterReasons(report, place)),
    ...report.sessions.flatMap(({ untold, sessions }) =>
      sessions.filter((session) => sessionCounts(report, session)).map((session) => sessionReason(session, untold)),
    ),
  ];
}

export function verdictOf(report: AuditReport): Verdict {
  if (reasonsOf(report).length > 0) return 'used';
  return report.unreachable.length > 0 ? 'unknown' : 'unused';
}

export const within = ({ at, grace }: AuditReport, time: number | null): boolean => time !== null && time >= at - grace;

function serviceReasons(report: AuditReport, services: readonly ServiceUse[], what: string): readonly string[] {
  const names = services.filter(({ service, last }) => within(report, last) && !report.ignored(service));
  return names.length === 0 ? [] : [`${listed(names.map(({ service }) => service))} ${use(names.length)} ${what}`];
}

const use = (count: number): string => (count === 1 ? 'uses' : 'use');

/** 'a, b and 3 more' */
function listed(names: readonly string[]): string {
  const [shown, more] = [names.slice(0, 5), names.length - 5];
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

function counterReasons(report: AuditReport, { activity, table, database }: PlaceReport): readonly string[] {
  if (activity === null) return [];
  const { writesAt, scansAt } = foundOf(activity);
  const where = `${table} in ${database} past pgfig`;
  return [
    ...(within(report, writesAt) ? [`something writes ${where}`] : []),
    ...(within(report, scansAt) ? [`something reads ${where}`] : []),
  ];
}

/** An idle session whose last statement is longer ago than the grace uses nothing, unless it holds a lock. */
export const sessionCounts = (report: AuditReport, { doing, queryAt, application }: ForeignSession): boolean =>
  isUse(doing) && !report.ignored(application) && (doing === 'locks' || queryAt === null || within(report, queryAt));

function sessionReason({ pid, application, user, database }: ForeignSession, untold: string | null): string {
  const who = application === '' ? `user ${user}` : application;
  return `a session of ${who} (pid ${pid} of ${database}) has it in hand${untold === null ? '' : ', through pgfig or past it'}`;
}
