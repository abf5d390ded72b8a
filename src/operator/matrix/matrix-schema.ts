import type pg from 'pg';
import { LOCK_TIMEOUT, SCHEMA_LOCK } from '../../backend/schema-steps.js';

/** What traffic has told: services, tables, pairs. */
const VERSION_1 = `
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

/** What the servers count of their tables, against what pgfig counts: see table-activity.ts. */
const VERSION_2 = `
CREATE TABLE IF NOT EXISTS pgfig.table_activity (
  database       text NOT NULL,
  table_name     text NOT NULL,
  since          timestamptz NOT NULL,
  compared_at    timestamptz NOT NULL,
  restarted_at   timestamptz,
  baseline       jsonb,
  writes         bigint NOT NULL,
  writes_at      timestamptz,
  writes_certain boolean NOT NULL,
  scans          bigint NOT NULL,
  scans_at       timestamptz,
  doubts         text[] NOT NULL,
  doubts_at      timestamptz,
  last_scan      timestamptz,
  PRIMARY KEY (database, table_name)
) WITH (fillfactor = 70);

UPDATE pgfig.schema_version SET version = 2 WHERE part = 'matrix' AND version < 2;
`;

interface SchemaStep {
  /** The relation that the step makes last: where it is there, the step is done. */
  readonly makes: string;
  readonly sql: string;
}

/** In this order, each once; a step is never changed, what is new is a step of its own. Version n is steps 1 to n. */
const STEPS: readonly SchemaStep[] = [
  { makes: 'pgfig.matrix_flushes', sql: VERSION_1 },
  { makes: 'pgfig.table_activity', sql: VERSION_2 },
];

/**
 * The tables of the matrix, in schema `pgfig` of the control database. Written for operators too, who may create them
 * beforehand, and may run it again for what a new version adds: pgfig then needs no CREATE on the database, only USAGE
 * on the schema and SELECT, INSERT, UPDATE, DELETE on its tables.
 */
export const MATRIX_SCHEMA: string = STEPS.map(({ sql }) => sql).join('');

/**
 * Makes what is missing of the schema.
 * @param needed the version without which the caller cannot work: where no more than that is there, and the rest cannot
 *   be made, that is enough
 * @throws what the driver throws, 42501 where it is not allowed to
 */
export async function ensureMatrixSchema(client: pg.ClientBase, needed: number = STEPS.length): Promise<void> {
  const version = await versionOf(client);
  if (version === STEPS.length) return;
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    for (const { sql } of STEPS.slice(await versionOf(client))) await client.query(sql);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    if (version < needed) throw error;
  }
}

/** How many steps are done. Asked of the system catalog, which needs no privilege. */
async function versionOf(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ made: boolean }>(
    'SELECT to_regclass(name) IS NOT NULL AS made FROM unnest($1::text[]) WITH ORDINALITY AS s (name, at) ORDER BY at',
    [STEPS.map(({ makes }) => makes)],
  );
  const missing = rows.findIndex(({ made }) => !made);
  return missing < 0 ? rows.length : missing;
}
