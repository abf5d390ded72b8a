import type { Spread } from './results.js';

/** The q-quantile (0 to 1) by linear interpolation; NaN for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** Compares round by round; null when there is nothing to compare with. */
export function pairwise(
  values: readonly number[],
  reference: readonly number[] | undefined,
  compare: (value: number, reference: number) => number,
): Spread | null {
  if (reference === undefined || reference.length === 0) return null;
  const compared = values.flatMap((value, round) => {
    const other = reference[round];
    return other === undefined ? [] : [compare(value, other)];
  });
  return compared.length === 0 ? null : spread(compared);
}
