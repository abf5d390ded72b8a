import type { SchemaPart } from '../../backend/schema-steps.js';

/** Jobs and divergences, in schema `pgfig` of the control database. */
const VERSION_1 = `
CREATE TABLE IF NOT EXISTS pgfig.jobs (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  domain      text NOT NULL,
  kind        text NOT NULL,
  args        jsonb NOT NULL,
  state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'canceled')),
  progress    jsonb,
  result      jsonb,
  error       text,
  runner      text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  started_at  timestamptz,
  beat_at     timestamptz,
  finished_at timestamptz
);
-- One at a time for a domain, whoever takes it.
CREATE UNIQUE INDEX IF NOT EXISTS jobs_running ON pgfig.jobs (domain) WHERE state = 'running';
CREATE INDEX IF NOT EXISTS jobs_open ON pgfig.jobs (domain, id) WHERE state IN ('waiting', 'running');

CREATE TABLE IF NOT EXISTS pgfig.divergences (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  domain     text NOT NULL,
  table_name text NOT NULL,
  key        text,
  kind       text NOT NULL CHECK (kind IN ('missing', 'extra', 'differs', 'statement')),
  columns    text[] NOT NULL DEFAULT '{}',
  detail     jsonb,
  state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'repaired')),
  found_at   timestamptz NOT NULL DEFAULT now(),
  closed_at  timestamptz,
  job        bigint
);
CREATE INDEX IF NOT EXISTS divergences_open ON pgfig.divergences (domain, table_name, id) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS divergences_job ON pgfig.divergences (job, id);
`;

export const JOBS_SCHEMA: SchemaPart = { part: 'jobs', steps: [VERSION_1] };
