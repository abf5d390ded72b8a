import { foundOf } from '../matrix/activity.js';
import { type AuditReport, type PlaceReport, reasonsOf, verdictOf } from './report.js';

const TIMES: ReadonlySet<string> = new Set([
  ...['at', 'first', 'last', 'queryAt', 'startedAt', 'since', 'comparedAt', 'restartedAt', 'writesAt', 'scansAt'],
  ...['doubtsAt', 'lastScan', 'baselineAt'],
]);

/** An audit as one JSON object; times as ISO 8601, null where they are not known, `graceSeconds` as a number. */
export function auditJson(report: AuditReport): string {
  const { ignored, grace, places, ...rest } = report;
  const plain = {
    verdict: verdictOf(report),
    reasons: reasonsOf(report),
    ...rest,
    graceSeconds: grace / 1000,
    places: places.map(plainPlace),
  };
  return `${JSON.stringify(plain, (key, value: unknown) =>
    TIMES.has(key) && typeof value === 'number' ? new Date(value).toISOString() : value,
  )}\n`;
}

function plainPlace({ activity, ...place }: PlaceReport): object {
  if (activity === null) return { ...place, counters: null };
  const { baseline, since, comparedAt, restartedAt, doubts, doubtsAt, lastScan } = activity;
  const times = { since, comparedAt, restartedAt, baselineAt: baseline?.at ?? null, lastScan };
  return { ...place, counters: { ...foundOf(activity), doubts, doubtsAt, ...times } };
}
