import { hasPostgres, type PostgresVersion } from '../support/postgres.js';
import { Random } from './random.js';

/** What a run is made of; all of it follows from the seed, and what is installed here. */
export interface Plan {
  readonly seed: number;
  /** Milliseconds of load and faults. */
  readonly duration: number;
  readonly sourceVersion: PostgresVersion;
  readonly apply: 'sync' | 'async';
  /** Backfill while the load runs and everything dies; else before it. */
  readonly backfillUnderLoad: boolean;
  /** How many pgfig there are; the second takes over the relay when the first is ill. */
  readonly instances: 1 | 2;
  readonly kafka: boolean;
  /** Rows of the large tables at the start. */
  readonly rows: number;
}

/** A broker takes half a minute of processor time, so that one seed in five has one; with PGFIG_FAULT_KAFKA=1 all have. */
export function planFor(
  seed: number,
  seconds: number,
  kafka = seed % 5 === 3 || process.env.PGFIG_FAULT_KAFKA === '1',
): Plan {
  const random = new Random(seed);
  return {
    seed,
    duration: seconds * 1000,
    sourceVersion: seed % 2 === 1 && hasPostgres(15) ? 15 : 18,
    apply: (seed >> 1) % 2 === 1 ? 'sync' : 'async',
    backfillUnderLoad: (seed >> 2) % 2 === 1,
    instances: random.chance(0.25) ? 2 : 1,
    kafka,
    rows: random.pick([300, 3_000, 20_000]),
  };
}

/** The seeds of PGFIG_FAULT_SEEDS (comma-separated), or those given. */
export const seedsOf = (otherwise: readonly number[]): readonly number[] => {
  const given = (process.env.PGFIG_FAULT_SEEDS ?? '').split(',').filter((seed) => seed !== '');
  return given.length === 0 ? otherwise : given.map(Number);
};

/** PGFIG_FAULT_SECONDS, or the number given. */
export const secondsOf = (otherwise: number): number => Number(process.env.PGFIG_FAULT_SECONDS ?? otherwise);
