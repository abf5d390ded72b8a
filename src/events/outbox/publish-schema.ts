import type pg from 'pg';
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

/**
 * For operators too, who may create it beforehand: pgfig then needs USAGE on the schema and SELECT and DELETE on the
 * table. Nobody may call the function but to whom it is granted; it runs as its owner, so that callers need no right on
 * the table.
 */
export const PUBLISH_SCHEMA = `
CREATE SCHEMA IF NOT EXISTS pgfig;

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

/** The lock of pgfig's schema: instances that start at once make it one after the other. */
const SCHEMA_LOCK = 7_064_667_101;

/** Makes what is missing. @throws what the driver throws, 42501 where it is not allowed to */
export async function ensurePublishSchema(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    "SELECT to_regprocedure('pgfig.publish(text, text, jsonb)') IS NOT NULL AS there",
  );
  if (rows[0]?.there === true) return;
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await client.query(PUBLISH_SCHEMA);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
