import type { SchemaPart } from '../../backend/schema-steps.js';

/** SQLSTATE of take_turn where the relay's row is not as the caller believes: another relay has taken over. */
export const TURN_LOST = 'PF001';
/** SQLSTATE of a guard's refusal. */
export const GUARDED = 'PF002';

/** What the relay and the guards keep in the target. */
const VERSION_1 = `
CREATE TABLE pgfig.relay (
  domain          text PRIMARY KEY,
  mirror          integer NOT NULL,
  source_system   text NOT NULL,
  source_database text NOT NULL,
  source_timeline integer NOT NULL,
  owner           uuid,
  position        pg_snapshot NOT NULL,
  lsn             pg_lsn NOT NULL,
  turns           bigint NOT NULL DEFAULT 0,
  moment          timestamptz NOT NULL,
  applied_at      timestamptz NOT NULL,
  whole           boolean NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE pgfig.relay_tables (
  domain     text NOT NULL,
  table_name text NOT NULL,
  state      text NOT NULL CHECK (state IN ('new', 'backfill', 'in-step', 'stalled')),
  reason     text,
  remedy     text CHECK (remedy IN ('retry', 'backfill')),
  stamp      text,
  shape      jsonb,
  position   pg_snapshot,
  backfill   jsonb,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (domain, table_name)
) WITH (fillfactor = 50);

CREATE FUNCTION pgfig.take_turn(domain text, owner uuid, before text, after text, lsn pg_lsn, moment timestamptz, whole boolean)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  UPDATE pgfig.relay AS r
     SET position = take_turn.after::pg_snapshot, lsn = take_turn.lsn, moment = take_turn.moment,
         whole = take_turn.whole, turns = r.turns + 1, applied_at = clock_timestamp()
   WHERE r.domain = take_turn.domain AND r.owner = take_turn.owner AND r.position::text = take_turn.before;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the turn of domain % is not ours to take: another relay holds it, or has moved its position', take_turn.domain
      USING ERRCODE = '${TURN_LOST}';
  END IF;
END $$;

CREATE FUNCTION pgfig.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'table %.% is a copy here, kept by pgfig: domain % is in phase %, and is written in database %',
      TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1], TG_ARGV[2]
    USING ERRCODE = '${GUARDED}',
          HINT = format('Write to database %s, or through pgfig, which sends writes there. "guard: off" under mirror: in the rule of domain %s lifts this guard.', TG_ARGV[2], TG_ARGV[0]);
END $$;

REVOKE ALL ON pgfig.relay, pgfig.relay_tables FROM PUBLIC;
REVOKE ALL ON FUNCTION pgfig.take_turn(text, uuid, text, text, pg_lsn, timestamptz, boolean), pgfig.refuse() FROM PUBLIC;
`;

/** Whoever makes or attaches a partition of a guarded table is asked for it when the guard is cloned. */
const VERSION_2 = 'GRANT EXECUTE ON FUNCTION pgfig.refuse() TO PUBLIC;';

export const RELAY_SCHEMA: SchemaPart = { part: 'relay', steps: [VERSION_1, VERSION_2] };

export const RELAY_TABLES = ['relay_tables', 'relay'] as const;

export const TAKE_TURN = 'pgfig.take_turn(text, uuid, text, text, pg_lsn, timestamptz, boolean)';
