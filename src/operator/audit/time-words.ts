const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
] as const;

/** '90 days', '2 hours', '1 minute'; what is shorter is 'less than a minute'. @param ms milliseconds */
export function span(ms: number): string {
  const unit = UNITS.find(([length]) => ms >= length);
  if (unit === undefined) return 'less than a minute';
  const count = Math.floor(ms / unit[0]);
  return `${count} ${unit[1]}${count === 1 ? '' : 's'}`;
}

/** '3 hours ago' @param at, now ms since 1970 */
export const ago = (at: number, now: number): string => `${span(Math.max(0, now - at))} ago`;

/** '2026-01-02 10:00' in UTC @param ms since 1970 */
export const moment = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
