import {
  type Activity,
  type Baseline,
  type Doubt,
  type Found,
  foundOf,
  NOTHING_FOUND,
  type OwnWork,
  type TableCounters,
} from './activity.js';

/** One table at one moment. `counters` were read between `ownBefore` and `ownAfter`. */
export interface Moment {
  readonly database: string;
  readonly table: string;
  readonly at: number;
  readonly server: string;
  /** The server's counters hold all the work of `ownBefore`: a baseline may be taken. */
  readonly settled: boolean;
  /** A baseline is taken also where there is one. */
  readonly renew: boolean;
  readonly counters: TableCounters;
  readonly relatedWrites: number;
  readonly ownBefore: OwnWork;
  readonly ownAfter: OwnWork;
  /** Statements on the database that could not be seen through. */
  readonly unseenBefore: number;
  readonly unseenAfter: number;
}

/**
 * What is known of a table after one more look at it.
 *
 * The server's growth is held against pgfig's from a moment before the first look to one after the second: what passes
 * in between can hide work past pgfig, and never invent any.
 */
export function judged(before: Activity | null, moment: Moment): Activity {
  const { database, table, at, counters } = moment;
  if (before === null) {
    return {
      ...{ database, table, since: at, comparedAt: at, restartedAt: null, lastScan: counters.lastScan },
      ...{ before: NOTHING_FOUND, doubts: [], doubtsAt: null },
      baseline: moment.settled ? baselineOf(moment) : null,
    };
  }
  const { baseline } = before;
  // Somebody else has looked later than this, and has stored it already.
  if (baseline !== null && at <= Math.max(baseline.at, before.comparedAt)) return before;
  const known = { ...before, comparedAt: at, lastScan: counters.lastScan };
  if (baseline === null) return { ...known, baseline: moment.settled ? baselineOf(moment) : null };
  if (restarted(baseline, moment)) {
    return {
      ...{ ...known, restartedAt: at, before: foundOf(before) },
      baseline: moment.settled ? baselineOf(moment) : null,
    };
  }
  if (counters.mirrored || baseline.mirrored === true) {
    // All that the mirror does stays out of the count: it begins anew behind each look.
    const doubted: Activity = { ...known, doubts: ['mirror'], doubtsAt: at, before: foundOf(known) };
    return {
      ...doubted,
      baseline: moment.settled ? baselineOf(moment) : { ...baseline, mirrored: true, found: NOTHING_FOUND },
    };
  }
  const { found, doubts } = compared(baseline, moment);
  const told = doubts.length === 0 ? known : { ...known, doubts, doubtsAt: at };
  const now = { ...told, baseline: { ...baseline, found } };
  return moment.settled && moment.renew ? { ...now, before: foundOf(now), baseline: baselineOf(moment) } : now;
}

const restarted = (baseline: Baseline, { server, counters }: Moment): boolean =>
  server !== baseline.server || counters.writes < baseline.writes || counters.scans < baseline.scans;

function baselineOf({ at, server, counters, relatedWrites, ownBefore, unseenBefore }: Moment): Baseline {
  const { writes, scans } = counters;
  const counted = { relatedWrites, own: ownBefore, unseen: unseenBefore, mirrored: counters.mirrored };
  return { at, server, writes, scans, ...counted, found: NOTHING_FOUND };
}

function compared(baseline: Baseline, moment: Moment): { readonly found: Found; readonly doubts: readonly Doubt[] } {
  const doubts = new Set<Doubt>();
  const { found } = baseline;
  const unseen = moment.unseenAfter > baseline.unseen;
  const writes = foreignWrites(baseline, moment, doubts);
  const scans = foreignScans(baseline, moment, doubts);
  if (unseen && (writes > 0 || scans > 0)) doubts.add('unseen');
  return {
    found: {
      writes,
      writesAt: writes === 0 ? null : writes > found.writes ? moment.at : found.writesAt,
      certain: writes > 0 && !unseen && moment.ownAfter.writes === baseline.own.writes,
      scans,
      scansAt: scans > found.scans ? moment.at : found.scansAt,
    },
    doubts: [...doubts],
  };
}

/** Rows that the server counts and pgfig does not; what was found before where that cannot be said. */
function foreignWrites(baseline: Baseline, { counters, ownAfter }: Moment, doubts: Set<Doubt>): number {
  const { own } = baseline;
  const rows = (ownAfter.rows - own.rows) * (counters.partitioned ? 2 : 1);
  // What was found before is found again, or it came from counts that were late.
  const more = counters.writes - baseline.writes - rows;
  if (more <= 0) return 0;
  if (ownAfter.hidden > own.hidden) doubts.add('hidden');
  if (ownAfter.failed > own.failed) doubts.add('failed');
  return doubts.size > 0 ? baseline.found.writes : more;
}

/** A statement makes any number of scans: they tell something only where pgfig has let none pass since the baseline. */
function foreignScans(baseline: Baseline, moment: Moment, doubts: Set<Doubt>): number {
  const { own, found } = baseline;
  const more = moment.counters.scans - baseline.scans;
  if (more <= found.scans || moment.ownAfter.touches > own.touches) return found.scans;
  if (moment.relatedWrites === baseline.relatedWrites) return more;
  doubts.add('foreign-keys');
  return found.scans;
}
