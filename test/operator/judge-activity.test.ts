import t from 'tap';
import {
  type Activity,
  foundOf,
  NO_WORK,
  type OwnWork,
  type TableCounters,
} from '../../src/operator/matrix/activity.js';
import { judged, type Moment } from '../../src/operator/matrix/judge-activity.js';
import { workOn } from '../../src/operator/matrix/own-work.js';

const COUNTERS: TableCounters = {
  writes: 100,
  scans: 10,
  lastScan: null,
  partitioned: false,
  related: [],
  mirrored: false,
};
const work = (more: Partial<OwnWork> = {}): OwnWork => ({ ...NO_WORK, ...more });

function moment(
  at: number,
  more: Partial<Moment> & { own?: Partial<OwnWork>; count?: Partial<TableCounters> },
): Moment {
  const { own = {}, count = {}, ...rest } = more;
  return {
    ...{ database: 'monolith', table: 'public.t', at, server: 'a', settled: true, renew: false, relatedWrites: 0 },
    ...{ ownBefore: work(own), ownAfter: work(own), unseenBefore: 0, unseenAfter: 0 },
    ...rest,
    counters: { ...COUNTERS, ...count },
  };
}
/** Looks one after the other, from a first one at which nothing had been done. */
const after = (...looks: readonly Moment[]): Activity =>
  looks.reduce<Activity>((before, look) => judged(before, look), judged(null, moment(1, {})));

t.test('a first look takes the baseline, once the counters have settled', async (t) => {
  const unsettled = judged(null, moment(1, { settled: false }));
  t.equal(unsettled.baseline, null);
  t.match(judged(unsettled, moment(2, {})), { since: 1, comparedAt: 2, baseline: { at: 2, writes: 100, scans: 10 } });
});

t.test('writes', async (t) => {
  const own = { rows: 5, writes: 2, touches: 2 };
  const found = (more: Parameters<typeof moment>[1]) => foundOf(after(moment(2, more)));
  t.match(found({ count: { writes: 105 }, own }), { writes: 0, writesAt: null }, 'all are of pgfig');
  t.match(found({ count: { writes: 103 }, own }), { writes: 0 }, 'some have not reached the server yet');
  t.match(found({ count: { writes: 108 }, own }), { writes: 3, writesAt: 2, certain: false });
  t.match(found({ count: { writes: 108 } }), { writes: 8, writesAt: 2, certain: true }, 'pgfig has written nothing');
  t.match(found({ count: { writes: 110, partitioned: true }, own }), { writes: 0 }, 'rows move between partitions');
  t.match(found({ count: { writes: 108 }, unseenAfter: 1 }), { writes: 8, certain: false });
  t.match(after(moment(2, { count: { writes: 108 }, unseenAfter: 1 })), { doubts: ['unseen'], doubtsAt: 2 });
});

t.test('what cannot be judged is no finding, and takes none away', async (t) => {
  const hidden = after(moment(2, { count: { writes: 120 }, own: { writes: 1, hidden: 1, touches: 1 } }));
  t.match([foundOf(hidden), hidden.doubts, hidden.doubtsAt], [{ writes: 0 }, ['hidden'], 2]);
  const failed = after(moment(2, { count: { writes: 120 }, own: { failed: 1, touches: 1 } }));
  t.match([foundOf(failed), failed.doubts], [{ writes: 0 }, ['failed']]);
  const later = moment(3, { count: { writes: 130 }, own: { hidden: 1, writes: 1, touches: 1 } });
  t.match(foundOf(after(moment(2, { count: { writes: 120 } }), later)), { writes: 20, writesAt: 2 });
});

t.test('of a mirrored table nothing is told, and what the mirror did is not told later either', async (t) => {
  const writes = (count: number, mirrored: boolean): Partial<TableCounters> => ({
    writes: count,
    scans: count,
    mirrored,
  });
  const mirrored = after(moment(2, { count: writes(150, true) }));
  t.match([foundOf(mirrored), mirrored.doubts], [{ writes: 0, scans: 0 }, ['mirror']]);
  const since = judged(mirrored, moment(3, { count: writes(190, false) }));
  t.match(foundOf(since), { writes: 0, scans: 0 }, 'between the last look and its end');
  t.match(
    foundOf(judged(since, moment(4, { count: writes(191, false) }))),
    { writes: 1, scans: 1 },
    'others count again',
  );
  const busy = judged(mirrored, moment(3, { count: writes(190, false), settled: false }));
  t.match(foundOf(judged(busy, moment(4, { count: writes(195, false) }))), { writes: 0 });
});

t.test('scans tell only where pgfig has let nothing pass', async (t) => {
  const count = { scans: 12 };
  t.match(foundOf(after(moment(2, { count }))), { scans: 2, scansAt: 2 });
  t.match(foundOf(after(moment(2, { count }), moment(3, { count }))), { scansAt: 2 }, 'it stands where it was found');
  t.match(foundOf(after(moment(2, { count, own: { touches: 1 } }))), { scans: 0, scansAt: null });
  const checks = after(moment(2, { count, relatedWrites: 1 }));
  t.match([foundOf(checks), checks.doubts], [{ scansAt: null }, ['foreign-keys']]);
  const more = moment(3, { count: { scans: 20 }, own: { touches: 1 } });
  t.match(foundOf(after(moment(2, { count }), more)), { scans: 2, scansAt: 2 }, 'what was found stays found');
});

t.test('counts that come late take back what they explain', async (t) => {
  const count = { writes: 110 };
  const own = { rows: 10, writes: 1, touches: 1 };
  t.match(foundOf(after(moment(2, { count }), moment(3, { count, own }))), { writes: 0, writesAt: null });
});

t.test('a renewed baseline keeps what was found, and forgets doubts of before for later growth', async (t) => {
  const own = { writes: 1, hidden: 1, touches: 1 };
  const first = moment(2, { count: { writes: 107 }, renew: true });
  const second = moment(3, { count: { writes: 110 }, own, renew: true });
  const third = moment(4, { count: { writes: 112 }, own });
  const all = after(first, second, third);
  t.match(foundOf(all), { writes: 9, writesAt: 4 });
  t.match(all, { baseline: { at: 3 }, doubts: ['hidden'], doubtsAt: 3, since: 1 });
  t.match(after(moment(2, { renew: true, settled: false })), { baseline: { at: 1 }, comparedAt: 2 });
});

t.test('statistics that begin anew, another server, a look that comes too late', async (t) => {
  for (const again of [{ count: { writes: 99 } }, { count: { scans: 9 } }, { server: 'b' }]) {
    const all = after(moment(2, { count: { writes: 105 } }), moment(3, again), moment(4, again));
    t.match(all, { restartedAt: 3, baseline: { at: 3 } });
    t.match(foundOf(all), { writes: 5, writesAt: 2 });
  }
  t.match(after(moment(2, { server: 'b', settled: false })), { restartedAt: 2, baseline: null });
  const known = after(moment(5, {}));
  t.equal(judged(known, moment(4, { count: { writes: 200 } })), known);
});

t.test('a table is its partitions', async (t) => {
  const counts = new Map([
    ['public.t', work({ rows: 3, writes: 2, touches: 4 })],
    ['public.t1', work({ rows: 1, writes: 4, hidden: 3, touches: 5 })],
    ['public.t2', work({ writes: 2, hidden: 2, touches: 2 })],
  ]);
  t.same(workOn(counts, 'public.t', ['public.t1', 'public.t2']), {
    rows: 4,
    writes: 8,
    hidden: 1,
    failed: 0,
    touches: 11,
  });
  t.same(workOn(undefined, 'public.t', ['public.t1']), NO_WORK);
});
