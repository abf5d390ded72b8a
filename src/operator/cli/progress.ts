import { Presets, SingleBar } from 'cli-progress';

/** How far a long reading has come. */
export interface Progress {
  /** So many bytes more are done. */
  add(bytes: number): void;
  stop(): void;
}

const SILENT: Progress = { add: () => undefined, stop: () => undefined };
const MEGABYTE = 1_000_000;

/** A bar on a terminal; nothing where `stream` is none, or where it is not known how much there is. */
export function progressOf(total: number | null, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (total === null || total === 0 || stream.isTTY !== true) return SILENT;
  const format = '{bar} {percentage} % of {megabytes} MB, {eta_formatted} to go';
  const bar = new SingleBar({ format, stream, clearOnComplete: true, hideCursor: true }, Presets.shades_classic);
  bar.start(total, 0, { megabytes: (total / MEGABYTE).toFixed(1) });
  return { add: (bytes) => bar.increment(bytes), stop: () => bar.stop() };
}
