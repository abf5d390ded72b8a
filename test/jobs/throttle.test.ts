import t, { type Test } from 'tap';
import { Throttle, type ThrottleOptions } from '../../src/jobs/backfill/throttle.js';

/** Time that passes only where somebody sleeps, so that seconds are counted and none is waited for. */
class HandClock {
  ms = 0;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  now = (): number => this.ms;

  sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      this.#sleepers.push({ at: this.ms + ms, wake: resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });

  /** To the next one who wakes. @returns whether there was one */
  async next(): Promise<boolean> {
    // All that can go on without time passing does.
    await new Promise((resolve) => setImmediate(resolve));
    const [first, ...others] = this.#sleepers.toSorted((a, b) => a.at - b.at);
    if (first === undefined) return false;
    this.#sleepers = others;
    this.ms = Math.max(this.ms, first.at);
    first.wake();
    return true;
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) if (!(await this.next())) return;
  }
}

function start(t: Test, given: Partial<ThrottleOptions>) {
  const clock = new HandClock();
  const stop = new AbortController();
  const pauses: (string | null)[] = [];
  const throttle = new Throttle({
    ...{ rate: null, load: async () => null, onPause: (reason) => pauses.push(reason), signal: stop.signal, clock },
    ...given,
  });
  t.teardown(() => stop.abort());
  return { clock, stop, pauses, throttle };
}

/** Copies chunks of what is granted, until there are so many rows. @returns the rows of each chunk, with when it began */
async function copy(throttle: Throttle, clock: HandClock, rows: number) {
  const chunks: { readonly at: number; readonly rows: number }[] = [];
  for (let left = rows; left > 0; left -= chunks.at(-1)?.rows ?? left) {
    const granted = Math.min(left, await throttle.pace());
    chunks.push({ at: clock.ms, rows: granted });
    throttle.note(granted);
  }
  return chunks;
}

t.test('a chunk gets a second of rows at most, and waits until those before it are paid for', async (t) => {
  const { clock, throttle } = start(t, { rate: 500 });
  let chunks: Awaited<ReturnType<typeof copy>> | null = null;
  void copy(throttle, clock, 2_000).then((all) => {
    chunks = all;
  });
  await clock.until(() => chunks !== null);
  t.same(chunks, [
    { at: 0, rows: 500 },
    { at: 1_000, rows: 500 },
    { at: 2_000, rows: 500 },
    { at: 3_000, rows: 500 },
  ]);
});

t.test('the rate is that of all tables together', async (t) => {
  const { clock, throttle } = start(t, { rate: 100 });
  let ended = 0;
  let last = 0;
  for (let lane = 0; lane < 4; lane++) {
    void copy(throttle, clock, 500).then((chunks) => {
      ended += 1;
      last = Math.max(last, chunks.at(-1)?.at ?? 0);
    });
  }
  await clock.until(() => ended === 4);
  t.equal(ended, 4);
  // The last chunks begin when all others are paid for: 2,000 rows less four chunks, at 100 a second.
  t.ok(last >= ((2_000 - 4 * 100) / 100) * 1_000, `the last chunk began after ${last} ms`);
});

t.test('without a rate nothing waits', async (t) => {
  const { clock, throttle } = start(t, {});
  throttle.note(1_000_000);
  t.equal(await throttle.pace(), Number.MAX_SAFE_INTEGER);
  t.equal(clock.ms, 0);
});

t.test('load pauses every table, is said once, is asked about once a second, and ends by itself', async (t) => {
  const asked: number[] = [];
  let reason: string | null = 'the source is busy';
  const { clock, throttle, pauses } = start(t, {
    load: async () => {
      asked.push(clock.ms);
      return reason;
    },
  });
  let begun = 0;
  for (let lane = 0; lane < 3; lane++) void throttle.pace().then(() => (begun += 1));
  await clock.until(() => clock.ms >= 5_000);
  t.equal(begun, 0);
  t.same(pauses, ['the source is busy']);
  t.same(asked.slice(0, 5), [0, 1_000, 2_000, 3_000, 4_000]);
  reason = null;
  await clock.until(() => begun === 3);
  t.equal(begun, 3);
  t.same(pauses, ['the source is busy', null]);
});

t.test('a pause is left at once when the job is stopped', async (t) => {
  const { throttle, stop, clock } = start(t, { load: async () => 'busy' });
  let ended = false;
  const paced = throttle.pace().then(() => {
    ended = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(ended);
  stop.abort();
  await paced;
  t.equal(clock.ms, 0, 'no time passed');
});
