import type { SchemaPart } from '../../backend/schema-steps.js';
import type { OutboxColumns } from '../../rules/rule-set.js';

/** The table behind `pgfig.publish`. */
export const PUBLISHED = 'pgfig.published';

export const PUBLISHED_COLUMNS: OutboxColumns = {
  id: 'event_id',
  aggregateType: null,
  aggregateId: 'aggregate_id',
  type: 'type',
  payload: 'payload',
  order: 'id',
  sentAt: 'sent_at',
};

const VERSION_1 = `
CREATE TABLE IF NOT EXISTS pgfig.published (
  id           bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
  event_id     uuid NOT NULL DEFAULT gen_random_uuid(),
  type         text NOT NULL,
  aggregate_id text NOT NULL,
  payload      jsonb,
  published_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE OR REPLACE FUNCTION pgfig.publish(type text, aggregate_id text, payload jsonb) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $pgfig$
  INSERT INTO pgfig.published (type, aggregate_id, payload) VALUES ($1, $2, $3) RETURNING event_id
$pgfig$;

COMMENT ON FUNCTION pgfig.publish(text, text, jsonb) IS
  'Publishes an event with the running transaction: it goes to Kafka if and only if the transaction commits.';

REVOKE ALL ON pgfig.published FROM PUBLIC;
REVOKE ALL ON FUNCTION pgfig.publish(text, text, jsonb) FROM PUBLIC;
`;

/**
 * For operators too, who may make it beforehand: pgfig then needs USAGE on the schema and SELECT and DELETE on the
 * table. Nobody may call the function but to whom it is granted; it runs as its owner, so that callers need no right on
 * the table.
 */
export const PUBLISH_SCHEMA: SchemaPart = { part: 'events', steps: [VERSION_1] };
