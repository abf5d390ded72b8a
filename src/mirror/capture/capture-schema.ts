import type { SchemaPart } from '../../backend/schema-steps.js';

/**
 * What capture keeps in the source. The outbox is filled at its end and emptied at its beginning, never updated: pages
 * are filled whole. It is vacuumed by count and without pauses, since its garbage does not grow with its size; never
 * truncated, since that would lock writers out for a moment.
 */
const VERSION_1 = `
CREATE TABLE pgfig.mirrors (
  id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  domain       text NOT NULL UNIQUE,
  installed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pgfig.captured (
  table_oid    oid PRIMARY KEY,
  mirror       integer NOT NULL REFERENCES pgfig.mirrors,
  table_name   text NOT NULL,
  key_columns  text[] NOT NULL,
  version      integer NOT NULL,
  -- Of the table's events all that this sees may be gone from the outbox.
  swept        pg_snapshot,
  installed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pgfig.outbox (
  id     bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
  xid    xid8 NOT NULL DEFAULT pg_current_xact_id(),
  mirror integer NOT NULL,
  tbl    oid NOT NULL,
  op     "char" NOT NULL,
  key    text
) WITH (
  fillfactor = 100,
  vacuum_truncate = false,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 200000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 100000
);
CREATE INDEX outbox_waiting ON pgfig.outbox (tbl, xid);

CREATE TABLE pgfig.consumers (
  mirror     integer NOT NULL,
  consumer   text NOT NULL,
  position   pg_snapshot NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (mirror, consumer)
);

REVOKE ALL ON pgfig.mirrors, pgfig.captured, pgfig.outbox, pgfig.consumers FROM PUBLIC;
`;

/** A publication of all tables or of the schema would refuse each DELETE of the sweep, had the outbox no identity. */
const VERSION_2 = 'ALTER TABLE pgfig.outbox REPLICA IDENTITY FULL;';

/** The tables that go when the last domain is removed, dependents first. */
export const CAPTURE_TABLES = ['outbox', 'consumers', 'captured', 'mirrors'] as const;

export const CAPTURE_SCHEMA: SchemaPart = { part: 'capture', steps: [VERSION_1, VERSION_2] };
