import type { Config } from '../../config/config.js';
import type { ConsoleColumn, ConsoleNotice, ConsoleType, ConsoleValue } from '../../session/console/console.js';
import type { SessionSight } from '../../session/session-registry.js';
import type { CatalogRefresher } from '../catalog-refresher.js';
import type { Metric } from '../metrics/metric-json.js';
import type { PrimaryStatus } from '../processes/messages.js';
import type { ReloadOutcome } from '../rules-keeper.js';
import type { RulesState } from '../rules-report.js';

/** What the console can look at and do; the control process gives it. */
export interface ConsoleSource {
  readonly config: Config;
  readonly rules: RulesState;
  readonly catalog: Pick<CatalogRefresher, 'sights'>;
  status(): Promise<PrimaryStatus>;
  /** The counters of all workers that are, and of those that were. */
  metrics(): Promise<readonly Metric[]>;
  /** The sessions of all workers, of none more than `most`. */
  sessions(most: number): Promise<readonly (SessionSight & { readonly worker: number })[]>;
  /** Database -> answers. */
  reachable(): Promise<ReadonlyMap<string, boolean>>;
  /** Certificates, users and rules are read again; `everywhere`: every worker has the rules that came of it. */
  reload(): Promise<{ readonly outcome: ReloadOutcome; readonly everywhere: boolean }>;
}

/** A command that shows rows. */
export interface Show {
  /** For SHOW HELP. */
  readonly about: string;
  readonly columns: readonly ConsoleColumn[];
  rows(source: ConsoleSource): Promise<readonly (readonly ConsoleValue[])[]>;
  notices(source: ConsoleSource): readonly ConsoleNotice[];
}

type Columns = Readonly<Record<string, ConsoleType>>;
type Row<C extends Columns> = { readonly [K in keyof C]: ConsoleValue | Date };

/** Columns by name and type, and rows with a value for each name. */
export function show<C extends Columns>(
  about: string,
  columns: C,
  rows: (source: ConsoleSource) => readonly Row<C>[] | Promise<readonly Row<C>[]>,
  notices: (source: ConsoleSource) => readonly ConsoleNotice[] = () => [],
): Show {
  const names = Object.keys(columns);
  return {
    about,
    columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
    rows: async (source) => (await rows(source)).map((row) => names.map((name) => plain(row[name] ?? null))),
    notices,
  };
}

const plain = (value: ConsoleValue | Date): ConsoleValue => (value instanceof Date ? value.getTime() : value);
