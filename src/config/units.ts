import { z } from 'zod';

const DURATION = /^(?:0|(\d+(?:\.\d+)?) ?(ms|s|m|h))$/;
const LONG_DURATION = /^(\d+(?:\.\d+)?) ?(m|h|d|w)$/;
const SIZE = /^(?:0|(\d+(?:\.\d+)?) ?(B|kB|KB|MB|GB))$/;
const PERCENT = /^(\d+(?:\.\d+)?) ?%$/;
const DIGITS = /^-?\d+$/;

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const LONG_MILLISECONDS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** As in postgresql.conf a unit is a power of 1024. */
const BYTES: Readonly<Record<string, number>> = { B: 1, kB: 1024, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

function scaled(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number {
  const [, amount = '0', unit = ''] = pattern.exec(text) ?? [];
  return Math.round(Number(amount) * (units[unit] ?? 0));
}

/** Text that is not empty. */
export const text = (description: string) => z.string('must be text').min(1, 'must not be empty').describe(description);

/** '1s', '500ms', '2m', '1h', '0' -> milliseconds */
export const duration = z
  .string('must be a duration with its unit, such as 500ms, 30s or 2m')
  .regex(DURATION, 'must be a duration with its unit, such as 500ms, 30s or 2m')
  .transform((text) => scaled(text, DURATION, MILLISECONDS));

/** '90d', '2w', '12h', '30m' -> milliseconds */
export const longDuration = z
  .string('must be a time with its unit, such as 90d, 2w, 12h or 30m')
  .regex(LONG_DURATION, 'must be a time with its unit, such as 90d, 2w, 12h or 30m')
  .transform((text) => scaled(text, LONG_DURATION, LONG_MILLISECONDS));

/** '16MB', '512kB' -> bytes */
export const size = z
  .string('must be a size with its unit, such as 512kB or 64MB')
  .regex(SIZE, 'must be a size with its unit, such as 512kB or 64MB')
  .transform((text) => scaled(text, SIZE, BYTES));

/** '10%' -> 10 */
export const percent = z
  .string('must be a percentage such as 10%')
  .regex(PERCENT, 'must be a percentage such as 10%')
  .transform((text) => Number(PERCENT.exec(text)?.[1] ?? 0))
  .refine((value) => value <= 100, 'must be at most 100%');

/** A whole number; text of digits counts too, since `${ENV}` gives text. */
export function integer(min: number, max: number) {
  const what = `must be a whole number from ${min} to ${max}`;
  return z.preprocess(
    (value) => (typeof value === 'string' && DIGITS.test(value) ? Number(value) : value),
    z.int(what).min(min, what).max(max, what),
  );
}
