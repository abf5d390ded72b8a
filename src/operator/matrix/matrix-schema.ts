import type pg from 'pg';

/**
 * The tables of the matrix, in schema `pgfig` of the control database. Written for operators too, who may create them
 * beforehand: pgfig then needs no CREATE on the database, only USAGE on the schema and SELECT, INSERT, UPDATE, DELETE on
 * its tables.
 */
export const MATRIX_SCHEMA = `
CREATE SCHEMA IF NOT EXISTS pgfig;

CREATE TABLE IF NOT EXISTS pgfig.schema_version (
  part    text PRIMARY KEY,
  version integer NOT NULL
);

CREATE TABLE IF NOT EXISTS pgfig.matrix (
  service    text NOT NULL,
  table_name text NOT NULL,
  access     text NOT NULL CHECK (access IN ('read', 'write', 'ddl', 'opaque')),
  database   text NOT NULL,
  statements bigint NOT NULL,
  hidden     bigint NOT NULL,
  errors     bigint NOT NULL,
  refused    bigint NOT NULL,
  rows       bigint NOT NULL,
  seconds    double precision NOT NULL,
  first_seen timestamptz NOT NULL,
  last_seen  timestamptz NOT NULL,
  example    text NOT NULL,
  PRIMARY KEY (service, table_name, access, database)
) WITH (fillfactor = 70);

CREATE TABLE IF NOT EXISTS pgfig.matrix_pairs (
  service    text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('join', 'transaction')),
  table_a    text NOT NULL,
  table_b    text NOT NULL,
  count      bigint NOT NULL,
  refused    bigint NOT NULL,
  first_seen timestamptz NOT NULL,
  last_seen  timestamptz NOT NULL,
  example_a  text NOT NULL,
  example_b  text NOT NULL,
  PRIMARY KEY (service, kind, table_a, table_b)
) WITH (fillfactor = 70);

CREATE TABLE IF NOT EXISTS pgfig.matrix_flushes (
  instance   uuid PRIMARY KEY,
  sequence   bigint NOT NULL,
  flushed_at timestamptz NOT NULL
);

INSERT INTO pgfig.schema_version VALUES ('matrix', 1) ON CONFLICT DO NOTHING;
`;

/** Any number that nothing else of pgfig's locks: instances that start at once make the schema one after the other. */
const SCHEMA_LOCK = 7_064_667_101;
/** No table of users is touched; what else may hold these locks is a second pgfig. */
const LOCK_TIMEOUT = '2s';

/** Makes what is missing of the schema. @throws what the driver throws, 42501 where it is not allowed to */
export async function ensureMatrixSchema(client: pg.ClientBase): Promise<void> {
  const found = await client.query<{ version: string | null }>(
    "SELECT to_regclass('pgfig.matrix_flushes')::text AS version",
  );
  if (found.rows[0]?.version !== null) return;
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await client.query(MATRIX_SCHEMA);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
