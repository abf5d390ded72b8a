import type { EventMessage } from '../event.js';
import type { OutboxTable } from './outbox-table.js';
import type { OutboxEvent } from './outbox-turn.js';

export interface OutboxNames {
  readonly domain: string;
  readonly envelope: 'plain' | 'cloudevents';
  /** Whole name of the topic of an aggregate type. */
  topicOf(aggregateType: string): string;
}

/** The message of an event: its payload, byte by byte, keyed by its aggregate. */
export function outboxMessage(
  event: OutboxEvent,
  table: OutboxTable,
  moment: Date,
  { domain, envelope, topicOf }: OutboxNames,
): EventMessage {
  const { id, type, aggregateId, payload } = event;
  // The table of pgfig.publish has no types of aggregates: they are the domain's.
  const aggregateType = event.aggregateType ?? domain;
  const time = moment.toISOString();
  const plain = { id, type: type ?? '', aggregatetype: aggregateType, table: table.name, domain, time };
  const cloud = {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: `/pgfig/${encodeURIComponent(domain)}`,
    ce_type: type ?? aggregateType,
    ...(aggregateId !== null && { ce_subject: aggregateId }),
    ce_time: time,
    'content-type': table.binary ? 'application/octet-stream' : 'application/json',
  };
  return {
    table: table.name,
    topic: topicOf(aggregateType),
    key: aggregateId,
    value: payload === null ? null : table.binary ? Buffer.from(payload, 'hex') : payload,
    headers: envelope === 'cloudevents' ? { ...plain, ...cloud } : plain,
  };
}
