import type { Histogram } from '../metrics/metric-json.js';

const BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** What the relays of this process have done since it began, by domain. */
export interface RelayTally {
  turns: number;
  changes: number;
  stalls: number;
  failures: number;
  /** Seconds of a turn. */
  readonly seconds: { readonly boundaries: readonly number[]; readonly counts: number[]; sum: number; count: number };
}

export class RelayTallies {
  readonly #tallies = new Map<string, RelayTally>();

  turn(domain: string, { changes, seconds }: { readonly changes: number; readonly seconds: number }): void {
    const tally = this.of(domain);
    tally.turns += 1;
    tally.changes += changes;
    const at = BOUNDARIES.findIndex((boundary) => seconds <= boundary);
    const bucket = at < 0 ? BOUNDARIES.length : at;
    tally.seconds.counts[bucket] = (tally.seconds.counts[bucket] ?? 0) + 1;
    tally.seconds.sum += seconds;
    tally.seconds.count += 1;
  }

  stalled(domain: string): void {
    this.of(domain).stalls += 1;
  }

  failed(domain: string): void {
    this.of(domain).failures += 1;
  }

  of(domain: string): RelayTally & { readonly seconds: Histogram } {
    let tally = this.#tallies.get(domain);
    if (tally === undefined) {
      const counts = new Array<number>(BOUNDARIES.length + 1).fill(0);
      tally = {
        turns: 0,
        changes: 0,
        stalls: 0,
        failures: 0,
        seconds: { boundaries: BOUNDARIES, counts, sum: 0, count: 0 },
      };
      this.#tallies.set(domain, tally);
    }
    return tally;
  }
}
