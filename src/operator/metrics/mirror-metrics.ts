import type { LeaderStatus } from '../../mirror/relay/relay-events.js';
import type { TableState } from '../../mirror/relay/relay-table.js';
import type { DomainMirror } from '../mirror/domain-mirror.js';
import type { Mirrors } from '../mirror/mirrors.js';
import type { OutboxSight } from '../mirror/outbox-watch.js';
import { counter, gauge, histogram, type Metric } from './metric-json.js';

const STATES: readonly TableState[] = ['new', 'backfill', 'in-step', 'stalled'];

type Led = readonly [string, LeaderStatus];

/** What this instance knows of the mirrors; lag and tables are told by the instance that leads. */
export function mirrorMetrics({ all, tallies }: Pick<Mirrors, 'all' | 'tallies'>): Metric[] {
  const led = all.flatMap(({ mirror, status }): Led[] =>
    status.leading === null ? [] : [[mirror.domain, status.leading]],
  );
  const of = <T>(value: (status: LeaderStatus) => T): [{ domain: string }, T][] =>
    led.map(([domain, status]) => [{ domain }, value(status)]);
  const counted = (value: (tally: ReturnType<typeof tallies.of>) => number): [{ domain: string }, number][] =>
    all.map(({ mirror: { domain } }) => [{ domain }, value(tallies.of(domain))]);
  return [
    gauge('pgfig_relay_leads', '1 where this instance runs the relay of the domain.', all.map(leads)),
    gauge('pgfig_mirror_installed', '1 once capture and guards are installed as the rule says.', all.map(installed)),
    gauge('pgfig_mirror_lag_seconds', 'Age of the moment of the source that the copy equals.', all.flatMap(lag), 'max'),
    gauge(
      'pgfig_mirror_waiting_changes',
      'Changes that are not applied yet; 100000: or more.',
      of(({ backlog }) => backlog.changes),
      'max',
    ),
    gauge('pgfig_mirror_tables', 'Tables of a domain by state.', led.flatMap(tableStates)),
    gauge('pgfig_mirror_stalled', '1 for each table that is stalled.', led.flatMap(stalled)),
    gauge(
      'pgfig_mirror_backfill_rows',
      'Rows of a table whose backfill is under way that are copied.',
      led.flatMap(copied),
    ),
    counter(
      'pgfig_mirror_turns_total',
      'Turns that have applied something.',
      counted(({ turns }) => turns),
    ),
    counter(
      'pgfig_mirror_changes_total',
      'Changes applied, as the outbox has them.',
      counted(({ changes }) => changes),
    ),
    counter(
      'pgfig_mirror_stalls_total',
      'Times that a table was stalled.',
      counted(({ stalls }) => stalls),
    ),
    counter(
      'pgfig_relay_failures_total',
      'Times that a relay had to begin anew.',
      counted(({ failures }) => failures),
    ),
    histogram(
      'pgfig_mirror_turn_seconds',
      'Time from the beginning of a turn to its commit in the target.',
      all.map(({ mirror: { domain } }) => [{ domain }, tallies.of(domain).seconds]),
    ),
  ];
}

/** Of the outbox itself, by every instance, whether a relay runs or not. */
export function outboxMetrics(sight: OutboxSight | null): Metric[] {
  return [
    gauge(
      'pgfig_mirror_outbox_bytes',
      'Size of the outbox on the disk of its database, of all domains.',
      sight === null ? [] : [[{ database: sight.database }, sight.bytes]],
      'max',
    ),
    gauge(
      'pgfig_mirror_abandoned',
      '1 for each domain whose changes are recorded though by the rules nothing mirrors it.',
      (sight?.abandoned ?? []).map((domain): [{ domain: string }, number] => [{ domain }, 1]),
      'max',
    ),
  ];
}

const lag = ({ mirror, status: { moment } }: DomainMirror): [{ domain: string }, number][] =>
  moment === null ? [] : [[{ domain: mirror.domain }, Math.max(0, Date.now() - moment) / 1_000]];

const leads = ({ mirror, status }: DomainMirror): [{ domain: string }, number] => [
  { domain: mirror.domain },
  status.role === 'leading' ? 1 : 0,
];

const installed = ({ mirror, install }: DomainMirror): [{ domain: string }, number] => [
  { domain: mirror.domain },
  install.installed && install.error === null ? 1 : 0,
];

const tableStates = ([domain, { tables }]: Led): [{ domain: string; state: string }, number][] =>
  STATES.map((state) => [{ domain, state }, tables.filter((table) => table.state === state).length]);

const stalled = ([domain, { tables }]: Led): [{ domain: string; table: string }, number][] =>
  tables.filter(({ state }) => state === 'stalled').map(({ name }) => [{ domain, table: name }, 1]);

const copied = ([domain, { tables }]: Led): [{ domain: string; table: string }, number][] =>
  tables.flatMap(({ name, state, backfill }): [{ domain: string; table: string }, number][] =>
    state === 'backfill' && backfill !== null ? [[{ domain, table: name }, backfill.rows]] : [],
  );
