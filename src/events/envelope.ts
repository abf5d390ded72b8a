import type { EventMessage } from './event.js';

export type Envelope = 'plain' | 'cloudevents' | 'debezium';
export type Op = 'insert' | 'update' | 'delete' | 'truncate';

/** A changed key, or an emptied table, before it is put into an envelope. */
export interface Change {
  /** 'schema.table' */
  readonly table: string;
  readonly topic: string;
  readonly domain: string;
  readonly id: string;
  readonly op: Op;
  /** JSON */
  readonly key: string;
  /** JSON of the row; null: it is gone. */
  readonly state: string | null;
  /** The snapshot that the state was read in. */
  readonly position: string;
  readonly moment: Date;
  /** Of an emptied table: which partition of it; null: all. */
  readonly partition?: string | null;
}

const DEBEZIUM_OPS: Readonly<Record<Op, string>> = { insert: 'c', update: 'u', delete: 'd', truncate: 't' };

/**
 * The messages of a change: one, and for a delete in Debezium's envelope the tombstone after it.
 *
 * JSON that came from the database is put in as the text that it is: a number of forty digits would not survive being
 * parsed here.
 */
export function messagesOf(change: Change, envelope: Envelope): EventMessage[] {
  const { table, topic, key, op } = change;
  const headers = { ...headersOf(change), ...(envelope === 'cloudevents' && cloudHeaders(change)) };
  const message: EventMessage = {
    table,
    topic,
    key,
    headers,
    value: envelope === 'debezium' ? debezium(change) : plain(change),
    ...(op === 'truncate' && { everywhere: true as const }),
  };
  if (envelope !== 'debezium' || op !== 'delete') return [message];
  return [message, { ...message, value: null, headers: { ...headers, id: `${change.id}:tombstone` } }];
}

const plain = (change: Change): string | null =>
  change.op === 'truncate'
    ? JSON.stringify({ op: 'truncate', table: change.table, partition: change.partition ?? null })
    : change.state;

const headersOf = ({ id, op, table, domain, position, moment }: Change): Record<string, string> => ({
  id,
  op,
  table,
  domain,
  position,
  time: moment.toISOString(),
});

/** Binary content mode: the value stays what it is, and a delete stays a tombstone (CloudEvents 1.0, Kafka binding, 3.2). */
const cloudHeaders = ({ id, op, table, domain, key, moment }: Change): Record<string, string> => ({
  ce_specversion: '1.0',
  ce_id: id,
  ce_source: `/pgfig/${encodeURIComponent(domain)}`,
  ce_type: `${table}.${op}`,
  ce_subject: key,
  ce_time: moment.toISOString(),
  'content-type': 'application/json',
});

/** Debezium's change event without its schema part. There is no `before`: a feed knows states, not changes. */
function debezium({ op, state, table, domain, position, moment, id }: Change): string {
  const ms = moment.getTime();
  const source = { connector: 'pgfig', name: domain, ts_ms: ms, table, position, id };
  const rest = JSON.stringify({ source, op: DEBEZIUM_OPS[op], ts_ms: ms });
  return `{"before":null,"after":${state ?? 'null'},${rest.slice(1)}`;
}
