import Table from 'cli-table3';
import { PLAIN } from '../cli/plain-table.js';
import { counterLines } from './counter-lines.js';
import { type AuditReport, type PlaceReport, reasonsOf, sessionCounts, verdictOf, within } from './report.js';
import type { ServiceUse } from './service-use.js';
import type { Doing, ForeignSession, SessionsSight } from './sessions.js';
import { ago, moment, span } from './time-words.js';

/** An audit for people. */
export function auditText(report: AuditReport): string {
  const { title, tables } = report;
  const all = title === `table ${tables[0]}` ? title : `${title}: ${tables.join(', ')}`;
  const lines = [
    all,
    `what was used within ${span(report.grace)} counts; times are UTC`,
    ...report.places.flatMap((place) => placeLines(report, place)),
    ...absentLines(report),
    ...report.refused.flatMap(({ table, services }) =>
      services.length === 0 ? [] : ['', `${table}, refused`, ...serviceLines(report, services)],
    ),
    ...unseenLines(report),
    ...report.sessions.flatMap((sight) => sessionLines(report, sight)),
    ...report.unreachable.map(({ error }) => `\nunreachable: ${error}`),
    ...(report.notices.length > 0 ? ['', ...report.notices.map((notice) => `note: ${notice}`)] : []),
    '',
    ...verdictLines(report),
  ];
  return `${lines.join('\n')}\n`;
}

function placeLines(report: AuditReport, place: PlaceReport): readonly string[] {
  const why = place.movedHere ? ' (it has moved here: use does not count)' : ' (not asked for: use does not count)';
  return [
    '',
    `${place.table} in ${place.database}${place.judged ? '' : why}`,
    '  through pgfig',
    ...(place.services.length === 0 ? ['    nobody'] : serviceLines(report, place.services)),
    '  past pgfig, by the counters of the server',
    ...counterLines(report, place).map((line) => `    ${line}`),
  ];
}

function absentLines({ tables, places, unreachable }: AuditReport): readonly string[] {
  const absent = tables.filter((table) => places.every((place) => place.table !== table));
  const where = unreachable.length > 0 ? 'no database that answers' : 'no database';
  return absent.map((table) => `\n${table}\n  is in ${where}`);
}

function serviceLines(report: AuditReport, services: readonly ServiceUse[]): readonly string[] {
  const right = 'right' as const;
  const table = new Table({
    ...PLAIN,
    head: ['service', 'does', 'statements', 'hidden', 'refused', 'last seen', ''],
    colAligns: ['left', 'left', right, right, right, 'left', 'left'],
  });
  for (const use of services) {
    const counts = [String(use.statements), use.hiddenPercent === 0 ? '-' : `${use.hiddenPercent} %`];
    const refused = use.refused === 0 ? '-' : String(use.refused);
    const seen = `${moment(use.last)}, ${ago(use.last, report.at)}`;
    table.push([use.service, use.letters, ...counts, refused, seen, remark(report, use)]);
  }
  const examples = services
    .filter(({ example }) => example !== '')
    .map(({ service, example }) => `${service}: ${example}`);
  return [...table.toString().split('\n'), ...examples].map((line) => `    ${line.trimEnd()}`);
}

function remark(report: AuditReport, { service, last }: ServiceUse): string {
  if (report.ignored(service)) return 'ignored';
  return within(report, last) ? '' : 'too long ago to count';
}

function unseenLines({ unseen, at }: AuditReport): readonly string[] {
  if (unseen.length === 0) return [];
  return [
    '',
    'cannot be excluded: statements through pgfig that cannot be seen through',
    ...unseen.map(
      ({ service, database, why, statements, last }) =>
        `  ${service} in ${database}: ${statements} x ${why}, last ${moment(last)}, ${ago(last, at)}`,
    ),
  ];
}

const DOING: Readonly<Record<Doing, string>> = {
  touches: 'touches it',
  locks: 'holds a lock on it',
  'may touch': 'may touch it (the text is cut)',
  'other tables': 'last statement touches other tables',
  'not seen': 'what it does cannot be seen',
  hidden: 'hidden from this user',
};

function sessionLines(report: AuditReport, { database, untold, sessions }: SessionsSight): readonly string[] {
  const head = `sessions in ${database} past pgfig`;
  if (untold !== null) {
    const all = `sessions in ${database}: those of pgfig cannot be told from others (${untold})`;
    return ['', all, ...sessions.flatMap((session) => sessionLine(report, session))];
  }
  if (sessions.length === 0) return ['', head, '  none'];
  const hidden = sessions.some(({ doing }) => doing === 'hidden');
  const hint = '  grant pg_read_all_stats to the user that pgfig logs in with, and it sees what they do';
  return ['', head, ...sessions.flatMap((session) => sessionLine(report, session)), ...(hidden ? [hint] : [])];
}

function sessionLine(report: AuditReport, session: ForeignSession): readonly string[] {
  const { pid, user, application, client, state, queryAt, startedAt, doing, passedThrough, text } = session;
  const who = [`pid ${pid}`, `user ${user}`, ...(application === '' ? [] : [application]), `from ${client}`];
  const since = queryAt ?? startedAt;
  const when = since === null ? [] : [`since ${moment(since)}`];
  const way = passedThrough ? ['passed through pgfig, not routed'] : [];
  const old = isOld(report, session) ? ', too long ago to count' : '';
  const ignored = report.ignored(application) ? ', ignored' : '';
  const line = [...who, [state ?? 'state hidden', ...when].join(' '), ...way].join(', ');
  return [`  ${line}: ${DOING[doing]}${old}${ignored}`, ...(text === '' ? [] : [`    ${text}`])];
}

const isOld = (report: AuditReport, session: ForeignSession): boolean =>
  (session.doing === 'touches' || session.doing === 'may touch') &&
  !report.ignored(session.application) &&
  !sessionCounts(report, session);

function verdictLines(report: AuditReport): readonly string[] {
  const reasons = reasonsOf(report);
  const verdict = verdictOf(report);
  if (verdict === 'used') return ['Still used:', ...reasons.map((reason) => `  ${reason}`)];
  if (verdict === 'unknown') return ['Not known: nothing was found, but not every database could be asked.'];
  const [watched] = report.places
    .filter(({ judged }) => judged)
    .map(({ activity }) => activity?.since ?? null)
    .sort((a, b) => (b ?? Number.POSITIVE_INFINITY) - (a ?? Number.POSITIVE_INFINITY));
  const nothing = `Nothing that pgfig can see uses it within ${span(report.grace)}.`;
  if (watched === undefined) return [nothing];
  if (watched === null)
    return [nothing, 'The counters of the server have not been watched yet: this tells of pgfig alone.'];
  if (report.at - watched >= report.grace) return [nothing];
  return [nothing, `The counters of the server are watched since ${moment(watched)} only, ${ago(watched, report.at)}.`];
}
