import { Presets, SingleBar } from 'cli-progress';

/** How far a job has come, in rows. */
export interface RowsProgress {
  /** @param note what is worth a word, such as why it pauses */
  update(rows: number, total: number, note: string): void;
  stop(): void;
}

const SILENT: RowsProgress = { update: () => undefined, stop: () => undefined };
/** The rate is that of the last so many milliseconds. */
const WINDOW_MS = 10_000;

/** A bar with rows, rate and time to go on a terminal; nothing elsewhere. */
export function rowsProgress(stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): RowsProgress {
  if (stream.isTTY !== true) return SILENT;
  const format = '{bar} {percentage} % of {total} rows, {rate} rows/s, {left} to go{note}';
  const bar = new SingleBar({ format, stream, clearOnComplete: true, hideCursor: true }, Presets.shades_classic);
  const seen: { at: number; rows: number }[] = [];
  bar.start(1, 0, { rate: '-', left: '-', note: '' });
  return {
    update: (rows, total, note) => {
      const now = Date.now();
      seen.push({ at: now, rows });
      while (seen.length > 2 && now - (seen[0]?.at ?? now) > WINDOW_MS) seen.shift();
      const rate = rateOf(seen);
      // Statistics may know of fewer rows than there are.
      const most = Math.max(total, rows, 1);
      bar.setTotal(most);
      bar.update(rows, {
        rate: rate === null ? '-' : Math.round(rate),
        left: rate === null || rate === 0 ? '-' : timeText((most - rows) / rate),
        note: note === '' ? '' : ` (${note})`,
      });
    },
    stop: () => bar.stop(),
  };
}

function rateOf(seen: readonly { at: number; rows: number }[]): number | null {
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) return null;
  return ((last.rows - first.rows) * 1_000) / (last.at - first.at);
}

/** '1 h 5 m', '3 m 10 s', '8 s' */
export function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole >= 3_600) return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} m`;
  return whole >= 60 ? `${Math.floor(whole / 60)} m ${whole % 60} s` : `${whole} s`;
}
