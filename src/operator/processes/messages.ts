import type { TurnOutcome } from '../../mirror/turn-outcome.js';
import type { ConfigWire, RuleSetWire } from './wire-forms.js';

/**
 * What the three kinds of process say to each other. The primary stands in the middle: workers and the
 * control process have no pipe of their own between them.
 *
 * Catalogs and metrics travel as JSON text within the message, so that the primary, which accepts the
 * connections, hands them on without reading them.
 */
export interface SessionCounts {
  readonly total: number;
  readonly byUser: Readonly<Record<string, number>>;
}

export interface WorkerInit {
  readonly type: 'init';
  /** Place in the pool, from 1; a replacement takes the place of the worker that died. */
  readonly slot: number;
  readonly config: ConfigWire;
  readonly rules: RuleSetWire;
  readonly catalog: string | null;
  /** base64; the same for all workers, see `auth-key.ts`. */
  readonly authKey: string;
  readonly trace: boolean;
}

export type ToWorker =
  | WorkerInit
  | { readonly type: 'rules'; readonly rules: RuleSetWire }
  /** Sections that have not changed are only named; see backend/catalog/wire-text.ts. */
  | { readonly type: 'catalog'; readonly catalog: string }
  | { readonly type: 'others'; readonly counts: SessionCounts }
  /** A cancel request that arrived at worker `from`; to be answered with 'cancelled'. */
  | {
      readonly type: 'cancel';
      readonly id: number;
      readonly from: number;
      readonly pid: number;
      readonly secret: string;
    }
  /** The cancel request `id` has been dealt with, whatever came of it. */
  | { readonly type: 'cancelled'; readonly id: number }
  | { readonly type: 'reload-secrets' }
  /** The catalog shows what was committed when 'ddl-seen' was sent. */
  | { readonly type: 'catalog-read'; readonly id: number; readonly whole: boolean }
  | { readonly type: 'metrics'; readonly id: number }
  /** To be answered with 'sessions-seen': at most so many. */
  | { readonly type: 'see-sessions'; readonly id: number; readonly most: number }
  /** To be answered with 'backends-seen'. */
  | { readonly type: 'see-backends'; readonly id: number }
  /** The answer to 'console'; `outcome` as console-wire.ts reads it. */
  | { readonly type: 'console'; readonly id: number; readonly outcome: string }
  /** The answer to 'mirror-sync'. */
  | { readonly type: 'mirror-synced'; readonly id: number; readonly outcome: TurnOutcome }
  /** A control process has begun, and knows of nothing that was asked before. */
  | { readonly type: 'control-started' }
  /** To be answered with 'pong' from the event loop, at once; see pulse.ts. */
  | { readonly type: 'ping' }
  /** `timeout` in milliseconds from now. */
  | { readonly type: 'drain'; readonly timeout: number }
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'hello' }
  | { readonly type: 'pong' }
  | { readonly type: 'listening'; readonly host: string; readonly port: number; readonly rulesVersion: number }
  | { readonly type: 'listen-failed'; readonly code: string; readonly message: string }
  | { readonly type: 'start-failed'; readonly message: string }
  | { readonly type: 'rules-taken'; readonly version: number }
  | { readonly type: 'sessions'; readonly counts: SessionCounts }
  | { readonly type: 'cancel'; readonly id: number; readonly pid: number; readonly secret: string }
  | { readonly type: 'cancelled'; readonly id: number; readonly from: number }
  /** `id` null: the last word of a worker that ends. */
  | { readonly type: 'metrics'; readonly id: number | null; readonly metrics: string }
  /** `sessions`: JSON text of a SessionSight[]. */
  | { readonly type: 'sessions-seen'; readonly id: number; readonly sessions: string }
  /** `backends`: JSON text of a BackendSight[]. */
  | { readonly type: 'backends-seen'; readonly id: number; readonly backends: string }
  /** Counted since the last one; `matrix` is text of matrix/wire-text.ts. */
  | { readonly type: 'matrix'; readonly matrix: string }
  /** What statement mirrors found missing since the last one: JSON text of a StatementDivergence[]. */
  | { readonly type: 'divergences'; readonly divergences: string }
  /** A command of a console session, to be carried out by the control process. */
  | { readonly type: 'console'; readonly id: number; readonly user: string; readonly command: string }
  /** Commits wait for a turn of the relay of each of these domains that begins from now on: 'mirror-synced' says so. */
  | { readonly type: 'mirror-sync'; readonly id: number; readonly domains: readonly string[] }
  /** These domains were written; nobody waits. */
  | { readonly type: 'mirror-poke'; readonly domains: readonly string[] }
  /** `id`: somebody waits until the catalog shows it, to be answered with 'catalog-read'; null: nobody does. */
  | { readonly type: 'ddl-seen'; readonly id: number | null };

export interface ControlInit {
  readonly type: 'init';
  readonly config: ConfigWire;
  readonly rules: RuleSetWire;
  /** Set when a dead control process is replaced: the port that the first one got. */
  readonly adminPort: number | null;
  /** When the primary started, milliseconds since 1970. */
  readonly startedAt: number;
}

export interface WorkerStatus {
  readonly worker: number;
  readonly pid: number | null;
  readonly listening: boolean;
  readonly sessions: number;
  readonly rulesVersion: number;
  readonly restarts: number;
}

/** The sessions of one worker; `sessions` is JSON text of a SessionSight[]. */
export interface WorkerSessions {
  readonly worker: number;
  readonly sessions: string;
}

/** The backends that sessions hold. */
export interface HeldBackends {
  /** A worker that runs has not answered, and may hold more. */
  readonly incomplete: boolean;
  /** Each the JSON text of a BackendSight[]. */
  readonly parts: readonly string[];
}

/** Which process asks: another one in its slot must not get the answer. */
export interface Asker {
  readonly worker: number;
  readonly pid: number;
}

/** What only the primary knows. */
export interface PrimaryStatus {
  readonly pid: number;
  readonly draining: boolean;
  readonly workers: readonly WorkerStatus[];
  readonly sessionsByUser: Readonly<Record<string, number>>;
}

export type ToControl =
  | ControlInit
  | { readonly type: 'scrape'; readonly id: number; readonly parts: readonly string[] }
  | { readonly type: 'status'; readonly id: number; readonly status: PrimaryStatus }
  | { readonly type: 'matrix'; readonly matrix: string }
  | { readonly type: 'divergences'; readonly divergences: string }
  | { readonly type: 'sessions'; readonly id: number; readonly sessions: readonly WorkerSessions[] }
  | { readonly type: 'backends'; readonly id: number; readonly backends: HeldBackends }
  | {
      readonly type: 'console';
      readonly id: number;
      readonly from: Asker;
      readonly user: string;
      readonly command: string;
    }
  | { readonly type: 'mirror-sync'; readonly id: number; readonly from: Asker; readonly domains: readonly string[] }
  | { readonly type: 'mirror-poke'; readonly domains: readonly string[] }
  | { readonly type: 'reload-rules' }
  | { readonly type: 'ddl-seen'; readonly asked: { readonly id: number; readonly from: Asker } | null }
  /** To be answered with 'pong' from the event loop, at once; see pulse.ts. */
  | { readonly type: 'ping' }
  | { readonly type: 'stop' };

export type FromControl =
  | { readonly type: 'hello' }
  | { readonly type: 'pong' }
  | { readonly type: 'listening'; readonly host: string; readonly port: number }
  | { readonly type: 'listen-failed'; readonly code: string; readonly message: string }
  | { readonly type: 'rules'; readonly rules: RuleSetWire }
  | { readonly type: 'reload-secrets' }
  | { readonly type: 'catalog'; readonly catalog: string }
  | { readonly type: 'scrape'; readonly id: number }
  | { readonly type: 'status'; readonly id: number }
  | { readonly type: 'sessions'; readonly id: number; readonly most: number }
  | { readonly type: 'backends'; readonly id: number }
  | { readonly type: 'console'; readonly id: number; readonly to: Asker; readonly outcome: string }
  | { readonly type: 'mirror-synced'; readonly id: number; readonly to: Asker; readonly outcome: TurnOutcome }
  /** Comes behind the catalog that it tells of. */
  | { readonly type: 'catalog-read'; readonly id: number; readonly to: Asker; readonly whole: boolean };
