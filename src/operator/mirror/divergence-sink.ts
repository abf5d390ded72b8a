import type { Logger } from 'pino';
import type { StatementDivergence } from '../../session/mirror/divergence.js';

/** Where the control process keeps what statement mirrors found missing from a copy. */
export interface DivergenceSink {
  /** `count` equal ones; must not throw. */
  record(divergence: StatementDivergence): void;
}

/** One line of the log for each kind, at most once a second and worker. */
export function logSink(log: Logger): DivergenceSink {
  return {
    record: ({ at, ...divergence }) =>
      log.warn({ ...divergence, found: new Date(at).toISOString() }, 'a copy lacks what a statement has changed'),
  };
}
