import type { LeaderStatus } from '../../mirror/relay/relay-events.js';
import type { RelayTable } from '../../mirror/relay/relay-table.js';
import type { DomainMirror } from './domain-mirror.js';

/** What /api/mirrors says of one domain; docs/mirror.md shows one. No value of any row is in it. */
export function mirrorReport({ mirror, install, status }: Pick<DomainMirror, 'mirror' | 'install' | 'status'>): object {
  const { domain, phase, source, target, rule } = mirror;
  return {
    ...{ domain, phase, source, target, capture: rule.capture, apply: rule.apply },
    installed: install.installed,
    role: status.role,
    error: install.error ?? status.error,
    ...(status.leading === null ? stands(status.moment) : leading(status.leading)),
  };
}

/** Of a relay that has lost a database. */
const stands = (moment: number | null): object =>
  moment === null ? {} : { moment: new Date(moment), lagSeconds: lagOf(moment) };

const lagOf = (moment: number): number => Math.max(0, Date.now() - moment) / 1_000;

const leading = ({ tables, moment, whole, turns, changes, backlog }: LeaderStatus): object => ({
  moment: new Date(moment),
  lagSeconds: lagOf(moment),
  whole,
  turns,
  changes,
  waiting: backlog,
  tables: tables.map(tableReport),
});

const tableReport = ({ name, state, reason, remedy, backfill }: RelayTable): object => ({
  table: name,
  state,
  ...(reason !== null && { reason, remedy }),
  ...(state === 'backfill' &&
    backfill !== null && { rows: backfill.rows, estimate: backfill.estimate, pass: backfill.pass }),
});
