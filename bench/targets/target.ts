import type { Programs } from '../../src/embedded/programs.js';

/** The Postgres server that every target stands before. */
export interface Backend {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Where pgfig reads its catalog and where the tables of its routed domain live: always the real server. */
  readonly real: { readonly port: number; readonly user: string; readonly ordersDatabase: string };
}

/** What a target may use while it runs. */
export interface Surroundings {
  /** A folder of the benchmark's own, removed at the end. */
  folder(name: string): Promise<string>;
  /** As whom daemons run that refuse to run as root; null: as we are. */
  readonly runAs: Programs['runAs'];
  /** Aborted when the benchmark is stopped: a target that is just starting must stop then too. */
  readonly signal: AbortSignal;
  /** Connections that a target must be able to hold. */
  readonly clients: number;
}

/** A target that runs. */
export interface Running {
  readonly host: string;
  readonly port: number;
  /** Root of the proxy's process tree; null for `direct`, which has no process of its own. */
  readonly pid: number | null;
  stop(): Promise<void>;
}

export interface Target {
  readonly name: string;
  /** What is compared, in one line, for the report. */
  readonly what: string;
  /** Only run where --targets names it. */
  readonly onRequest?: true;
  /** More connections than this are not asked of it; absent: any number. */
  readonly mostClients?: number;
  /** Its version, or null when it is not installed and must be skipped. */
  version(): Promise<string | null>;
  /**
   * Starts it before `backend` on a free port; returns when a client can log in through it.
   * @throws Error with the end of the program's log
   */
  start(backend: Backend, around: Surroundings): Promise<Running>;
}
