import { quantile } from '../../report/statistics.js';
import type { Committers } from './commits.js';
import { median, spreadText } from './stage.js';

/** Ways to mirror that are compared, each with a table of its own, `<mode>_t`. Milliseconds of each commit, by mode. */
export type Times<Mode extends string> = Readonly<Record<Mode, readonly number[]>>;

/** A thousand commits: the engine has compiled what they run. */
const WARM_UP_SECONDS = 4;

/** @param most clients */
export async function warmUp(committers: Committers, modes: readonly string[], most: number): Promise<void> {
  for (const mode of modes) {
    await committers.run(`${mode}_t`, most, 1);
    await committers.run(`${mode}_t`, 1, WARM_UP_SECONDS);
  }
}

/** One slot for each mode, beginning with another one each round. */
export async function slots<Mode extends string>(
  committers: Committers,
  modes: readonly Mode[],
  { clients, seconds, round }: { readonly clients: number; readonly seconds: number; readonly round: number },
): Promise<Times<Mode>> {
  const times: Partial<Record<Mode, readonly number[]>> = {};
  const first = round % modes.length;
  for (const mode of [...modes.slice(first), ...modes.slice(0, first)]) {
    times[mode] = (await committers.run(`${mode}_t`, clients, seconds)).times;
  }
  return times as Times<Mode>;
}

/** Milliseconds that a mode adds to the median of another one, of each round. */
export const added = <Mode extends string>(times: readonly Times<Mode>[], mode: Mode, to: Mode): number[] =>
  times.map((one) => quantile(one[mode], 0.5) - quantile(one[to], 0.5));

const quantiles = <Mode extends string>(times: readonly Times<Mode>[], mode: Mode, q: number): number[] =>
  times.map((one) => quantile(one[mode], q));

/** Median and 99th percentile of each mode, for people. */
export const modesText = <Mode extends string>(modes: readonly Mode[], times: readonly Times<Mode>[]): string =>
  modes
    .map((mode) => {
      const [half, most] = [quantiles(times, mode, 0.5), quantiles(times, mode, 0.99)];
      return `${mode} ${spreadText(half, 2)} p99 ${median(most).toFixed(1)}`;
    })
    .join(', ');

/** The same for programs, of each round. */
export const modesFigures = <Mode extends string>(modes: readonly Mode[], times: readonly Times<Mode>[]): object =>
  Object.fromEntries(
    modes.map((mode) => [mode, { p50: quantiles(times, mode, 0.5), p99: quantiles(times, mode, 0.99) }]),
  );
