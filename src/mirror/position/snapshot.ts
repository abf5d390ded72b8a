/**
 * A pg_snapshot: which transactions had committed at a moment. Text form `xmin:xmax:xip,...`: all below xmin had
 * ended, all from xmax on had not begun, those of xip were under way.
 * Source: PostgreSQL documentation, 9.27 "System Information Functions", Transaction ID and Snapshot Information.
 */
export interface Snapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  /** Ascending. */
  readonly xip: readonly bigint[];
}

/** @throws SyntaxError for what is no snapshot */
export function parseSnapshot(text: string): Snapshot {
  const found = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/.exec(text);
  if (found === null) throw new SyntaxError(`${JSON.stringify(text)} is no pg_snapshot`);
  const [, xmin = '', xmax = '', xip = ''] = found;
  return { xmin: BigInt(xmin), xmax: BigInt(xmax), xip: xip === '' ? [] : xip.split(',').map(BigInt) };
}

/** As Postgres writes it. */
export const snapshotText = ({ xmin, xmax, xip }: Snapshot): string => `${xmin}:${xmax}:${xip.join(',')}`;

/** Whether what transaction `xid` did is visible, if it committed. */
export function sees({ xmin, xmax, xip }: Snapshot, xid: bigint): boolean {
  if (xid < xmin) return true;
  return xid < xmax && !xip.includes(xid);
}

/**
 * The snapshot that sees of `snapshot` only what is below `xid`: a backlog is taken in bounded turns by it.
 * @returns a valid pg_snapshot, also where `xid` is below its xmin
 */
export function cutAt({ xmin, xmax, xip }: Snapshot, xid: bigint): Snapshot {
  if (xid >= xmax) return { xmin, xmax, xip };
  const below = xip.filter((one) => one < xid);
  return { xmin: below[0] ?? xid, xmax: xid, xip: below };
}

/** Whether `later` sees all that `earlier` sees. */
export function covers(later: Snapshot, earlier: Snapshot): boolean {
  // What it sees below both xmax must be all but what is under way in `earlier` too.
  if (later.xmax < earlier.xmax) {
    const missing = new Set(earlier.xip);
    for (let xid = later.xmax; xid < earlier.xmax; xid++) if (!missing.has(xid)) return false;
  }
  return later.xip.every((xid) => xid >= earlier.xmax || !sees(earlier, xid));
}

/** The snapshot that sees what both see. */
export function meet(a: Snapshot, b: Snapshot): Snapshot {
  const xmax = a.xmax < b.xmax ? a.xmax : b.xmax;
  const under = new Set([...a.xip, ...b.xip].filter((xid) => xid < xmax));
  const xip = [...under].toSorted((x, y) => (x < y ? -1 : 1));
  return { xmin: xip[0] ?? xmax, xmax, xip };
}

/** The snapshot that sees what either sees. */
export function join(a: Snapshot, b: Snapshot): Snapshot {
  const [lower, upper] = a.xmax < b.xmax ? [a, b] : [b, a];
  const unseen = new Set(lower.xip);
  const xip = upper.xip.filter((xid) => xid >= lower.xmax || unseen.has(xid));
  return { xmin: xip[0] ?? upper.xmax, xmax: upper.xmax, xip };
}
