import { type Doubt, foundOf } from '../matrix/activity.js';
import { type AuditReport, type PlaceReport, within } from './report.js';
import { ago, moment } from './time-words.js';

const DOUBTS: Readonly<Record<Doubt, string>> = {
  hidden: 'no verdict on writes: triggers, cascades or functions of statements through pgfig write it too',
  failed: 'no verdict on writes: statements through pgfig failed, and may have written rows until then',
  'foreign-keys': 'no verdict on scans: tables tied to it by foreign keys were written, the scans may be their checks',
  mirror: 'no verdict: the table is mirrored, and the counters do not tell the relay from others',
  unseen: 'statements through pgfig that cannot be seen through may have done it',
};

/** What the counters of one table's server say of those who do not pass through pgfig. */
export function counterLines(report: AuditReport, { activity }: PlaceReport): readonly string[] {
  if (activity === null) return ['not compared yet'];
  const { baseline, since, restartedAt, comparedAt, doubts, doubtsAt, lastScan } = activity;
  const { writes, writesAt, certain, scans, scansAt } = foundOf(activity);
  const at = (time: number): string =>
    `${moment(time)}, ${ago(time, report.at)}${within(report, time) ? '' : ', too long ago to count'}`;
  const lines: string[] = [];
  if (writesAt !== null) {
    const sure = certain ? '' : ' (some may be of clients that left before their answer)';
    lines.push(`${writes} rows written that pgfig has not written${sure}, last found ${at(writesAt)}`);
  }
  if (scansAt !== null) lines.push(`${scans} scans while pgfig let nothing pass to it, last found ${at(scansAt)}`);
  if (doubtsAt !== null) for (const doubt of doubts) lines.push(`${DOUBTS[doubt]} (${at(doubtsAt)})`);
  if (lines.length === 0 && baseline !== null) lines.push('nothing');
  if (restartedAt !== null) {
    lines.push(
      `its statistics were reset, or the server restarted, before ${moment(restartedAt)}: counted anew from there`,
    );
  }
  lines.push(
    baseline === null
      ? 'no baseline yet: transactions were open, or this user may not see the others’ state (pg_read_all_stats)'
      : `watched since ${moment(since)}, last compared ${moment(comparedAt)}`,
  );
  if (lastScan !== null)
    lines.push(`last scan by anybody, pgfig included: ${moment(lastScan)}, ${ago(lastScan, report.at)}`);
  return lines;
}
