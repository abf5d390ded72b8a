import type { Config } from '../config/config.js';
import type { FeedStatus } from '../events/event.js';
import type { CatalogRefresher } from './catalog-refresher.js';
import type { PrimaryStatus } from './processes/messages.js';
import type { RulesState } from './rules-report.js';
import { VERSION } from './version.js';

/**
 * Ready: all workers listen, nothing drains, and some database answers. One that answers is enough, for
 * services whose tables all live there are served.
 */
export function readiness(
  config: Config,
  primary: PrimaryStatus,
  reachable: ReadonlyMap<string, boolean>,
): { ready: boolean; reasons: string[] } {
  const reasons: string[] = [];
  const deaf = primary.workers.filter((worker) => !worker.listening).length;
  if (primary.draining) reasons.push('draining');
  if (deaf > 0) reasons.push(`${deaf} of ${primary.workers.length} workers do not listen yet`);
  if (![...reachable.values()].includes(true)) {
    reasons.push(`no database answers (${[...config.databases.keys()].join(', ')})`);
  }
  return { ready: reasons.length === 0, reasons };
}

interface ControlState {
  readonly startedAt: number;
  readonly rules: Pick<RulesState, 'current' | 'error' | 'pending' | 'warnings'>;
  readonly catalog: Pick<CatalogRefresher, 'sights'>;
  /** What goes to Kafka. */
  readonly events?: readonly FeedStatus[];
}

/** The answer of /api/status; docs/operations.md shows one. No user, password or url of a database is in it. */
export function statusReport(
  config: Config,
  primary: PrimaryStatus,
  reachable: ReadonlyMap<string, boolean>,
  state: ControlState,
): object {
  const { rules, catalog } = state;
  return {
    version: VERSION,
    pid: primary.pid,
    startedAt: new Date(state.startedAt),
    uptimeSeconds: Math.round((Date.now() - state.startedAt) / 1_000),
    draining: primary.draining,
    sessions: primary.workers.reduce((sum, worker) => sum + worker.sessions, 0),
    sessionsByUser: primary.sessionsByUser,
    workers: primary.workers,
    databases: [...config.databases.values()].map((database) => {
      const sight = catalog.sights.get(database.name);
      return {
        name: database.name,
        host: database.host,
        port: database.port,
        dbname: database.dbname,
        default: database.name === config.default,
        reachable: reachable.get(database.name) ?? false,
        catalog: sight === undefined ? null : { readAt: sight.at, error: sight.error, relations: sight.relations },
      };
    }),
    rules: {
      version: rules.current.version,
      loadedAt: rules.current.loadedAt,
      pending: rules.pending.map(({ domain, at, reason }) => ({ domain, at, reason })),
      warnings: rules.warnings,
      error: rules.error,
    },
    domains: rules.current.domains.map((domain) => ({
      domain: domain.name,
      phase: domain.phase,
      database: domain.database,
      tables: domain.tables.length,
    })),
    events: state.events ?? [],
  };
}
