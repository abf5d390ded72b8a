/** Figures for people. None depends on the locale or the time zone of the machine: the same input, the same page. */

export const figure = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

/** '1 table', '2 tables'. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${figure(count)} ${count === 1 ? one : many}`;

/** At most four characters, for narrow columns: 950, 12k, 3.4M. */
export function short(value: number): string {
  for (const [size, letter] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    // What would round up to 1,000 of a unit is one of the next.
    if (value < size * 0.9995) continue;
    const scaled = value / size;
    return `${scaled < 9.95 ? scaled.toFixed(1).replace(/\.0$/, '') : scaled.toFixed(0)}${letter}`;
  }
  return Math.round(value).toString();
}

export const share = (part: number): string => {
  const percent = part * 100;
  if (percent > 0 && percent < 1) return '<1%';
  return `${percent > 99 && percent < 100 ? 99 : percent.toFixed(0)}%`;
};

export const hundredths = (value: number): string => value.toFixed(2);

/** UTC, to the minute; '' where a source knows no time. */
export function minute(milliseconds: number | null): string {
  if (milliseconds === null || !(milliseconds > 0) || milliseconds > 8.64e15) return '';
  return new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');
}

/** Cut at a number of characters, never in the middle of one. */
export function cutAt(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length).replace(/[\ud800-\udbff]$/, '')} …`;
}

/** By code units, since a locale's order may differ between machines. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
