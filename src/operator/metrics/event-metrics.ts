import type { FeedStatus } from '../../events/event.js';
import { counter, gauge, type Labels, type Metric, type Series } from './metric-json.js';

/** What the feeds of this instance know; what another instance runs, that one tells. */
export function eventMetrics(feeds: readonly FeedStatus[]): Metric[] {
  const each = (value: (feed: FeedStatus) => number | null): Series =>
    feeds.flatMap((feed): [Labels, number][] => {
      const found = value(feed);
      return found === null ? [] : [[{ domain: feed.domain, kind: feed.kind }, found]];
    });
  return [
    gauge(
      'pgfig_events_leading',
      '1 where this instance runs the feed of a domain.',
      each(({ state }) => (state === 'leading' ? 1 : 0)),
    ),
    counter(
      'pgfig_events_messages_total',
      'Messages that all in-sync replicas have.',
      each(({ sent }) => sent),
    ),
    counter(
      'pgfig_events_failures_total',
      'Tries to send that have failed; what was to be sent is tried again.',
      each(({ failures }) => failures),
    ),
    gauge(
      'pgfig_events_waiting',
      'Changes that wait to be sent.',
      each(({ waiting }) => waiting),
    ),
    gauge(
      'pgfig_events_lag_seconds',
      'For how long something has been waiting, at most.',
      each(({ lag }) => lag),
    ),
    gauge(
      'pgfig_events_stalled',
      '1 for a table whose events wait until a fault is mended.',
      feeds.flatMap(({ domain, kind, stalled }) =>
        stalled.map(({ table }): [Labels, number] => [{ domain, kind, table }, 1]),
      ),
    ),
  ];
}
