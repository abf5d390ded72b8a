import type { Results, WorkloadResult } from './results.js';

/** One colour per target, told apart also by those who do not see red and green (Okabe and Ito's palette). */
const COLOURS: Readonly<Record<string, string>> = {
  direct: '#999999',
  pgbouncer: '#0072b2',
  haproxy: '#56b4e9',
  pgpool: '#e69f00',
  pgfig: '#d55e00',
};
const LABEL_WIDTH = 150;
const PLOT_WIDTH = 560;
const BAR = 11;
const GAP = 10;
const TOP = 64;
const FONT = 'font-family="system-ui, sans-serif"';

/** bench/results/latest.svg: each workload's throughput as a ratio to PgBouncer's (to direct where it is missing). */
export function svg(results: Results): string {
  const workloads = results.throughput;
  const against = workloads.some((workload) => ratioOf(workload, 'pgfig', 'toPgbouncer') !== null)
    ? 'toPgbouncer'
    : 'toDirect';
  const names = results.targets.map((target) => target.name).filter((name) => workloads.some((w) => name in w.targets));
  const most = Math.max(1.2, ...workloads.flatMap((w) => names.map((name) => ratioOf(w, name, against)?.max ?? 0)));
  const x = (ratio: number): number => LABEL_WIDTH + (Math.min(ratio, most) / most) * PLOT_WIDTH;
  const groupHeight = names.length * BAR + GAP;
  const height = TOP + workloads.length * groupHeight + 30;
  const width = LABEL_WIDTH + PLOT_WIDTH + 60;
  const bottom = height - 24;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(12, 22, `Throughput as a ratio to ${against === 'toPgbouncer' ? 'PgBouncer' : 'a direct connection'}`, 15),
    ...legend(names),
    ...ticks(most).map(
      (ratio) =>
        `<line x1="${x(ratio)}" x2="${x(ratio)}" y1="${TOP - 6}" y2="${bottom}" stroke="${ratio === 1 ? '#444444' : '#dddddd'}"/>` +
        text(x(ratio) - 8, height - 8, ratio.toFixed(1), 11),
    ),
    ...workloads.flatMap((workload, i) => group(workload, names, against, TOP + i * groupHeight, x)),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

type Against = 'toPgbouncer' | 'toDirect';

const ratioOf = (workload: WorkloadResult, name: string, against: Against) => workload.targets[name]?.[against] ?? null;

/** One bar for each target, with a line from the least to the greatest round. */
function group(
  workload: WorkloadResult,
  names: readonly string[],
  against: Against,
  top: number,
  x: (ratio: number) => number,
): string[] {
  const middle = top + (names.length * BAR) / 2 + 4;
  const bars = names.flatMap((name, i) => {
    const ratio = ratioOf(workload, name, against);
    if (ratio === null) return [];
    const y = top + i * BAR;
    const centre = y + BAR / 2;
    return [
      `<rect x="${x(0)}" y="${y}" width="${(x(ratio.median) - x(0)).toFixed(1)}" height="${BAR - 2}" fill="${COLOURS[name] ?? '#000000'}"/>`,
      `<line x1="${x(ratio.min).toFixed(1)}" x2="${x(ratio.max).toFixed(1)}" y1="${centre}" y2="${centre}" stroke="#222222"/>`,
      text(x(ratio.max) + 4, y + BAR - 2, ratio.median.toFixed(2), 9),
    ];
  });
  return [text(12, middle, workload.name, 12), ...bars];
}

function legend(names: readonly string[]): string[] {
  return names.map((name, i) => {
    const left = 12 + i * 100;
    return `<rect x="${left}" y="34" width="11" height="11" fill="${COLOURS[name] ?? '#000000'}"/>${text(left + 16, 44, name, 12)}`;
  });
}

function ticks(most: number): number[] {
  const step = most > 3 ? 1 : most > 1.5 ? 0.5 : 0.2;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => Number((i * step).toFixed(1)));
}

function text(x: number, y: number, content: string, size: number): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${FONT} font-size="${size}" fill="#222222">${escaped(content)}</text>`;
}

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
