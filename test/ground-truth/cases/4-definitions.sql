-- section: plain CREATE
CREATE TABLE made (a int PRIMARY KEY, b text UNIQUE)

CREATE TABLE hr.made (id serial, n int GENERATED ALWAYS AS IDENTITY)

--: beyond public.items: not there
CREATE TABLE IF NOT EXISTS items (a int)

CREATE UNLOGGED TABLE made (a int REFERENCES items, b int REFERENCES hr.departments (id) ON DELETE CASCADE)

CREATE TABLE made (LIKE hr.items INCLUDING ALL, x int)

CREATE TABLE made (x int) INHERITS (vehicles)

ALTER TABLE shards DETACH PARTITION shards_1; CREATE TABLE made PARTITION OF shards FOR VALUES WITH (MODULUS 4, REMAINDER 3)

CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')

CREATE TABLE made AS SELECT * FROM hr.items JOIN t ON t.t = id

CREATE TABLE made AS TABLE u WITH NO DATA

CREATE TABLE IF NOT EXISTS made (a, b) AS VALUES (1, (SELECT max(id) FROM items))

CREATE TABLE items2 AS WITH items AS (SELECT * FROM hr.items) SELECT * FROM items; SELECT * FROM items2

SELECT * INTO made FROM hr.items

SELECT id INTO hr.made FROM items UNION SELECT t FROM t

CREATE TABLE made OF money_pair

CREATE TABLE made (a hr.departments, b items[])

CREATE VIEW made AS SELECT * FROM hr.items

CREATE OR REPLACE VIEW hr.made (a) AS SELECT (SELECT max(id) FROM items) FROM t

CREATE RECURSIVE VIEW made (n) AS SELECT t FROM t UNION SELECT n + 1 FROM made WHERE n < 3

CREATE MATERIALIZED VIEW made AS SELECT t.t, u.u FROM t JOIN u USING (t) WITH NO DATA

CREATE MATERIALIZED VIEW IF NOT EXISTS made AS SELECT count(*) FROM shards

CREATE INDEX ON hr.items (label)

CREATE UNIQUE INDEX IF NOT EXISTS made ON items (lower(label), id) INCLUDE (label) WHERE id > 0

CREATE INDEX made ON ONLY shards (v)

CREATE INDEX made ON shards USING hash (v)

CREATE INDEX ON "Odd Schema"."Mixed Case" ("select" DESC NULLS LAST)

CREATE SEQUENCE made

CREATE SEQUENCE hr.made OWNED BY hr.items.id

CREATE TYPE made AS (a int, b items)

CREATE TYPE made AS ENUM ('a', 'b')

CREATE DOMAIN made AS int CHECK (VALUE > 0)

CREATE SCHEMA made CREATE TABLE a (x int) CREATE VIEW b AS SELECT * FROM hr.items

CREATE SCHEMA AUTHORIZATION app

--: unseen *: only checked
CREATE FUNCTION made() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM hr.items $$

CREATE FUNCTION made() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM hr.items); END $$

--: unseen *: only checked
CREATE FUNCTION made() RETURNS items LANGUAGE sql AS $$ SELECT * FROM public.items LIMIT 1 $$

CREATE FUNCTION made(t hr.items) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM hr.departments; END

--: unseen *: only checked
CREATE PROCEDURE made() LANGUAGE sql AS $$ DELETE FROM hr.items $$

CREATE TRIGGER made BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION public.check_item()

CREATE OR REPLACE TRIGGER made AFTER UPDATE OF label ON hr.items FOR EACH STATEMENT EXECUTE FUNCTION public.log_change()

CREATE CONSTRAINT TRIGGER made AFTER INSERT ON t FROM u DEFERRABLE FOR EACH ROW EXECUTE FUNCTION public.check_item()

CREATE RULE made AS ON INSERT TO t DO ALSO INSERT INTO u VALUES (NEW.t, (SELECT max(label) FROM hr.items))

CREATE OR REPLACE RULE made AS ON DELETE TO hr.items DO INSTEAD NOTHING

CREATE POLICY made ON items FOR SELECT USING (id IN (SELECT id FROM hr.items))

CREATE POLICY made ON hr.items AS RESTRICTIVE FOR INSERT TO app WITH CHECK (EXISTS (SELECT FROM t))

CREATE STATISTICS made ON id, label FROM items

CREATE PUBLICATION made FOR TABLE items, hr.items WHERE (id > 0)

CREATE EXTENSION IF NOT EXISTS plpgsql

CREATE CAST (text AS money_pair) WITH INOUT

--: unseen audit.log, audit.log_id_seq: not followed yet
CREATE COLLATION made FROM "C"

CREATE TEMP TABLE made ON COMMIT DROP AS SELECT * FROM hr.items

-- section: plain ALTER and DROP
ALTER TABLE items ADD COLUMN extra int DEFAULT 7

--: unseen *: depends on it
ALTER TABLE items ADD COLUMN a int, DROP COLUMN label CASCADE, ALTER id SET STATISTICS 5

ALTER TABLE hr.items RENAME TO things; SELECT * FROM hr.things

ALTER TABLE items RENAME COLUMN label TO title

ALTER TABLE items RENAME CONSTRAINT items_pkey TO made

ALTER TABLE items SET SCHEMA archive; SELECT * FROM archive.items

ALTER TABLE IF EXISTS hr.items ALTER label SET NOT NULL, ALTER label SET DEFAULT 'x'

ALTER TABLE t ADD CONSTRAINT c CHECK (t > 0) NOT VALID

ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (t) REFERENCES items (id)

ALTER TABLE t ADD COLUMN a int REFERENCES hr.departments ON DELETE SET NULL

ALTER TABLE hr.badges DROP CONSTRAINT badges_employee_id_fkey

ALTER TABLE shards DETACH PARTITION shards_1

ALTER TABLE cars NO INHERIT vehicles

ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE t OWNER TO app

ALTER TABLE t REPLICA IDENTITY FULL

ALTER TABLE items CLUSTER ON items_pkey, SET (fillfactor = 70)

ALTER TABLE items DISABLE TRIGGER ALL

ALTER TABLE ONLY vehicles ADD CHECK (id > 0) NO INHERIT

ALTER TABLE vehicles ADD COLUMN b int

ALTER TABLE users ALTER id SET STATISTICS 500, ALTER name SET STORAGE EXTERNAL

ALTER INDEX items_pkey RENAME TO made

ALTER INDEX hr.items_pkey SET (fillfactor = 80)

ALTER SEQUENCE ticket RESTART

ALTER SEQUENCE ticket OWNED BY t.t

--: beyond hr.departments, hr.employees: of the view
ALTER VIEW staff RENAME TO personnel

--: beyond hr.employees: of the view
ALTER VIEW rich ALTER COLUMN name SET DEFAULT 'x'

--: beyond sales.orders: of the view
ALTER MATERIALIZED VIEW totals RENAME TO sums

ALTER TYPE money_pair ADD ATTRIBUTE note text

ALTER TRIGGER go ON first RENAME TO went

--: beyond public.grants: not run
ALTER POLICY seen ON notes USING (id IN (SELECT id FROM items))

ALTER RULE also ON ruled RENAME TO too

ALTER FUNCTION hr.headcount(int) VOLATILE

ALTER SCHEMA hr RENAME TO people; SELECT * FROM people.items

--: unseen public.with_default: depends on it
ALTER DOMAIN known_setting ADD CHECK (length(VALUE) < 20)

DROP TABLE second

--: beyond ?nowhere.nothing, nowhere.nothing: not there
DROP TABLE IF EXISTS "Items", nowhere.nothing

--: unseen *: depends on it
DROP TABLE items CASCADE

--: unseen *: depends on it
DROP TABLE hr.departments CASCADE

DROP TABLE shards_0

DROP TABLE sales.lines CASCADE

--: unseen *: depends on it
--: beyond hr.employees: of the view
DROP VIEW rich CASCADE

--: unseen *: depends on it
--: beyond sales.orders: of the view
DROP MATERIALIZED VIEW totals CASCADE

--: unseen public.totals: not followed yet
DROP INDEX totals_customer_id_idx

--: unseen *: depends on it
DROP SEQUENCE ticket CASCADE

DROP FUNCTION by_path()

DROP TRIGGER go ON first

DROP RULE also ON ruled

--: beyond public.grants: not run
DROP POLICY seen ON notes

--: unseen *: depends on it
DROP TYPE money_pair CASCADE

--: unseen *: depends on it
DROP SCHEMA "Odd Schema" CASCADE

--: unseen *: depends on it
DROP SCHEMA hr CASCADE

DROP OWNED BY app

-- section: plain maintenance and the rest
ANALYZE items

ANALYZE hr.items (label), t

ANALYZE shards

REINDEX TABLE items

--: unseen hr.items: not followed yet
REINDEX INDEX hr.items_pkey

CLUSTER items USING items_pkey

COMMENT ON TABLE items IS 'x'

COMMENT ON COLUMN hr.items.label IS 'x'

COMMENT ON CONSTRAINT items_pkey ON items IS 'x'

COMMENT ON TRIGGER go ON first IS 'x'

COMMENT ON INDEX items_pkey IS 'x'

--: beyond hr.departments, hr.employees: of the view
COMMENT ON VIEW staff IS 'x'

GRANT SELECT ON items, hr.items TO app

GRANT SELECT (label) ON items TO app

REVOKE ALL ON ALL TABLES IN SCHEMA hr FROM app

GRANT USAGE ON SEQUENCE ticket TO app

GRANT EXECUTE ON FUNCTION hr.headcount(int) TO app

ALTER DEFAULT PRIVILEGES IN SCHEMA hr GRANT SELECT ON TABLES TO app

REASSIGN OWNED BY app TO postgres

SET LOCAL ROLE app; SELECT * FROM items

SET CONSTRAINTS ALL DEFERRED; SELECT * FROM t

SHOW search_path; SELECT * FROM t

SET LOCAL enable_seqscan = off; SELECT * FROM items WHERE id = 1

NOTIFY items, 'x'; SELECT 1

LISTEN items; UNLISTEN items; SELECT * FROM u

SAVEPOINT items; SELECT * FROM t; RELEASE items

SELECT pg_advisory_xact_lock(1), t FROM t

--: unseen hr.items: not followed yet
SELECT query_to_xml('SELECT * FROM hr.items', true, false, '')

SELECT table_to_xml('hr.items', true, false, '')

--: beyond public.staff: named only
--: unseen hr.departments, hr.employees: named only
SELECT pg_get_viewdef('staff'::regclass)

--: beyond hr.items: named only
SELECT has_table_privilege('app', 'hr.items', 'SELECT')

--: beyond hr.items, public.items: named only
SELECT obj_description('items'::regclass), col_description('hr.items'::regclass, 1)

SELECT * FROM pg_stat_user_tables WHERE relname = 'items'

SELECT * FROM pg_indexes WHERE tablename = 'items'

--: beyond hr.items: named only
SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.oid = 'hr.items'::regclass

DO $$ BEGIN PERFORM FROM hr.items; END $$

DO LANGUAGE plpgsql $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM items LOOP UPDATE t SET u = r.id; END LOOP; END $$

DO $$ BEGIN IF EXISTS (SELECT FROM hr.departments) THEN DELETE FROM t WHERE t IN (SELECT t FROM u); END IF; END $$

DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM sales.items; INSERT INTO t VALUES (n, n); EXCEPTION WHEN others THEN RAISE; END $$

DO $$ BEGIN EXECUTE 'SELECT * FROM hr.items'; END $$

--: beyond pg_temp.made: undone
DO $$ BEGIN CREATE TEMP TABLE made AS SELECT * FROM hr.items; DROP TABLE made; END $$
