/** Counts of statements with the same labels; a plain cell, summed up only when somebody asks. */
export interface Counter {
  readonly database: string;
  readonly kind: string;
  readonly domain: string;
  count: number;
}

/** A latency histogram in typed arrays: `boundaries` in seconds, `counts` per bucket, the last one above all. */
export class LatencyHistogram {
  readonly boundaries = BOUNDARIES;
  readonly counts = new Float64Array(BOUNDARIES.length + 1);
  sum = 0;
  count = 0;

  /** @param seconds one observation */
  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDARIES.length && seconds > (BOUNDARIES[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += seconds;
    this.count++;
  }
}

const BOUNDARIES: readonly number[] = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
  5, 10,
];

/** How commits ended that waited for the copy of one domain. */
export class HoldCounter {
  readonly outcomes = { applied: 0, stalled: 0, failed: 0, timeout: 0, canceled: 0 };
  readonly seconds = new LatencyHistogram();
  /** Those that wait now. */
  waiting = 0;

  ended(outcome: keyof HoldCounter['outcomes'], seconds: number): void {
    this.outcomes[outcome]++;
    this.seconds.observe(seconds);
  }
}

/** All that the sessions of one worker count. Nothing here allocates once its label was seen. */
export class TrafficCounters {
  readonly statements: Counter[] = [];
  readonly refusals = new Map<string, number>();
  readonly backendSeconds = new Map<string, LatencyHistogram>();
  readonly proxySeconds = new LatencyHistogram();
  /** By domain. */
  readonly holds = new Map<string, HoldCounter>();
  fromClients = 0;
  toClients = 0;
  /** Of links that are closed; the open ones are asked. */
  fromBackends = 0;
  toBackends = 0;
  clientPauses = 0;
  backendPauses = 0;
  authFailures = 0;
  /** Statements that went to the default database because they could not be understood. */
  opaque = 0;
  /** Statements that statement mirrors were given to run. */
  mirrored = 0;
  /** Statements whose change a copy lacks, by '<domain>\n<reason>'. */
  readonly divergences = new Map<string, number>();
  /** Counts statements for sampling. */
  tick = 0;
  readonly #byLabels = new Map<string, Counter>();

  counter(database: string, kind: string, domain: string): Counter {
    const key = `${database}\n${kind}\n${domain}`;
    let counter = this.#byLabels.get(key);
    if (counter === undefined) {
      counter = { database, kind, domain, count: 0 };
      this.#byLabels.set(key, counter);
      this.statements.push(counter);
    }
    return counter;
  }

  backend(database: string): LatencyHistogram {
    let histogram = this.backendSeconds.get(database);
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.backendSeconds.set(database, histogram);
    }
    return histogram;
  }

  diverged(domain: string, reason: string, count: number): void {
    const key = `${domain}\n${reason}`;
    this.divergences.set(key, (this.divergences.get(key) ?? 0) + count);
  }

  hold(domain: string): HoldCounter {
    let counter = this.holds.get(domain);
    if (counter === undefined) {
      counter = new HoldCounter();
      this.holds.set(domain, counter);
    }
    return counter;
  }

  refused(reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }
}
