import type pg from 'pg';
import { crashPoint } from '../../mirror/crash-points.js';
import { flushed } from '../../mirror/position/wal-flush.js';
import type { EventMessage, EventSink } from '../event.js';
import type { OutboxTable } from './outbox-table.js';

/** Of one turn. */
const MOST_ROWS = 1_000;
const MOST_BYTES = 4 * 1024 * 1024;

export interface OutboxEvent {
  readonly id: string;
  readonly aggregateType: string | null;
  readonly aggregateId: string | null;
  readonly type: string | null;
  readonly payload: string | null;
}

interface Row extends OutboxEvent {
  readonly rel: string;
  readonly tid: string;
  readonly xmin: string;
  readonly file: string;
}

export interface OutboxTurn {
  readonly sent: number;
  /** More may wait. */
  readonly more: boolean;
  /** Milliseconds that it took to read the events. */
  readonly read: number;
}

/** @returns the message of an event, in its envelope */
export type ToMessage = (event: OutboxEvent, table: OutboxTable, moment: Date) => EventMessage;

/**
 * Sends the events that are there, the first ones of them where there are many, and takes them out.
 * @throws SendFailure; what the driver throws: what was sent is then sent again
 */
export async function takeOutboxTurn(
  client: pg.ClientBase,
  sink: EventSink,
  table: OutboxTable,
  toMessage: ToMessage,
): Promise<OutboxTurn> {
  const began = performance.now();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await client.query<Row>(table.readSql, [MOST_ROWS, MOST_BYTES]);
  const moments = await client.query<{ lsn: string; moment: Date }>(
    'SELECT pg_current_wal_insert_lsn()::text AS lsn, clock_timestamp() AS moment',
  );
  await client.query('COMMIT');
  const [now] = moments.rows;
  const read = performance.now() - began;
  if (rows.length === 0 || now === undefined) return { sent: 0, more: false, read };
  await flushed(client, now.lsn);
  crashPoint('kafka-before-send');
  await sink.send(rows.map((row) => toMessage(row, table, now.moment)));
  crashPoint('kafka-after-send');
  await client.query(table.doneSql, [
    rows.map(({ rel }) => rel),
    rows.map(({ tid }) => tid),
    rows.map(({ xmin }) => xmin),
    rows.map(({ file }) => file),
  ]);
  return { sent: rows.length, more: true, read };
}
