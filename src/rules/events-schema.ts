import { z } from 'zod';
import { text } from '../config/units.js';

/** The sections of a rule file that say what of a domain goes to Kafka. */

export const eventsSection = z
  .strictObject({
    topic: text('Name of the topic; kafka.topicPrefix is put before it. Default: the domain’s name.').optional(),
    per: z
      .enum(['domain', 'table'])
      .default('domain')
      .describe('domain: one topic; table: one for each table, with .schema.table after the name.'),
    envelope: z
      .enum(['plain', 'cloudevents', 'debezium'])
      .default('plain')
      .describe('plain: the row; cloudevents: the row, with CloudEvents headers; debezium: Debezium’s change event.'),
  })
  .optional()
  .describe('Send the state of every changed row of the domain to Kafka, while it is mirrored.');

const column = (name: string, what: string) => text(`${what} Default: ${name}.`).default(name);

const columns = z
  .strictObject({
    id: column('id', 'Names the event.'),
    aggregateType: column('aggregatetype', 'What kind of thing it happened to.'),
    aggregateId: column('aggregateid', 'Which of them: the key of the message.'),
    type: column('type', 'What happened.'),
    payload: column('payload', 'The value of the message.'),
    order: text(
      'Column by which events are put in order; default: one that is filled from a sequence. xmin: by transaction id.',
    ).optional(),
    sentAt: column('sent_at', 'With after: mark, where the time goes at which the event was sent.'),
  })
  .prefault({})
  .describe('What the columns are called; default: as Debezium’s outbox event router has them.');

export const outboxSection = z
  .strictObject({
    tables: z
      .array(text('schema.table, as in SQL.'), 'must be a list of tables')
      .default([])
      .describe('Outbox tables of applications.'),
    publish: z
      .boolean('must be true or false')
      .default(false)
      .describe('Make the SQL function pgfig.publish, and relay what it is given.'),
    columns,
    topic: text(
      'Name of the topic; kafka.topicPrefix is put before it, {aggregatetype} stands for the event’s.',
    ).default('outbox.event.{aggregatetype}'),
    after: z
      .enum(['delete', 'mark'])
      .default('delete')
      .describe('What becomes of an event that was sent: it is deleted, or the time is put into columns.sentAt.'),
    envelope: z
      .enum(['plain', 'cloudevents'])
      .default('plain')
      .describe('plain: the payload; cloudevents: the payload, with CloudEvents headers.'),
  })
  .optional()
  .describe('Relay outbox tables to Kafka: every event, in order for each aggregate.');
